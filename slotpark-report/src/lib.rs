//! What a run of `slotpark bench` measured, and how it is shown.
//!
//! [`Report`] is the versioned schema: what `--json` prints and what lies under `bench/record/`.
//! [`csv`], [`markdown`] and [`html`] show it; [`check`] compares two by their ratios. [`page`] is
//! the frame of every page of this project.

#![forbid(unsafe_code)]

mod amount;
mod check;
mod csv;
mod find;
mod grid;
mod html;
mod markdown;
mod names;
pub mod page;
mod place;
mod plot;
mod read;
mod schema;
mod sections;
mod tables;

pub use amount::{amount, short};
pub use check::{Finding, FindingKind, check};
pub use csv::csv;
pub use grid::{Cell, Grid, Tone};
pub use html::html;
pub use markdown::markdown;
pub use place::Place;
pub use read::ReadError;
pub use schema::{
    Axis, Bucket, Comparison, Histogram, Interval, Limit, Loop, Machine, Measured, Metric, Report,
    SCHEMA, Series, Target, Unit, Verdict, Workload,
};
pub use sections::{Section, sections};
