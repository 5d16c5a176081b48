//! `slotpark top` and `slotpark inspect`, driven as a person would: by keys, in a terminal.

mod errors;
mod live;
mod screen;
mod tools;
mod views;
