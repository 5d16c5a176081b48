//! The text of a key, of fixed size.

use core::fmt;
use core::fmt::Write;

use crate::inspect::Seen;
use crate::platform::Platform;
use crate::table::Table;

impl<K: fmt::Debug, P: Platform> Table<K, P> {
    /// The same table, whose looks show keys as their `Debug` writes them, up to 64 bytes. That
    /// runs under a slot lock, in looks only: see [`Inspect::look`](crate::Inspect::look).
    ///
    /// ```
    /// use slotpark_core::{Inspect, ParkOptions, Seen, Table};
    /// let table = Table::<&str>::new().with_key_text();
    /// let mut seen = [Seen::default()];
    /// let yes = || Ok::<_, ()>(true);
    /// let look = || {
    ///     assert_eq!(table.look(1, &mut seen), 1);
    ///     assert_eq!(table.unpark(1, &"job 7", 1, 0), 1);
    /// };
    /// let _woken = table.park_with(1, &"job 7", ParkOptions::new(), yes, look, |_| {});
    /// assert_eq!(seen[0].key.unwrap().as_str(), "\"job 7\"");
    /// ```
    #[must_use]
    pub const fn with_key_text(self) -> Self {
        self.with_describe(write_key)
    }
}

/// Writes the text of a key, once for all nodes of its queue.
fn write_key<K: fmt::Debug>(key: &K, seen: &mut Seen) {
    if seen.key.is_none() {
        let text = seen.key.insert(KeyText::default());
        if write!(text, "{key:?}").is_err() {
            text.cut_off();
        }
    }
}

/// The most bytes of a key's text.
const TEXT_MAX: usize = 64;

/// A key's text, cut off after 64 bytes.
///
/// ```
/// use core::fmt::Write;
/// let mut text = slotpark_core::KeyText::default();
/// write!(text, "page {}", 7).unwrap();
/// assert_eq!(text.as_str(), "page 7");
/// assert!(!text.is_cut());
/// ```
#[derive(Clone, Copy)]
pub struct KeyText {
    bytes: [u8; TEXT_MAX],
    length: u8,
    cut: bool,
}

impl KeyText {
    /// What there is of it.
    ///
    /// ```
    /// assert_eq!(slotpark_core::KeyText::default().as_str(), "");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or(&[]);
        // Text is cut between characters, so it is whole.
        core::str::from_utf8(bytes).unwrap_or("")
    }

    /// Whether there was more.
    ///
    /// ```
    /// assert!(!slotpark_core::KeyText::default().is_cut());
    /// ```
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// There was more, or it is not known.
    pub(crate) fn cut_off(&mut self) {
        self.cut = true;
    }
}

impl Default for KeyText {
    fn default() -> Self {
        Self {
            bytes: [0; TEXT_MAX],
            length: 0,
            cut: false,
        }
    }
}

impl fmt::Write for KeyText {
    /// Never fails: what does not fit is cut off.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let used = usize::from(self.length);
        if self.cut {
            return Ok(());
        }
        let mut take = text.len().min(TEXT_MAX - used);
        while !text.is_char_boundary(take) {
            take -= 1;
        }
        self.cut = take < text.len();
        self.bytes[used..used + take].copy_from_slice(&text.as_bytes()[..take]);
        self.length = u8::try_from(used + take).unwrap_or(u8::MAX);
        Ok(())
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
