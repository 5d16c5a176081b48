//! `slotpark bench`: workloads as data files, engines as adapters, and a report that says how sure
//! it is.

mod pace;
mod request;
mod shape;
