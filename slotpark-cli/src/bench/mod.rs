//! `slotpark bench`: workloads as data files, engines as adapters, and a report that says how sure
//! it is.

mod definition;
mod draws;
mod outside;
mod pace;
mod registry;
mod request;
mod resample;
mod shape;
mod shapes;
