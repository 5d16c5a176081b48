//! `examples`: the programs that show the library at work, run one after the other. Each asserts
//! what it shows.

use crate::repo::run;
use crate::step::{Outcome, Step};

const EXAMPLES: [&str; 5] = [
    "thread_and_task",
    "tokio_tasks",
    "smol_tasks",
    "cancellation_storm",
    "parking_spot",
];

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("examples", |repo| {
        for example in EXAMPLES {
            let args = ["run", "-p", "slotpark", "--release", "--example", example];
            run(&mut repo.cargo(&args))?;
        }
        Ok(Outcome::Done)
    })]
}
