//! What keys of the process-wide table say of themselves to those who look.

use core::fmt::Write;

use super::{FutexKey, Kind, Wants};
use crate::inspect::{self, KeyText, Seen};
use crate::platform::Platform;
use crate::table::Table;

impl<P: Platform> Table<FutexKey, P> {
    /// The same table, whose looks show what each key is, and what is waited for there: a mutex is
    /// a [`Kind::Lock`](crate::Kind::Lock). [`process_table`](crate::process_table) is such a one.
    ///
    /// ```
    /// use slotpark_core::{FutexKey, Table};
    /// let table = Table::<FutexKey>::new().with_futex_text();
    /// assert_eq!(table.slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn with_futex_text(self) -> Self {
        self.with_describe(FutexKey::describe)
    }
}

impl FutexKey {
    fn describe(&self, seen: &mut Seen) {
        seen.kind = self.kind_of(seen.tag);
        if seen.kind == inspect::Kind::Permit {
            seen.weight = u32::try_from(seen.tag).unwrap_or(u32::MAX);
        }
        if seen.key.is_none() {
            seen.key = Some(self.text());
        }
    }

    pub(crate) fn text(&self) -> KeyText {
        let mut text = KeyText::default();
        // Never fails.
        let _ok = self.write(&mut text);
        text
    }

    /// What its waiters, of whom one has this tag, wait for.
    fn kind_of(&self, tag: u64) -> inspect::Kind {
        if self.wants == Wants::Lock {
            return inspect::Kind::Lock;
        }
        match self.kind {
            Kind::Semaphore => inspect::Kind::Permit,
            #[cfg(not(slotpark_loom))]
            Kind::Mutex | Kind::Once => inspect::Kind::Lock,
            #[cfg(not(slotpark_loom))]
            Kind::RwLock => crate::raw::kind_of_tag(tag),
            _ => {
                let _ = tag;
                inspect::Kind::Wait
            }
        }
    }

    fn write(&self, text: &mut KeyText) -> core::fmt::Result {
        let name = match self.kind {
            Kind::Guest => return write!(text, "guest {:#x} at {:#x}", self.space, self.address),
            Kind::Word if self.wants == Wants::Lock => "lock word",
            Kind::Word => "word",
            Kind::Semaphore => "semaphore",
            #[cfg(target_has_atomic = "64")]
            Kind::EventCounter => "event counter",
            #[cfg(not(slotpark_loom))]
            Kind::Mutex => "mutex",
            #[cfg(not(slotpark_loom))]
            Kind::RwLock => "rwlock",
            #[cfg(not(slotpark_loom))]
            Kind::Condvar => "condvar",
            #[cfg(not(slotpark_loom))]
            Kind::Once => "once",
        };
        write!(text, "{name} at {:#x}", self.address)
    }
}
