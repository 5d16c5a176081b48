//! A report as JSON, read and written.

use serde_json::Value;
use thiserror::Error;

use crate::{Report, SCHEMA};

/// Why a text is no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is not JSON at all.
    #[error("not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It is JSON, but does not say which form it has.
    #[error("no report: it has no number `schema`")]
    NoSchema,
    /// It is a report of another form.
    #[error("a report of schema {found}; this reader knows schema {SCHEMA}")]
    OtherSchema {
        /// The number that it has.
        found: u64,
    },
    /// It says that it has this form, and has not.
    #[error("at `{path}`: {reason}")]
    Form {
        /// Where, as in `workloads[2].series[0].points`.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

impl Report {
    /// Reads what [`to_json`](Self::to_json) or `slotpark bench --json` wrote. Fields that are not
    /// known are passed over.
    ///
    /// # Errors
    ///
    /// [`ReadError`] says what is wrong and where: no JSON, another schema, a missing or wrong
    /// field.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::{ReadError, Report};
    ///
    /// let error = Report::from_json(r#"{"schema": 7}"#).unwrap_err();
    /// assert!(matches!(error, ReadError::OtherSchema { found: 7 }));
    /// let error = Report::from_json(r#"{"schema": 1, "command": []}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "at `.`: missing field `seed`");
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let value: Value = serde_json::from_str(text).map_err(ReadError::NotJson)?;
        let schema = value.get("schema").and_then(Value::as_u64);
        let found = schema.ok_or(ReadError::NoSchema)?;
        if found != u64::from(SCHEMA) {
            return Err(ReadError::OtherSchema { found });
        }
        serde_path_to_error::deserialize(value).map_err(|error| ReadError::Form {
            path: error.path().to_string(),
            reason: error.inner().to_string(),
        })
    }

    /// The report as JSON, in lines; [`from_json`](Self::from_json) reads it again.
    ///
    /// # Panics
    ///
    /// Never: no part of a report is without a form in JSON.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::Report;
    ///
    /// # let text =
    /// #     include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
    /// let report = Report::from_json(text).expect("the sample is a report");
    /// let again = Report::from_json(&report.to_json()).expect("so is what is written of it");
    /// assert_eq!(again.seed, report.seed);
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has strings as keys")
    }
}
