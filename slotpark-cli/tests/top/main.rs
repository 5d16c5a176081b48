//! `slotpark top` and `slotpark inspect`, driven as a person would: by keys, in a terminal.

mod errors;
#[path = "../../src/top/fixture.rs"]
mod fixture;
mod live;
mod programs;
mod screen;
mod tools;
mod views;
