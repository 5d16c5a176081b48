//! `slotpark run`: what programs see of it, which is nothing, and what it reports.

mod futexes;
mod inspected;
mod real_programs;
mod refusals;
mod suites;
mod tools;
mod transparent;
