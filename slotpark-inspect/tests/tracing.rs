//! What is said through `tracing`, to a program's own subscriber.

mod common;

use std::fmt::{Debug, Write};
use std::sync::Mutex;

use common::watchdog::{until, watchdog};
use slotpark::KeyedMutex;
use slotpark_inspect::{LockOrder, Watchdog, register_static};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps events as lines.
struct Lines;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let about = event.metadata();
        let mut line = Line(format!("{} {}:", about.level(), about.target()));
        event.record(&mut line);
        LINES.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn find(start: &str, part: &str) -> bool {
    let lines = LINES.lock().unwrap();
    lines
        .iter()
        .any(|line| line.starts_with(start) && line.contains(part))
}

#[test]
fn what_goes_wrong_is_an_event_and_what_goes_well_is_none() {
    let _watchdog = watchdog("what goes wrong is an event");
    tracing::subscriber::set_global_default(Lines).unwrap();
    let locks = Box::leak(Box::new(KeyedMutex::<u64>::new().with_key_text()));
    register_static("traced", locks).keep();
    for key in 0..100 {
        drop(locks.lock(key));
    }
    assert!(LINES.lock().unwrap().is_empty());

    let dog = Watchdog::start(std::time::Duration::from_millis(4), |_| {}).unwrap();
    let held = locks.lock(7);
    std::thread::scope(|scope| {
        scope.spawn(|| drop(locks.lock(7)));
        until("the wait is told of", || {
            find("WARN slotpark:", "table=\"traced\" key=7 by=thread")
        });
        drop(held);
    });
    drop(dog);

    let order = LockOrder::new(|_| {});
    drop((order.ask("a"), order.ask("b")));
    drop((order.ask("b"), order.ask("a")));
    assert!(
        find("ERROR slotpark:", "possible deadlock"),
        "{:?}",
        LINES.lock().unwrap()
    );
}
