//! What goes through the socket: a request is a line, an answer is a line of JSON.
//!
//! Requests are `version` and `snapshot`. An answer is an object with one field: `version`,
//! `snapshot` or `error`. A reader may ask again on the same connection, after the answer.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ReadError, SCHEMA, Snapshot};

/// The bytes of a request at most, with the end of its line.
///
/// ```
/// assert!("snapshot\n".len() <= slotpark_inspect::socket::protocol::REQUEST_MAX);
/// ```
pub const REQUEST_MAX: usize = 64;

/// The bytes of an answer that a client reads at most: 256 MiB, which is a million waits.
///
/// ```
/// assert_eq!(slotpark_inspect::socket::protocol::ANSWER_MAX, 256 << 20);
/// ```
pub const ANSWER_MAX: usize = 256 << 20;

/// What can be asked.
///
/// ```
/// use slotpark_inspect::socket::protocol::{Request, RequestError};
/// assert_eq!(Request::parse(b"version\r"), Ok(Request::Version));
/// assert_eq!(Request::parse(b"shutdown"), Err(RequestError::Unknown));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// What serves this socket.
    Version,
    /// What there is in the tables.
    Snapshot,
}

impl Request {
    /// Reads a request, without the end of its line.
    ///
    /// # Errors
    /// If it is none that is known, or longer than [`REQUEST_MAX`].
    ///
    /// ```
    /// use slotpark_inspect::socket::protocol::Request;
    /// assert_eq!(Request::parse(b"snapshot"), Ok(Request::Snapshot));
    /// ```
    pub fn parse(line: &[u8]) -> Result<Self, RequestError> {
        if line.len() >= REQUEST_MAX {
            return Err(RequestError::TooLong);
        }
        match line.trim_ascii_end() {
            b"version" => Ok(Self::Version),
            b"snapshot" => Ok(Self::Snapshot),
            _ => Err(RequestError::Unknown),
        }
    }

    /// Takes the first request out of what has come so far; `None` while it has no end.
    ///
    /// ```
    /// use slotpark_inspect::socket::protocol::Request;
    /// let mut come = b"version\nsnap".to_vec();
    /// assert_eq!(Request::take(&mut come), Some(Ok(Request::Version)));
    /// assert_eq!(Request::take(&mut come), None);
    /// assert_eq!(come, b"snap");
    /// ```
    pub fn take(come: &mut Vec<u8>) -> Option<Result<Self, RequestError>> {
        match come.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let request = Self::parse(&come[..end]);
                come.drain(..=end);
                Some(request)
            }
            None => (come.len() >= REQUEST_MAX).then_some(Err(RequestError::TooLong)),
        }
    }

    /// The request as it is sent.
    ///
    /// ```
    /// use slotpark_inspect::socket::protocol::Request;
    /// assert_eq!(Request::Snapshot.line(), "snapshot\n");
    /// ```
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::Version => "version\n",
            Self::Snapshot => "snapshot\n",
        }
    }
}

/// Why a line is no request.
///
/// ```
/// use slotpark_inspect::socket::protocol::RequestError;
/// assert_eq!(RequestError::TooLong.to_string(), "a request has 63 bytes at most");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// It asks for nothing that is known.
    Unknown,
    /// It has no end where one must be.
    TooLong,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("requests are `version` and `snapshot`"),
            Self::TooLong => write!(f, "a request has {} bytes at most", REQUEST_MAX - 1),
        }
    }
}

impl Error for RequestError {}

/// What serves a socket.
///
/// ```
/// use slotpark_inspect::socket::protocol::Version;
/// assert_eq!(Version::current().schema, slotpark_inspect::SCHEMA);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Version {
    /// Of this crate.
    pub version: String,
    /// Of its snapshots.
    pub schema: u32,
    /// The process's number.
    pub process: u32,
    /// What it runs.
    pub program: String,
}

impl Version {
    /// Of this process.
    ///
    /// ```
    /// use slotpark_inspect::socket::protocol::Version;
    /// assert_eq!(Version::current().process, std::process::id());
    /// ```
    #[must_use]
    pub fn current() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schema: SCHEMA,
            process: std::process::id(),
            program: crate::take::program(),
        }
    }
}

/// What is answered.
///
/// ```
/// use slotpark_inspect::socket::protocol::Answer;
/// let answer = Answer::parse(br#"{"error":"too many readers"}"#).unwrap();
/// assert_eq!(answer, Answer::Error("too many readers".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// To [`Request::Version`].
    Version(Version),
    /// To [`Request::Snapshot`].
    Snapshot(Snapshot),
    /// To what was no request, or could not be answered.
    Error(String),
}

impl Answer {
    /// The answer as it is sent.
    ///
    /// ```
    /// use slotpark_inspect::socket::protocol::Answer;
    /// assert_eq!(Answer::Error("no".into()).line(), "{\"error\":\"no\"}\n");
    /// ```
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("maps of the schema have text for keys");
        line.push('\n');
        line
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// If it is none, or a snapshot of a greater schema than this crate knows.
    ///
    /// ```
    /// use slotpark_inspect::socket::protocol::Answer;
    /// assert!(Answer::parse(b"\xff\x00garbage").is_err());
    /// ```
    pub fn parse(line: &[u8]) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            snapshot: Option<Schema>,
        }
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        let head: Head = serde_json::from_slice(line)?;
        match head.snapshot {
            Some(Schema { schema }) if schema > SCHEMA => Err(ReadError::Schema(schema)),
            _ => Ok(serde_json::from_slice(line)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_bounded() {
        let mut come = vec![b'x'; REQUEST_MAX];
        assert_eq!(Request::take(&mut come), Some(Err(RequestError::TooLong)));
        let mut come = vec![b'x'; REQUEST_MAX - 1];
        assert_eq!(Request::take(&mut come), None);
        assert_eq!(
            Request::parse(&[b' '; REQUEST_MAX]),
            Err(RequestError::TooLong)
        );
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let answers = [
            Answer::Version(Version::current()),
            Answer::Snapshot(Snapshot::of(&[])),
            Answer::Error("\"quoted\"\n".into()),
        ];
        for answer in answers {
            let line = answer.line();
            assert_eq!(line.matches('\n').count(), 1);
            assert_eq!(Answer::parse(line.as_bytes()).unwrap(), answer);
        }
    }

    #[test]
    fn a_snapshot_of_a_greater_schema_is_refused() {
        let line = format!(r#"{{"snapshot":{{"schema":{},"new":1}}}}"#, SCHEMA + 1);
        let error = Answer::parse(line.as_bytes()).unwrap_err();
        assert!(matches!(error, ReadError::Schema(_)), "{error}");
    }
}
