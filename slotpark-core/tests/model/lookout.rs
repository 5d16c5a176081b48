//! Wakers look at the table when they are called: the choice of a wake is one moment, made by then.

use std::cell::RefCell;

use crate::host;
use crate::program::KEYS;

/// How many wait for each key.
pub(crate) type Counts = [usize; KEYS as usize];

#[derive(Default)]
struct Lookout {
    count: Option<Box<dyn Fn() -> Counts>>,
    found: Vec<Counts>,
}

thread_local! {
    static LOOKOUT: RefCell<Lookout> = RefCell::default();
}

/// A program begins, on a table whose waiters this counts.
pub(crate) fn begin(count: impl Fn() -> Counts + 'static) {
    LOOKOUT.set(Lookout {
        count: Some(Box::new(count)),
        found: Vec::new(),
    });
}

/// Looks at the table now.
pub(crate) fn look() {
    LOOKOUT.with_borrow_mut(|lookout| {
        let found = lookout.count.as_ref();
        let found = found.map(host::undisturbed);
        lookout.found.extend(found);
    });
}

/// What was found since this was called last.
pub(crate) fn found() -> Vec<Counts> {
    LOOKOUT.with_borrow_mut(|lookout| std::mem::take(&mut lookout.found))
}
