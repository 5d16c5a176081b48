//! Every exported function under an allocator that counts: what creates allocates, nothing else.

#[path = "../../slotpark-core/tests/common/watched.rs"]
mod watched;

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

use slotpark_capi::*;
use watched::{Watched, allocated};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Nanoseconds that a wait lasts.
const SHORT: i64 = 200_000;
const WAIT_PRIVATE: i32 = 128;
const PAST: SlotTimespec = SlotTimespec {
    tv_sec: 0,
    tv_nsec: 1,
};
const FLAGS: u32 = SLOT_SIZE_U32 | SLOT_PRIVATE;

/// What the functions are called with. The words are 0.
struct Handles {
    table: *mut SlotTable,
    interrupter: *mut SlotInterrupter,
    word: *mut u64,
    entries: [SlotWaitvEntry; 2],
}

impl Handles {
    fn uaddr(&self) -> *mut u32 {
        self.word.cast()
    }

    fn address(&self) -> *const c_void {
        self.word.cast()
    }

    fn entries(&self) -> *const SlotWaitvEntry {
        self.entries.as_ptr()
    }
}

type Operation = (&'static str, fn(&Handles));

/// Names and calls of unsafe functions.
macro_rules! calls {
    ($h:ident: $($name:ident($($argument:expr),*);)*) => {
        [$((stringify!($name), |$h: &Handles| {
            // SAFETY: handles and words live, and nobody else uses them.
            let _result = unsafe { $name($($argument),*) };
        })),*]
    };
}

const CALLS: [Operation; 25] = calls! { h:
    slot_wait(h.table, h.uaddr(), 0, SHORT);
    slot_wait8(h.table, h.uaddr().cast(), 0, SHORT);
    slot_wait16(h.table, h.uaddr().cast(), 0, SHORT);
    slot_wait64(h.table, h.word, 0, SHORT);
    slot_wait_bitset(h.table, h.uaddr(), 0, 1, SHORT);
    slot_wait_until(h.table, h.uaddr(), 0, 1, &PAST, 1);
    slot_wait_interruptible(h.table, h.interrupter, h.uaddr(), 0, 1, SHORT);
    slot_waitv(h.table, h.entries(), 2, SHORT);
    slot_wake(h.table, h.address(), SLOT_ALL);
    slot_wake_bitset(h.table, h.address(), SLOT_ALL, 1);
    slot_requeue(h.table, h.address(), null(), 1, SLOT_ALL);
    slot_cmp_requeue(h.table, h.uaddr(), 0, null(), 1, SLOT_ALL);
    slot_waiters(h.table, h.address());
    slot_thread_exited(h.table, 1);
    slot_drop_range(h.table, null(), h.address());
    slot_stats(h.table, &mut SlotTableStats { size: 80, ..SlotTableStats::default() });
    slot_reset_after_fork(h.table);
    slot_interrupter_interrupt(h.interrupter);
    slot_interrupter_clear(h.interrupter);
    slot_futex(h.uaddr(), WAIT_PRIVATE, 1, 0, null_mut(), 0);
    slot_futex_waitv(h.entries(), 2, 0, &PAST, 1);
    slot_futex2_wait(h.uaddr(), 0, 1, FLAGS, &PAST, 1);
    slot_futex2_requeue(h.entries(), 0, 1, 1);
    slot_futex_on(h.table, h.uaddr(), WAIT_PRIVATE, 1, 0, null_mut(), 0);
    slot_close(h.table);
};

const SAFE: [Operation; 3] = [
    ("slot_version", |_| assert!(slot_version() > 0)),
    ("slot_table_process", |_| {
        assert!(!slot_table_process().is_null())
    }),
    ("slot_futex2_wake", |h| {
        assert_eq!(slot_futex2_wake(h.uaddr(), 1, 1, FLAGS), 0)
    }),
];

/// They make and destroy: looked at by themselves.
const MAKERS: [&str; 4] = [
    "slot_table_create",
    "slot_table_destroy",
    "slot_interrupter_create",
    "slot_interrupter_destroy",
];

#[test]
fn only_create_allocates() {
    let (mut table, mut interrupter) = (null_mut(), null_mut());
    // SAFETY: the pointer is writable.
    let made = allocated(|| assert_eq!(unsafe { slot_table_create(&raw mut table, 64, 0) }, 0));
    assert_eq!(made.0, 2, "its slots and a handle");
    // SAFETY: the pointer is writable.
    let create = || assert_eq!(unsafe { slot_interrupter_create(&raw mut interrupter) }, 0);
    let also_made = allocated(create);
    assert_eq!(also_made.0, 1);
    let word = Box::into_raw(Box::new(0_u64));
    let entry = SlotWaitvEntry {
        uaddr: word.expose_provenance() as u64,
        flags: FLAGS,
        ..SlotWaitvEntry::default()
    };
    let handles = Handles {
        table,
        interrupter,
        word,
        entries: [entry; 2],
    };
    for (name, call) in SAFE.into_iter().chain(CALLS) {
        assert_eq!(allocated(|| call(&handles)), (0, 0), "{name}");
    }
    // SAFETY: the handle lives, and no call is inside.
    let gone = allocated(|| assert_eq!(unsafe { slot_table_destroy(table) }, 0));
    assert_eq!(gone, (made.0, -made.1));
    // SAFETY: as above, of the interrupter.
    let gone = allocated(|| assert_eq!(unsafe { slot_interrupter_destroy(interrupter) }, 0));
    assert_eq!(gone, (also_made.0, -also_made.1));
    // SAFETY: it came from a box, and nobody uses it any more.
    drop(unsafe { Box::from_raw(word) });
}

/// An exported function that the lists above do not name is one that nobody has measured.
#[test]
fn every_function_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut exported = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry of a folder").path();
        let text = std::fs::read_to_string(path).expect("a file of source");
        let heads = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let names =
            heads.filter_map(|line| line.split_once("extern \"C\" fn ")?.1.split('(').next());
        exported.extend(names.map(String::from));
    }
    let listed = SAFE.iter().chain(&CALLS).map(|(name, _)| *name);
    let listed: BTreeSet<_> = listed.chain(MAKERS).map(String::from).collect();
    assert_eq!(exported, listed);
}
