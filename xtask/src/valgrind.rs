//! `valgrind`: the stress program under memcheck, which needs no nightly.
//!
//! It sees less than AddressSanitizer, but takes seconds, so it runs everywhere: a step only for
//! machines without nightly would be run by nobody. Not helgrind or drd, which report correct code.

use crate::repo::{output, run};
use crate::step::{Outcome, Step};

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("valgrind", |repo| {
        if output(&mut repo.command("valgrind", &["--version"])).is_err() {
            return Ok(Outcome::Skipped("valgrind is not installed".into()));
        }
        run(&mut repo.cargo(&["build", "-p", "slotpark-cli"]))?;
        let program = repo.target().join("debug").join("slotpark");
        // Threads run one at a time; unfair turns would starve those that others wait for.
        let args = ["--error-exitcode=99", "--fair-sched=yes", "--quiet"];
        let mut command = repo.command("valgrind", &args);
        command.arg(program).args(["stress", "--threads", "4"]);
        run(command.args(["--seconds", "5", "--patience", "60"]))?;
        Ok(Outcome::Done)
    })]
}
