//! One node as a look finds it.

use core::fmt;
use core::panic::Location;

use crate::slots::SlotStats;

/// What can be looked at: a table, or what is made of one.
///
/// ```
/// use slotpark_core::Inspect;
/// fn names(tables: &[(&str, &dyn Inspect)]) -> usize {
///     tables.iter().map(|(_, table)| table.slot_count()).sum()
/// }
/// assert_eq!(names(&[]), 0);
/// ```
pub trait Inspect: Send + Sync {
    /// The number of slots.
    fn slot_count(&self) -> usize;

    /// The counters of one slot.
    ///
    /// # Panics
    /// If `index` is not below [`slot_count`](Self::slot_count).
    fn slot_stats(&self, index: usize) -> SlotStats;

    /// Copies what is in one slot into `room`, as much as it takes, and says how many nodes there
    /// are: more than `room` has if that was too short. Locks the slot meanwhile; allocates nothing.
    ///
    /// # Panics
    /// If `index` is not below [`slot_count`](Self::slot_count).
    fn look(&self, index: usize, room: &mut [Seen]) -> usize;
}

/// What a node is there for.
///
/// ```
/// assert!(slotpark_core::Kind::Lock.is_exclusive());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A wait for a wake, with no owner behind it.
    #[default]
    Wait,
    /// A lock of which there is one.
    Lock,
    /// A lock that is shared by readers.
    Read,
    /// The one of a lock's readers who may come to write.
    Upgradable,
    /// Permits of a semaphore.
    Permit,
    /// A key that is kept closed.
    Closed,
}

impl Kind {
    /// Whether who has it keeps everybody else out.
    ///
    /// ```
    /// assert!(!slotpark_core::Kind::Read.is_exclusive());
    /// ```
    #[must_use]
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Lock)
    }
}

/// One node.
///
/// ```
/// assert!(!slotpark_core::Seen::default().holds);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Seen {
    /// Of the key.
    pub hash: u64,
    /// The key as text, where the table was built for it.
    pub key: Option<KeyText>,
    /// What it is there for.
    pub kind: Kind,
    /// It holds the key; else it waits.
    pub holds: bool,
    /// It stands for a task; else for a thread.
    pub is_task: bool,
    /// The same number for all nodes of one wait; of a holder, its own.
    pub wait: u64,
    /// How much a holder holds, or a waiter asks for: readers and permits.
    pub weight: u32,
    /// The caller's tag.
    pub tag: u64,
    /// When it began to wait, or came to hold: nanoseconds of the monotonic clock.
    pub since_ns: Option<u64>,
    /// The operating system's number of the thread that waits or holds; of a task, of the thread
    /// that polled it last.
    pub thread: Option<u32>,
    /// The number of the task, the same for its waits and for what it holds.
    pub task: Option<u64>,
    /// What the thread, task or lock was called by its user.
    pub label: Option<&'static str>,
    /// Where it was asked to wait or to lock.
    pub location: Option<&'static Location<'static>>,
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
