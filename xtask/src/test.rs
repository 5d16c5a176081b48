//! `test`: every test and documentation test on stable, which is also the README's test command.

use crate::repo::run_tests;
use crate::step::{Outcome, Step};

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("test", |repo| {
        run_tests(&mut repo.cargo(&["test", "--workspace"]))?;
        Ok(Outcome::Done)
    })]
}
