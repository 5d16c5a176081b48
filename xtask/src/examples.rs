//! `examples`: the programs that show the library at work, run one after the other. Each asserts
//! what it shows.

use crate::repo::run;
use crate::step::{Outcome, Step};

const EXAMPLES: [(&str, &str); 7] = [
    ("slotpark", "thread_and_task"),
    ("slotpark", "tokio_tasks"),
    ("slotpark", "smol_tasks"),
    ("slotpark", "cancellation_storm"),
    ("slotpark", "parking_spot"),
    ("slotpark-managers", "tiny_kernel"),
    ("slotpark-inspect", "lock_order"),
];

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("examples", |repo| {
        for (package, example) in EXAMPLES {
            let args = ["run", "-p", package, "--release", "--example", example];
            run(&mut repo.cargo(&args))?;
        }
        Ok(Outcome::Done)
    })]
}
