//! `portable`: the engine and the library on `std::thread::park` instead of the system's futex.

use crate::repo::run_tests;
use crate::step::{Outcome, Step};

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("portable", |repo| {
        let args = ["test", "-p", "slotpark-core", "-p", "slotpark"];
        run_tests(&mut repo.cargo_with_cfg("slotpark_portable", &args))?;
        Ok(Outcome::Done)
    })]
}
