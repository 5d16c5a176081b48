//! Forks while other threads wait and wake without pause, so that a child begins with whatever
//! state the table was in; each child waits and wakes by itself.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;

#[cfg(target_arch = "x86_64")]
const FUTEX: i64 = 202;
#[cfg(not(target_arch = "x86_64"))]
const FUTEX: i64 = 98;
#[cfg(target_arch = "x86_64")]
const CLONE: i64 = 56;
#[cfg(not(target_arch = "x86_64"))]
const CLONE: i64 = 220;
const SIGCHLD: i64 = 17;

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn fork() -> i32;
    fn waitpid(id: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

static WORDS: [AtomicU32; 64] = [const { AtomicU32::new(0) }; 64];
static STOP: AtomicBool = AtomicBool::new(false);

fn futex(word: &AtomicU32, op: i32, value: u32, time: &[i64; 2]) -> i64 {
    // SAFETY: a live word and a timespec.
    unsafe { syscall(FUTEX, word.as_ptr(), op | 128, value, time.as_ptr(), 0, 0) }
}

/// Waits a little for every word, and wakes every word.
fn churn() {
    while !STOP.load(SeqCst) {
        for word in &WORDS {
            futex(word, 0, 0, &[0, 1_000]);
            futex(word, 1, 1, &[0, 0]);
        }
    }
}

/// What a child does: finds nobody waiting, then has two threads take turns.
fn child() -> i32 {
    if WORDS.iter().any(|word| futex(word, 1, 1, &[0, 0]) != 0) {
        return 2;
    }
    let (to, from_here) = mpsc::sync_channel(0);
    let (back, from_there) = mpsc::sync_channel(0);
    let thread = thread::spawn(move || {
        from_here
            .iter()
            .for_each(|n: u32| back.send(n + 1).unwrap())
    });
    for number in 0..200 {
        to.send(number).unwrap();
        if from_there.recv() != Ok(number + 1) {
            return 3;
        }
    }
    drop(to);
    i32::from(thread.join().is_err())
}

/// What a child does whose first calls are made by several threads at once: each wakes nobody, then
/// all meet.
fn crowded_child() -> i32 {
    const THREADS: u32 = 4;
    let (ready, met, wrong) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                ready.fetch_add(1, SeqCst);
                while ready.load(SeqCst) < THREADS {
                    std::hint::spin_loop();
                }
                let woken = futex(&WORDS[0], 1, 9, &[0, 0]);
                wrong.fetch_add(u32::from(woken != 0), SeqCst);
                if met.fetch_add(1, SeqCst) + 1 == THREADS {
                    futex(&met, 1, i32::MAX as u32, &[0, 0]);
                }
                loop {
                    match met.load(SeqCst) {
                        THREADS => break,
                        // SAFETY: a live word, and no timeout.
                        count => unsafe { syscall(FUTEX, met.as_ptr(), 128, count, 0, 0, 0) },
                    };
                }
            });
        }
    });
    wrong.load(SeqCst) as i32
}

/// Forks that no library sees, of a process with one thread: their children may have more.
fn crowds() {
    for _ in 0..20 {
        futex(&WORDS[0], 0, 0, &[0, 1_000]);
        let id = fork_unseen();
        if id == 0 {
            let status = crowded_child();
            // SAFETY: the call ends the child and touches no memory of ours.
            unsafe { _exit(status) };
        }
        let mut status = 0;
        // SAFETY: the call writes to `status` alone, which is live.
        assert_eq!(unsafe { waitpid(id, &raw mut status, 0) }, id);
        assert_eq!(status, 0, "a crowd");
    }
}

fn main() {
    crowds();
    let churners: Vec<_> = (0..3).map(|_| thread::spawn(churn)).collect();
    for round in 0..40 {
        let id = match round % 3 {
            // SAFETY: the child uses threads and memory, which glibc allows after fork in practice.
            0 => unsafe { fork() },
            // SAFETY: a fork by system call: no flags but the signal, no new stack.
            1 => unsafe { syscall(CLONE, SIGCHLD, 0, 0, 0, 0) as i32 },
            _ => fork_unseen(),
        };
        if id == 0 {
            // A fork by system call leaves glibc's own locks as they were, so that child makes no
            // thread and allocates nothing.
            let status = if round % 3 == 0 {
                child()
            } else {
                lonely_child()
            };
            // SAFETY: the call ends the child and touches no memory of ours.
            unsafe { _exit(status) };
        }
        let mut status = 0;
        // SAFETY: the call writes to `status` alone, which is live.
        assert_eq!(unsafe { waitpid(id, &raw mut status, 0) }, id);
        assert_eq!(status, 0, "child of round {round}");
    }
    STOP.store(true, SeqCst);
    churners
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    println!("60 children");
}

/// A fork that no library sees.
fn fork_unseen() -> i32 {
    let id: i64;
    // SAFETY: the convention of system calls; a fork as in `main`: no flags but the signal.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") CLONE => id,
            in("rdi") SIGCHLD,
            in("rsi") 0,
            in("rdx") 0,
            in("r10") 0,
            in("r8") 0,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    // SAFETY: a fork by system call, as in `main`: no flags but the signal, no new stack.
    #[cfg(not(target_arch = "x86_64"))]
    unsafe {
        id = syscall(CLONE, SIGCHLD, 0, 0, 0, 0);
    }
    id as i32
}

/// Finds nobody, and can wait and time out in every slot.
fn lonely_child() -> i32 {
    for word in &WORDS {
        if futex(word, 1, 1, &[0, 0]) != 0 || futex(word, 0, 0, &[0, 1_000]) != -1 {
            return 4;
        }
    }
    0
}
