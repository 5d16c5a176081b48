//! `slotpark run`: what programs see of it, which is nothing, and what it reports.

mod futexes;
mod real_programs;
mod refusals;
mod tools;
mod transparent;
