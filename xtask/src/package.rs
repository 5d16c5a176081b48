//! `package`: the publishable crates pack as `cargo publish` would pack them.

use crate::repo::run;
use crate::step::{Outcome, Step};

const PUBLISHED: [&str; 8] = [
    "slotpark-core",
    "slotpark",
    "slotpark-capi",
    "slotpark-managers",
    "slotpark-report",
    "slotpark-inspect",
    "slotpark-preload",
    "slotpark-cli",
];

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("package", |repo| {
        // Packing is what is tested here; that the crates build is known from other steps.
        let mut command = repo.cargo(&["package", "--no-verify", "--allow-dirty"]);
        for crate_name in PUBLISHED {
            command.args(["-p", crate_name]);
        }
        run(&mut command)?;
        Ok(Outcome::Done)
    })]
}
