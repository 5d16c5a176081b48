//! Plots as SVG: lines over an axis, and intervals beside a line at 1.

mod canvas;
mod forest;
mod lines;
mod scale;
mod ticks;

pub(crate) use forest::{Row, forest};
pub(crate) use lines::{Axes, Curve, lines};
pub(crate) use scale::{Scale, percentile};
