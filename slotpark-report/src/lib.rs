//! What a run of `slotpark bench` measured, and how it is shown.
//!
//! [`Report`] is the versioned schema: what `--json` prints and what lies under `bench/record/`.

#![forbid(unsafe_code)]

mod schema;

pub use schema::{
    Axis, Bucket, Comparison, Histogram, Interval, Loop, Machine, Measured, Metric, Report, SCHEMA,
    Series, Target, Unit, Verdict, Workload,
};
