//! Threads that wait for each other by std's mutex, condvar and channels; then ends as asked.
//!
//! `threads exit CODE`, `threads _exit CODE`, `threads signal NUMBER`, `threads stuck CODE` (ends
//! with a thread still waiting), `threads echo` (copies its input).

use std::io::{Write, copy, stdin, stdout};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;

unsafe extern "C" {
    fn _exit(status: i32) -> !;
    fn raise(signal: i32) -> i32;
}

/// Two threads take turns, which is not to be had without waiting.
fn take_turns(rounds: u32) -> u32 {
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let threads: Vec<_> = (0..2)
        .map(|me| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for _ in 0..rounds {
                    let mut turn = shared.0.lock().unwrap();
                    while *turn % 2 != me {
                        turn = shared.1.wait(turn).unwrap();
                    }
                    *turn += 1;
                    shared.1.notify_all();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let turns = *shared.0.lock().unwrap();
    turns
}

/// A thread that sleeps says so in its `stat`, after its name in brackets.
fn wait_until_asleep(thread: &Path) {
    let stat = Path::new("/proc").join(thread).join("stat");
    while !std::fs::read_to_string(&stat).unwrap().contains(") S ") {
        thread::yield_now();
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = || arguments[1].parse::<i32>().unwrap();
    println!("turns: {}", take_turns(500));
    eprintln!("this goes to standard error");
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || (0..1000).for_each(|number| sender.send(number).unwrap()));
    println!("sum: {}", receiver.iter().sum::<u32>());
    stdout().flush().unwrap();
    match arguments[0].as_str() {
        "exit" => std::process::exit(number()),
        // SAFETY: the call ends the process and touches no memory of ours.
        "_exit" => unsafe { _exit(number()) },
        // SAFETY: ends the process, if it is that kind of signal.
        "signal" => unsafe { assert_eq!(raise(number()), 0) },
        "stuck" => {
            let waiting = Arc::new(Mutex::new(()));
            let held = waiting.lock().unwrap();
            let (sender, receiver) = mpsc::channel();
            let blocked = Arc::clone(&waiting);
            thread::spawn(move || {
                sender
                    .send(std::fs::read_link("/proc/thread-self").unwrap())
                    .unwrap();
                drop(blocked.lock());
            });
            wait_until_asleep(&receiver.recv().unwrap());
            let status = number();
            assert_eq!(*held, ());
            std::process::exit(status);
        }
        _ => drop(copy(&mut stdin(), &mut stdout()).unwrap()),
    }
}
