//! A snapshot: its JSON form, stable under the number of its schema.
//!
//! New fields may come without a new number; readers ignore what they do not know, and what is
//! absent is `None` or empty.

use serde::{Deserialize, Serialize};

/// The number of this form. A reader refuses a greater one.
pub const SCHEMA: u32 = 1;

/// Everything that was seen of a process's tables, one slot at a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The process's number.
    pub process: u32,
    /// What it runs.
    pub program: String,
    /// Nanoseconds of the monotonic clock, when the look began.
    pub at_ns: u64,
    /// How long the look took.
    pub took_ns: u64,
    /// What is recorded in this process now.
    pub detail: Detail,
    /// The tables that are registered.
    pub tables: Vec<Table>,
}

/// How much is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Slots, hashes, kinds.
    #[default]
    Off,
    /// Also the busiest keys.
    Counters,
    /// Also since when, and by whom; histograms.
    Timing,
    /// Also where in the source, and some stacks.
    Full,
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it was registered as.
    pub name: String,
    /// How many slots it has.
    pub slot_count: usize,
    /// Those in which anything ever happened.
    pub slots: Vec<Slot>,
    /// Who waits.
    pub waits: Vec<Wait>,
    /// Who holds.
    pub holders: Vec<Holder>,
    /// Where time went, by what was measured.
    pub histograms: Vec<Spread>,
    /// Busiest first.
    pub top_keys: Vec<TopKey>,
    /// Waiters and holders that are not listed, because there were more in one slot than a look
    /// takes. Those of a slot that are listed are the first.
    #[serde(default)]
    pub left_out: usize,
    /// Locks of a byte or a word (`Mutex`, `RwLock`) that were taken so far while there was no room
    /// left to note by whom. Those that are held still are not among the holders.
    #[serde(default)]
    pub unlisted: usize,
}

/// One slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its place in the table.
    pub index: usize,
    /// Waiters that are in it now.
    pub waiting: usize,
    /// Keys that are in it now, waited for or held.
    pub keys: usize,
    /// Waiters in the longest queue of one key now.
    pub longest: usize,
    /// Waiters linked; this and what follows wraps at 2^32.
    pub parks: u32,
    /// Waiters woken.
    pub wakes: u32,
    /// Waiters that left because their deadline passed.
    pub timeouts: u32,
    /// Waiters that left for another reason.
    pub cancels: u32,
    /// Waiters moved here from another key.
    pub requeues: u32,
    /// Waiters linked while only other keys were in the slot.
    pub collisions: u32,
}

/// A key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its hash.
    pub hash: u64,
    /// Its text, where the table was built for it.
    pub text: Option<String>,
    /// The text was cut off.
    #[serde(default)]
    pub is_cut: bool,
}

/// What is waited for or held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A wake, with no owner behind it.
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
    /// Of a younger program.
    #[serde(other)]
    Unknown,
}

/// Who waits or holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Party {
    /// A thread or a task.
    pub kind: PartyKind,
    /// The thread's number, or the task's.
    pub id: Option<u64>,
    /// The thread's name, or the task's label.
    pub name: Option<String>,
    /// Of a task: the thread that polled it last.
    pub thread: Option<u32>,
    /// Of a thread: the task in whose poll it waits or locked, where that is known.
    #[serde(default)]
    pub task: Option<u64>,
}

/// What a party is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// An operating system's thread.
    #[default]
    Thread,
    /// A future.
    Task,
}

/// One place in one queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// The slot it is in.
    pub slot: usize,
    /// What it waits for.
    pub key: Key,
    /// Of which kind.
    pub kind: Kind,
    /// Which of the slot's queues it stands in: that of its key, or of one condition of it. Those
    /// who hold the key have the same number in the same look.
    #[serde(default)]
    pub queue: u32,
    /// The same number in all places of one wait on several keys. Numbers come again: a wait is the
    /// same as in an earlier look if `since_ns` is, too.
    pub wait: u64,
    /// Its place in the queue of its key: 0 is next.
    pub place: usize,
    /// How much it asks for.
    pub weight: u32,
    /// What the wait was called.
    #[serde(default)]
    pub label: Option<String>,
    /// Who waits.
    pub by: Party,
    /// Since when, on the clock of [`Snapshot::at_ns`].
    pub since_ns: Option<u64>,
    /// `file:line:column` of the call.
    pub location: Option<String>,
    /// Frames, innermost first, where one was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<String>,
}

/// One who holds a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// The slot it is in; `None` for a lock that is in none while nobody waits.
    pub slot: Option<usize>,
    /// What it holds.
    pub key: Key,
    /// As [`Wait::queue`].
    #[serde(default)]
    pub queue: u32,
    /// A number of its own as long as it holds.
    #[serde(default)]
    pub hold: u64,
    /// Of which kind.
    pub kind: Kind,
    /// How much.
    pub weight: u32,
    /// What the lock was called.
    pub label: Option<String>,
    /// Who locked.
    pub by: Party,
    /// Since when, on the clock of [`Snapshot::at_ns`].
    pub since_ns: Option<u64>,
    /// `file:line:column` of the call.
    pub location: Option<String>,
    /// Frames, innermost first, where one was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<String>,
}

/// A histogram, as far as a reader needs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// `wait`, `hold`, `wake_to_run`.
    pub of: String,
    /// How many there were.
    pub count: u64,
    /// All of them together, in nanoseconds.
    #[serde(default)]
    pub sum_ns: u64,
    /// Pairs of a percentile (0 to 100) and nanoseconds.
    pub percentiles: Vec<(f64, u64)>,
    /// Pairs of an upper end in nanoseconds and how many fell there.
    pub buckets: Vec<(u64, u64)>,
}

/// A key and what happened on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TopKey {
    /// Which.
    pub key: Key,
    /// Waits counted, or estimated from samples.
    pub waits: u64,
    /// How long they took together, where that is recorded.
    pub waited_ns: Option<u64>,
}
