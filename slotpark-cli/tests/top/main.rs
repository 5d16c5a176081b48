//! `slotpark top` and `slotpark inspect`, driven as a person would: by keys, in a terminal.

mod errors;
#[expect(
    clippy::duplicate_mod,
    reason = "the same snapshots as in the tests of the views"
)]
#[path = "../../src/top/fixture.rs"]
mod fixture;
mod live;
mod programs;
mod screen;
mod tools;
mod views;
