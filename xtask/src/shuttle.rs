//! `shuttle`: random programs of several threads in random interleavings, against a naive model.

use crate::repo::run_tests;
use crate::step::{Outcome, Step};

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only the tests whose names contain this.
    name: Option<String>,
}

pub(crate) fn steps(args: &Args) -> Vec<Step> {
    let name = args.name.clone();
    vec![Step::new("shuttle", move |repo| {
        let args = [
            "test",
            "-p",
            "slotpark-core",
            "--release",
            "--test",
            "shuttle",
        ];
        let mut command = repo.cargo_with_cfg("slotpark_shuttle", &args);
        command.args(["--"]).args(&name);
        run_tests(&mut command)?;
        Ok(Outcome::Done)
    })]
}
