//! `cinstall`: empty for now.
use crate::step::Step;
pub(crate) fn steps() -> Vec<Step> {
    Vec::new()
}
