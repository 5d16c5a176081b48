//! Stories of descriptors: what a close ends, what stays open, and when a description ends.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Scope, ScopedJoinHandle, scope};

use common::bells::{Bell, poll, ready};
use common::{until, watchdog};
use guests::ended;
use slotpark::Interrupter;
use slotpark_managers::{
    Block, CloseRange, CondvarWait, Description, Errno, FdTable, OpenFd, PipeEnd, PipeManager,
    Waits,
};

/// What a call through a descriptor blocks on: a key that is never free.
struct Device {
    waits: Arc<Waits>,
    busy: CondvarWait<u64>,
}

impl Device {
    fn new() -> Self {
        let waits = Arc::new(Waits::new());
        let busy = CondvarWait::new(Arc::clone(&waits));
        std::mem::forget(busy.try_lock(7).expect("nobody has it"));
        Self { waits, busy }
    }

    fn files(&self) -> FdTable<&'static str> {
        FdTable::new(Arc::clone(&self.waits))
    }

    fn call(&self, block: Block<'_>) -> Result<(), Errno> {
        self.busy.lock(7, block).map(drop)
    }

    /// A thread that is blocked in a call through a descriptor.
    fn blocked<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        (files, number): (&FdTable<&'static str>, i32),
    ) -> ScopedJoinHandle<'s, Result<(), Errno>> {
        let open = files.get(number).expect("it is open");
        guests::blocked(
            scope,
            || files.waiters(number),
            move || self.call(Block::FOREVER.through(&open)),
        )
    }
}

fn file() -> Description<&'static str> {
    Description::new("file")
}

/// How often a description has ended.
fn counted(ends: &Arc<AtomicUsize>) -> Description<&'static str> {
    let ends = Arc::clone(ends);
    file().on_last_close(move |_| _ = ends.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn a_close_ends_calls_through_its_number_only() {
    let _watchdog = watchdog("a_close_ends_calls_through_its_number_only");
    let device = &Device::new();
    let files = device.files();
    let first = files.install(file(), false).expect("there is room");
    let second = files.dup(first).expect("there is room");
    let child = files.fork();
    scope(|scope| {
        let through_first = [(); 2].map(|()| device.blocked(scope, (&files, first)));
        let through_second = device.blocked(scope, (&files, second));
        let through_child = device.blocked(scope, (&child, first));
        assert_eq!(files.close(first), Ok(()));
        for call in through_first {
            assert_eq!(ended(call), Err(Errno::BadFd));
        }
        assert_eq!((files.waiters(second), child.waiters(first)), (1, 1));
        // Something else of the same number, then in place of it.
        assert_eq!(files.install(file(), false), Ok(first));
        let open = files.get(second).expect("it is open");
        assert_eq!(files.dup2(first, second), Ok(second));
        // A call that has not begun to wait sees it too.
        let late = device.call(Block::FOREVER.through(&open));
        assert_eq!((late, open.is_open()), (Err(Errno::BadFd), false));
        assert_eq!(ended(through_second), Err(Errno::BadFd));
        assert_eq!(child.waiters(first), 1);
        drop(child);
        assert_eq!(ended(through_child), Err(Errno::BadFd));
    });
}

/// An end of a pipe that two numbers lead to: it stays open when one of them is closed, and only
/// the call through that one ends.
#[test]
fn a_read_of_a_pipe_ends_with_its_number() {
    let _watchdog = watchdog("a_read_of_a_pipe_ends_with_its_number");
    let waits = Arc::new(Waits::new());
    let pipes = &Arc::new(PipeManager::new(Arc::clone(&waits)));
    let files = &FdTable::new(waits);
    let (reader, writer) = pipes.pipe();
    let open = |end: PipeEnd| {
        let pipes = Arc::clone(pipes);
        let description = Description::new(end);
        description.on_last_close(move |end| pipes.close(*end).expect("it is open until now"))
    };
    let first = files.install(open(reader), false).expect("there is room");
    let second = files.dup(first).expect("there is room");
    let read = |number| {
        let end = files.get(number)?;
        pipes.read(*end, &mut [0; 8], Block::FOREVER.through(&end))
    };
    scope(|scope| {
        let blocked =
            |number| guests::blocked(scope, move || files.waiters(number), move || read(number));
        let (through_first, through_second) = (blocked(first), blocked(second));
        assert_eq!(files.close(first), Ok(()));
        assert_eq!(ended(through_first), Err(Errno::BadFd));
        assert_eq!(pipes.write(writer, b"hello", Block::NO), Ok(5));
        assert_eq!(ended(through_second), Ok(5));
        assert_eq!(files.close(second), Ok(()));
        assert_eq!(pipes.write(writer, b"hello", Block::NO), Err(Errno::Pipe));
        assert_eq!(pipes.close(writer), Ok(()));
    });
    assert!(pipes.is_empty());
}

#[test]
#[should_panic(expected = "in another table than its descriptor's")]
fn a_call_that_would_not_see_the_close_panics() {
    let files = Device::new().files();
    let number = files.install(file(), false).expect("there is room");
    let open = files.get(number).expect("it is open");
    let _ended = Device::new().call(Block::FOREVER.through(&open));
}

#[test]
fn an_exec_and_a_range_end_calls_too() {
    let _watchdog = watchdog("an_exec_and_a_range_end_calls_too");
    let device = &Device::new();
    let files = device.files();
    for close_on_exec in [true, false, false, false] {
        files.install(file(), close_on_exec).expect("there is room");
    }
    scope(|scope| {
        let calls = [0, 1, 2, 3].map(|number| device.blocked(scope, (&files, number)));
        files.exec();
        assert_eq!(files.close_range(1, 2, CloseRange::OnExec), Ok(()));
        assert_eq!((files.numbers(), files.waiters(1)), (vec![1, 2, 3], 1));
        files.exec();
        assert_eq!((files.numbers(), files.waiters(3)), (vec![3], 1));
        assert_eq!(files.close_range(2, u32::MAX, CloseRange::Close), Ok(()));
        for call in calls {
            assert_eq!(ended(call), Err(Errno::BadFd));
        }
    });
    assert!(files.is_empty());
}

#[test]
fn a_call_through_a_descriptor_ends_as_others_do() {
    let _watchdog = watchdog("a_call_through_a_descriptor_ends_as_others_do");
    let device = &Device::new();
    let files = device.files();
    let number = files.install(file(), false).expect("there is room");
    let open = files.get(number).expect("it is open");
    let short = Block::for_at_most(std::time::Duration::from_micros(10));
    assert_eq!(device.call(short.through(&open)), Err(Errno::TimedOut));
    assert_eq!(device.call(Block::NO.through(&open)), Err(Errno::Again));
    let interrupter = &Interrupter::new();
    let block = Block::FOREVER.interruptible(interrupter).through(&open);
    scope(|scope| {
        let call = guests::blocked(scope, || files.waiters(number), || device.call(block));
        interrupter.interrupt();
        assert_eq!(ended(call), Err(Errno::Interrupted));
        // Closed before the call begins to wait.
        assert_eq!(files.close(number), Ok(()));
        assert_eq!(device.call(block), Err(Errno::BadFd));
    });
}

#[test]
fn a_close_drops_what_a_task_does() {
    let _watchdog = watchdog("a_close_drops_what_a_task_does");
    let device = Device::new();
    let files = device.files();
    let bell = &Bell::new();
    let number = files.install(file(), false).expect("there is room");
    let open = files.get(number).expect("it is open");
    let call = async { device.busy.lock_async(7).await.map(drop) };
    let mut call = pin!(open.until_closed(call));
    assert!(poll(call.as_mut(), bell).is_pending());
    assert_eq!((device.busy.lockers(&7), files.waiters(number)), (1, 1));
    assert_eq!(files.close(number), Ok(()));
    assert_eq!(bell.rings(), 1);
    assert_eq!(ready(call.as_mut()), Err(Errno::BadFd));
    let late = pin!(open.until_closed(pending::<()>()));
    assert_eq!(ready(late), Err(Errno::BadFd));
    let done = pin!(open.until_closed(async { 7 }));
    assert_eq!(ready(done), Ok(7));
}

#[test]
fn a_description_ends_once_with_its_last_descriptor() {
    let ends = &Arc::new(AtomicUsize::new(0));
    let ended = || ends.load(Ordering::Relaxed);
    let files = Device::new().files();
    let first = files.install(counted(ends), true).expect("there is room");
    let open: OpenFd<_> = files.get(first).expect("it is open");
    let child = files.fork();
    let sent = files.description(first).expect("it is open");
    files.exec();
    assert_eq!((files.len(), child.len(), ended()), (0, 1, 0));
    drop(child);
    assert_eq!(ended(), 0);
    drop(sent);
    // A call that has it still does not keep it from ending, only from going.
    assert_eq!((ended(), *open), (1, "file"));
    // One that finds no room ends too.
    files.set_limit(0);
    let refused = files.install(counted(ends), false);
    assert_eq!((refused, ended()), (Err(Errno::TooManyFiles), 2));
}

/// Hooks may use the table that they are called from.
#[test]
fn a_hook_runs_with_no_lock_held() {
    let _watchdog = watchdog("a_hook_runs_with_no_lock_held");
    let files = Arc::new(Device::new().files());
    let hook = || {
        let files = Arc::downgrade(&files);
        file().on_last_close(move |_| {
            if let Some(files) = files.upgrade() {
                files.install(file(), false).expect("there is room");
            }
        })
    };
    files.install(hook(), false).expect("there is room");
    files.install(hook(), false).expect("there is room");
    assert_eq!(files.close(0), Ok(()));
    assert_eq!(files.dup2(0, 1), Ok(1));
    assert_eq!(files.numbers(), [0, 1, 2]);
    files.install(hook(), true).expect("there is room");
    files.exec();
    assert_eq!(files.numbers(), [0, 1, 2, 3]);
}

/// Threads that share a table open, copy and close; a call that was blocked through a number that
/// is closed under it always ends, and no description is lost.
#[test]
fn threads_share_a_table() {
    let _watchdog = watchdog("threads_share_a_table");
    let ends = &Arc::new(AtomicUsize::new(0));
    let device = &Device::new();
    let files = &device.files();
    const ROUNDS: usize = 3_000;
    scope(|scope| {
        for _ in 0..3 {
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let number = files.install(counted(ends), false).expect("there is room");
                    let open = files.get(number).expect("nobody else closes it");
                    let copy = files.dup(number).expect("there is room");
                    assert_eq!(files.close(number), Ok(()));
                    let call = device.call(Block::FOREVER.through(&open));
                    assert_eq!(call, Err(Errno::BadFd));
                    assert_eq!(files.close(copy), Ok(()));
                }
            });
        }
    });
    assert_eq!(ends.load(Ordering::Relaxed), 3 * ROUNDS);
    assert!(files.is_empty());
    scope(|scope| {
        for _ in 0..300 {
            let number = files.install(file(), false).expect("there is room");
            let open = files.get(number).expect("it is open");
            let call = scope.spawn(move || device.call(Block::FOREVER.through(&open)));
            assert_eq!(files.close(number), Ok(()));
            until("it is over", || call.is_finished());
            assert_eq!(ended(call), Err(Errno::BadFd));
        }
    });
}
