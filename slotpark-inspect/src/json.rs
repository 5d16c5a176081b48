//! A snapshot as JSON, and back.

use std::error::Error;
use std::fmt;

use serde::Deserialize;

use crate::{SCHEMA, Snapshot};

impl Snapshot {
    /// The snapshot as one line of JSON.
    ///
    /// ```
    /// let text = slotpark_inspect::Snapshot::take().to_json();
    /// assert!(text.starts_with(r#"{"schema":1,"#) && !text.contains('\n'));
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("maps of the schema have text for keys")
    }

    /// Reads what [`to_json`](Self::to_json) wrote, here or in another version of this crate:
    /// fields that it does not know are ignored, absent ones are empty.
    ///
    /// # Errors
    /// If it is no JSON, no snapshot, or of a greater schema than this crate knows.
    ///
    /// ```
    /// use slotpark_inspect::{ReadError, Snapshot};
    /// let taken = Snapshot::take();
    /// assert_eq!(Snapshot::from_json(&taken.to_json()).unwrap(), taken);
    /// let error = Snapshot::from_json(r#"{"schema": 99}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "a snapshot of schema 99; this reads 1 at most");
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.schema > SCHEMA {
            return Err(ReadError::Schema(head.schema));
        }
        Ok(serde_json::from_str(text)?)
    }
}

/// Why a text is no snapshot to this crate.
///
/// ```
/// use slotpark_inspect::{ReadError, Snapshot};
/// assert!(matches!(Snapshot::from_json("?"), Err(ReadError::Json(_))));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no JSON, or lacks a field.
    Json(serde_json::Error),
    /// It is of this schema, which is greater than [`SCHEMA`].
    Schema(u32),
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not a snapshot: {error}"),
            Self::Schema(found) => {
                write!(
                    f,
                    "a snapshot of schema {found}; this reads {SCHEMA} at most"
                )
            }
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Schema(_) => None,
        }
    }
}
