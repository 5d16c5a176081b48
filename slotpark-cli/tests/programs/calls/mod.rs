//! Futex calls through libc's `syscall`, as programs make them that have futexes of their own.
#![allow(dead_code, reason = "each program uses its part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

#[cfg(target_arch = "x86_64")]
pub const FUTEX: i64 = 202;
#[cfg(not(target_arch = "x86_64"))]
pub const FUTEX: i64 = 98;
pub const FUTEX_WAITV: i64 = 449;
pub const FUTEX2_WAKE: i64 = 454;
pub const FUTEX2_WAIT: i64 = 455;
pub const FUTEX2_REQUEUE: i64 = 456;

pub const SHARED_WAIT: i32 = 0;
pub const SHARED_WAKE: i32 = 1;
pub const WAIT: i32 = 128;
pub const WAKE: i32 = 129;
pub const REQUEUE: i32 = 131;
pub const WAKE_OP: i32 = 133;
pub const WAIT_BITSET: i32 = 137;

/// Private words of 32 bits, and shared ones.
pub const PRIVATE_U32: u32 = 0x82;
pub const SHARED_U32: u32 = 0x02;

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn __errno_location() -> *mut i32;
    safe fn gettid() -> u32;
}

#[repr(C)]
pub struct Timespec {
    pub seconds: i64,
    pub nanoseconds: i64,
}

/// An entry of `futex_waitv`.
#[repr(C)]
pub struct Entry {
    pub value: u64,
    pub address: u64,
    pub flags: u32,
    pub reserved: u32,
}

impl Entry {
    pub fn new(word: &AtomicU32, value: u32, flags: u32) -> Self {
        Self {
            value: value.into(),
            address: word.as_ptr() as u64,
            flags,
            reserved: 0,
        }
    }
}

/// The result, or -errno.
pub fn call(number: i64, arguments: [usize; 6]) -> i64 {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: calls whose addresses are those of live values, or refused.
    let result = unsafe { syscall(number, a, b, c, d, e, f) };
    if result == -1 {
        // SAFETY: the thread's own errno.
        -i64::from(unsafe { *__errno_location() })
    } else {
        result
    }
}

/// The calling thread's id.
pub fn thread_id() -> u32 {
    gettid()
}

pub fn at(word: &AtomicU32) -> usize {
    word.as_ptr() as usize
}

pub fn wait(word: &AtomicU32, value: u32) -> i64 {
    call(FUTEX, [at(word), WAIT as usize, value as usize, 0, 0, 0])
}

pub fn wake(word: &AtomicU32, count: i32) -> i64 {
    call(FUTEX, [at(word), WAKE as usize, count as usize, 0, 0, 0])
}

/// Starts a thread that makes one call, and returns when it sleeps in it.
pub fn asleep_in(wait: impl FnOnce() -> i64 + Send + 'static) -> JoinHandle<i64> {
    let id = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&id);
    let thread = thread::spawn(move || {
        told.store(thread_id(), SeqCst);
        drop(told);
        wait()
    });
    until_asleep(&id);
    thread
}

/// Waits until the thread with this id, once it has one, sleeps.
pub fn until_asleep(id: &AtomicU32) {
    while id.load(SeqCst) == 0 || !is_asleep(id.load(SeqCst)) {}
}

/// Whether the thread with this id sleeps, and goes on sleeping: the kernel says so a moment before
/// a thread has queued all that it waits for.
pub fn is_asleep(id: u32) -> bool {
    let sleeps = || {
        thread::yield_now();
        let stat = format!("/proc/self/task/{id}/stat");
        std::fs::read_to_string(stat).is_ok_and(|stat| stat.contains(") S "))
    };
    (0..20).all(|_| sleeps())
}
