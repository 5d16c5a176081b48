//! `ci`: what a merge needs beyond the README's tests, which `.ci/run` runs by themselves.

use crate::step::Step;
use crate::{
    browser, check, cinstall, examples, features, fuzz, loom, miri, msrv, mutants, nostd,
    orderings, package, plants, portable,
};
use crate::{sanitize, shuttle, valgrind};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Add what takes longer: cargo-c, Miri, the sanitizers, valgrind, the fuzz targets, weakened
    /// orderings, planted bugs, and changed code.
    #[arg(long)]
    full: bool,
}

pub(crate) fn steps(args: &Args) -> Vec<Step> {
    let mut steps = check::steps();
    steps.extend(examples::steps());
    steps.extend(features::steps());
    steps.extend(portable::steps());
    steps.extend(loom::steps());
    steps.extend(shuttle::steps(&shuttle::Args::default()));
    steps.extend(nostd::steps());
    steps.extend(msrv::steps());
    steps.extend(package::steps());
    steps.extend(browser::steps(browser::Args::default()));
    if args.full {
        steps.extend(cinstall::steps());
        steps.extend(miri::steps(&miri::Args::default()));
        steps.extend(fuzz::steps(&fuzz::Args::default()));
        steps.extend(sanitize::steps(&sanitize::Args::default()));
        steps.extend(valgrind::steps());
        steps.extend(orderings::steps(orderings::Args::default()));
        steps.extend(plants::steps(plants::Args::default()));
        steps.extend(mutants::steps(mutants::Args::default()));
    }
    steps
}
