//! Threads that make the calls they are told to, one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use super::calls::{Call, Words, thread_id};
use super::common::{asleep, leak, task, until};
use super::sides::Side;

/// A thread that sleeps in nothing but the calls it is told to make.
pub(crate) struct Actor {
    pub(crate) tid: u32,
    side: Side,
    task: String,
    calls: Sender<(Call, &'static Words)>,
    results: Receiver<isize>,
    thread: JoinHandle<()>,
    has_returned: Arc<AtomicBool>,
}

impl Actor {
    pub(crate) fn new(side: Side) -> Self {
        let (calls, told) = channel::<(Call, &'static Words)>();
        let (tell, results) = channel();
        let (name, named) = channel();
        let has_returned = Arc::new(AtomicBool::new(false));
        let returned = Arc::clone(&has_returned);
        let thread = thread::spawn(move || {
            name.send((thread_id(), task())).expect("somebody listens");
            loop {
                match told.try_recv() {
                    Ok((call, words)) => {
                        // SAFETY: the words are never freed; no case names others.
                        let result = unsafe { call.make(side, words) };
                        returned.store(true, Ordering::SeqCst);
                        tell.send(result).expect("somebody listens");
                    }
                    Err(TryRecvError::Empty) => thread::yield_now(),
                    Err(TryRecvError::Disconnected) => return,
                }
            }
        });
        let (tid, task) = named.recv().expect("a name");
        Self {
            tid,
            side,
            task,
            calls,
            results,
            thread,
            has_returned,
        }
    }

    /// Begins a call, and waits until the thread sleeps in it, or has given up by then.
    pub(crate) fn sleeps_in(&self, call: Call, words: &'static Words) {
        self.begin(call, words);
        until("an actor to sleep", || !self.waits() || asleep(&self.task));
    }

    pub(crate) fn begin(&self, call: Call, words: &'static Words) {
        self.has_returned.store(false, Ordering::SeqCst);
        self.calls.send((call, words)).expect("the actor lives");
    }

    /// What the call that was begun has come to.
    pub(crate) fn result(&self) -> isize {
        self.results.recv().expect("the actor lives")
    }

    /// Makes a call that does not sleep long.
    pub(crate) fn make(&self, call: Call, words: &'static Words) -> isize {
        self.begin(call, words);
        self.result()
    }

    /// Whether the call that was begun goes on.
    pub(crate) fn waits(&self) -> bool {
        !self.has_returned.load(Ordering::SeqCst)
    }

    #[track_caller]
    pub(crate) fn assert_waits(&self) {
        assert!(self.waits());
    }

    /// Ends the thread; its number. A table is not told of it.
    pub(crate) fn end(self) -> u32 {
        drop(self.calls);
        self.thread.join().expect("an actor does not panic");
        self.tid
    }

    /// Ends the thread, and tells a table of it; the kernel knows.
    pub(crate) fn end_and_tell(self) -> u32 {
        let side = self.side;
        let tid = self.end();
        if let Side::Table(_, abi) = side {
            let _handed_over = abi.thread_exited(tid);
        }
        tid
    }
}

/// Ends them all.
pub(crate) fn end<const N: usize>(actors: [Actor; N]) {
    for actor in actors {
        actor.end();
    }
}

/// Words for actors.
pub(crate) fn words(values: [u32; 2]) -> &'static Words {
    leak(values.map(AtomicU32::new))
}

#[track_caller]
pub(crate) fn assert_word(words: &Words, at: usize, expected: u32, what: &str) {
    let value = words[at].load(Ordering::SeqCst);
    assert_eq!(value, expected, "{what}: {value:#x}, not {expected:#x}");
}
