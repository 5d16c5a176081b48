//! A program that hangs for ever, to be looked at: `deadlock threads`, `tasks` or `mixed`.
//!
//! Two transfers take two accounts in opposite orders and wait for each other; an audit waits
//! behind them. It ends when its standard input does.

use std::future::Future;
use std::io::{self, Read};
use std::sync::{Arc, Barrier};
use std::thread;

use slotpark::{KeyedMutex, LockOptions, task_label};
use slotpark_inspect::socket::{ServeOptions, serve};
use slotpark_inspect::{Detail, register, set_detail};

/// An account by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Account(u32);

type Accounts = Arc<KeyedMutex<Account>>;

fn main() -> io::Result<()> {
    set_detail(Detail::Full);
    let accounts: Accounts = Arc::new(KeyedMutex::new().with_key_text());
    let _shown = register("accounts", &accounts);
    let _server = serve(&ServeOptions::default())?;
    match std::env::args().nth(1).as_deref() {
        Some("tasks") => tasks(&accounts),
        Some("mixed") => mixed(&accounts),
        _ => threads(&accounts),
    }
    println!("slotpark top {}", std::process::id());
    io::stdin().read_to_end(&mut Vec::new())?;
    // The threads wait for ever.
    std::process::exit(0);
}

fn named(name: &str, run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).expect("there is room for a thread");
}

/// Waits until so many wait for this account.
fn until_waited_for(accounts: &Accounts, account: Account, count: usize) {
    while accounts.waiters(&account) < count {
        thread::yield_now();
    }
}

/// Takes one account, and when everybody has one, another.
fn transfer(accounts: &Accounts, from: Account, to: Account, all_have_one: &Barrier) {
    let _from = accounts
        .lock_with(from, LockOptions::new().label("from"))
        .expect("there is no deadline");
    all_have_one.wait();
    let _to = accounts.lock(to);
}

fn transfer_thread(
    name: &str,
    accounts: &Accounts,
    (from, to): (Account, Account),
    all_have_one: &Arc<Barrier>,
) {
    let (accounts, all_have_one) = (Arc::clone(accounts), Arc::clone(all_have_one));
    named(name, move || transfer(&accounts, from, to, &all_have_one));
}

/// The same as a task on a thread of its own.
fn transfer_task(
    name: &'static str,
    accounts: &Accounts,
    (from, to): (Account, Account),
    all_have_one: &Arc<Barrier>,
) {
    let (accounts, all_have_one) = (Arc::clone(accounts), Arc::clone(all_have_one));
    let task = async move {
        let _from = accounts.lock_async(from).await;
        all_have_one.wait();
        let _to = accounts.lock_async(to).await;
    };
    run_task(name, task);
}

fn run_task(name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    named("executor", move || {
        futures_lite::future::block_on(task_label(name, task));
    });
}

fn threads(accounts: &Accounts) {
    let all_have_one = Arc::new(Barrier::new(2));
    transfer_thread("rent", accounts, (Account(7), Account(9)), &all_have_one);
    transfer_thread("salary", accounts, (Account(9), Account(7)), &all_have_one);
    behind(accounts);
}

fn tasks(accounts: &Accounts) {
    let all_have_one = Arc::new(Barrier::new(2));
    transfer_task("rent", accounts, (Account(7), Account(9)), &all_have_one);
    transfer_task("salary", accounts, (Account(9), Account(7)), &all_have_one);
    behind(accounts);
}

fn mixed(accounts: &Accounts) {
    let all_have_one = Arc::new(Barrier::new(2));
    transfer_thread("rent", accounts, (Account(7), Account(9)), &all_have_one);
    transfer_task("salary", accounts, (Account(9), Account(7)), &all_have_one);
    behind(accounts);
}

/// One more, who is in no circle.
fn behind(accounts: &Accounts) {
    for account in [Account(7), Account(9)] {
        until_waited_for(accounts, account, 1);
    }
    let own = Arc::clone(accounts);
    named("audit", move || drop(own.lock(Account(9))));
    until_waited_for(accounts, Account(9), 2);
}
