//! A program that does not hang, and is told that it could: a thread and a task, one after the
//! other, take the same two kinds of locks in opposite orders.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use slotpark::{KeyedMutex, KeyedRwLock, task_label};
use slotpark_inspect::{LockOrder, register, watch_lock_order};

fn main() -> io::Result<()> {
    let found = Arc::new(Mutex::new(0));
    let count = Arc::clone(&found);
    let order = LockOrder::new(move |inversion| {
        println!("{inversion}");
        *count.lock().expect("no panic") += 1;
    });
    let _watch = watch_lock_order(&Arc::new(order))?;
    let accounts = Arc::new(KeyedMutex::<u32>::new());
    let pages = Arc::new(KeyedRwLock::<u64>::new());
    let _names = (register("accounts", &accounts), register("pages", &pages));

    let transfer = std::thread::spawn({
        let (accounts, pages) = (Arc::clone(&accounts), Arc::clone(&pages));
        move || {
            let _account = accounts.lock(7);
            let _page = pages.write(0x2000);
        }
    });
    transfer.join().expect("it goes on");
    let report = pin!(task_label("report", async {
        for account in 7..100 {
            let _page = pages.read_async(0x1000).await;
            let _account = accounts.lock_async(account).await;
        }
    }));
    // All is free: it needs no runtime.
    let polled = report.poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_ready());
    let found = *found.lock().expect("no panic");
    assert_eq!(found, 1, "once, however often it is done");
    Ok(())
}
