//! Waits during which a signal is handled: whether they end, with and without SA_RESTART, with and
//! without a timeout. The handler calls the futex too.

mod calls;

use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use calls::*;

const SIGUSR1: i32 = 10;
const SA_RESTART: i32 = 0x1000_0000;
const EINTR: i64 = -4;

static WORD: AtomicU32 = AtomicU32::new(7);
static OTHER: AtomicU32 = AtomicU32::new(9);
static NOBODYS: AtomicU32 = AtomicU32::new(9);
/// The thread that waits.
static ID: AtomicU32 = AtomicU32::new(0);
static HANDLED: AtomicU32 = AtomicU32::new(0);

/// libc's struct sigaction, as 64-bit systems have it.
#[repr(C)]
struct Action {
    handler: extern "C" fn(i32),
    mask: [u64; 16],
    flags: i32,
    restorer: usize,
}

unsafe extern "C" {
    fn sigaction(signal: i32, action: *const Action, old: *mut Action) -> i32;
    fn pthread_kill(thread: usize, signal: i32) -> i32;
}

extern "C" fn handler(_signal: i32) {
    // Nobody waits there, and the value does not fit.
    assert_eq!((wake(&NOBODYS, 9), wait(&NOBODYS, 8)), (0, -11));
    HANDLED.fetch_add(1, SeqCst);
}

fn handle(flags: i32) {
    let action = Action {
        handler,
        mask: [0; 16],
        flags,
        restorer: 0,
    };
    // SAFETY: the handler touches atomics and makes system calls.
    assert_eq!(
        unsafe { sigaction(SIGUSR1, &action, std::ptr::null_mut()) },
        0
    );
}

/// The ways to wait, each with the address of a time or 0.
type Wait = (&'static str, fn(usize) -> i64);

const WAITS: [Wait; 4] = [
    ("wait", |time| {
        call(FUTEX, [at(&WORD), WAIT as usize, 7, time, 0, 0])
    }),
    ("bitset", |time| {
        call(FUTEX, [at(&WORD), WAIT_BITSET as usize, 7, time, 0, 6])
    }),
    ("waitv", |time| {
        let list = [
            Entry::new(&WORD, 7, PRIVATE_U32),
            Entry::new(&OTHER, 9, PRIVATE_U32),
        ];
        call(FUTEX_WAITV, [list.as_ptr() as usize, 2, 0, time, 1, 0])
    }),
    ("futex2", |time| {
        call(
            FUTEX2_WAIT,
            [at(&WORD), 7, 6, PRIVATE_U32 as usize, time, 1],
        )
    }),
];

/// Later than this test will live, on any clock.
static LATER: Timespec = Timespec {
    seconds: 1 << 32,
    nanoseconds: 0,
};

fn one((name, wait): Wait, is_timed: bool, times: u32) {
    let time = if is_timed {
        (&raw const LATER) as usize
    } else {
        0
    };
    HANDLED.store(0, SeqCst);
    let thread = asleep_in(move || {
        ID.store(thread_id(), SeqCst);
        wait(time)
    });
    for count in 1..=times {
        // SAFETY: the thread has not been joined.
        assert_eq!(
            unsafe { pthread_kill(thread.as_pthread_t() as usize, SIGUSR1) },
            0
        );
        while HANDLED.load(SeqCst) < count {
            std::thread::yield_now();
        }
    }
    // One that goes on is woken; while it has not come so far it may still be queued.
    while !thread.is_finished() {
        if is_asleep(ID.load(SeqCst)) && wake(&WORD, 1) == 1 {
            break;
        }
    }
    let told = match thread.join().unwrap() {
        EINTR => "ends",
        0 => "goes on",
        other => panic!("{name}: {other}"),
    };
    println!("{name}, timed {is_timed}, {times} signals: {told}");
}

fn main() {
    for flags in [0, SA_RESTART] {
        handle(flags);
        println!("flags {flags:#x}");
        for wait in WAITS {
            for is_timed in [false, true] {
                one(wait, is_timed, 1);
            }
            if flags != 0 {
                one(wait, false, 3);
            }
        }
    }
}
