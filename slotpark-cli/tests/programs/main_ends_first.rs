//! The main thread ends alone, and the process ends with the last of the others.

use std::thread;
use std::time::Duration;

/// Ends the thread that makes it.
#[cfg(target_arch = "x86_64")]
const EXIT: i64 = 60;
#[cfg(not(target_arch = "x86_64"))]
const EXIT: i64 = 93;

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
}

fn main() {
    let last = thread::spawn(|| {
        // load: the main thread is gone by then, or it is not; both end the same.
        thread::sleep(Duration::from_millis(50));
        println!("the last one");
    });
    drop(last);
    // SAFETY: nothing that others use lies on this thread's stack.
    unsafe { syscall(EXIT, 0) };
}
