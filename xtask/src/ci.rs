//! `ci`: what a merge needs beyond the README's tests, which `.ci/run` runs by themselves.

use crate::step::Step;
use crate::{check, loom, miri, msrv, nostd, orderings, package, portable};
use crate::{sanitize, shuttle, valgrind};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Add what takes longer: Miri, the sanitizers, valgrind, and the engine with weakened
    /// orderings.
    #[arg(long)]
    full: bool,
}

pub(crate) fn steps(args: &Args) -> Vec<Step> {
    let mut steps = check::steps();
    steps.extend(portable::steps());
    steps.extend(loom::steps());
    steps.extend(shuttle::steps(&shuttle::Args::default()));
    steps.extend(nostd::steps());
    steps.extend(msrv::steps());
    steps.extend(package::steps());
    if args.full {
        steps.extend(miri::steps(&miri::Args::default()));
        steps.extend(sanitize::steps(&sanitize::Args::default()));
        steps.extend(valgrind::steps());
        steps.extend(orderings::steps(orderings::Args::default()));
    }
    steps
}
