//! Looking at another process through its socket.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::connect::{connect, is_dead};
use super::folder;
use super::protocol::{ANSWER_MAX, Answer, Request, Version};
use crate::{ReadError, Snapshot};

/// How long an answer may take, all of it.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// A connection to the socket of a process.
///
/// ```no_run
/// use slotpark_inspect::socket::Client;
/// let mut client = Client::connect(4711)?;
/// println!("{} tables", client.snapshot()?.tables.len());
/// # Ok::<(), slotpark_inspect::socket::ClientError>(())
/// ```
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    path: PathBuf,
}

impl Client {
    /// To the process with this number, of this user, at one of the usual places.
    ///
    /// # Errors
    /// If it has no socket there: it is not there, or has not called
    /// [`serve`](crate::socket::serve).
    ///
    /// ```
    /// use slotpark_inspect::socket::Client;
    /// let error = Client::connect(u32::MAX).unwrap_err();
    /// assert!(error.to_string().starts_with("process 4294967295 has no socket"));
    /// ```
    pub fn connect(process: u32) -> Result<Self, ClientError> {
        for folder in folder::folders() {
            let path = folder.join(folder::file(process));
            if folder::check(&folder).is_ok() && path.exists() {
                return Self::open(path);
            }
        }
        Err(ClientError::NoSocket(process))
    }

    /// To the socket at this place.
    ///
    /// # Errors
    /// If there is none, or nobody listens.
    ///
    /// ```
    /// use slotpark_inspect::socket::Client;
    /// assert!(Client::open("/nowhere").is_err());
    /// ```
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ClientError> {
        let path = path.into();
        let stream = connect(&path);
        let stream = stream.map_err(|error| ClientError::Connect(path.clone(), error))?;
        Ok(Self { stream, path })
    }

    /// Where the socket is.
    ///
    /// ```no_run
    /// let client = slotpark_inspect::socket::Client::connect(4711)?;
    /// println!("{}", client.path().display());
    /// # Ok::<(), slotpark_inspect::socket::ClientError>(())
    /// ```
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What serves the socket.
    ///
    /// # Errors
    /// If the process ends, takes longer than 10 s, or answers what is no answer.
    ///
    /// ```no_run
    /// let version = slotpark_inspect::socket::Client::connect(4711)?.version()?;
    /// println!("{} ({})", version.program, version.version);
    /// # Ok::<(), slotpark_inspect::socket::ClientError>(())
    /// ```
    pub fn version(&mut self) -> Result<Version, ClientError> {
        match self.ask(Request::Version)? {
            Answer::Version(version) => Ok(version),
            other => Err(refused(other)),
        }
    }

    /// What there is in the process's tables, now or within the time that a snapshot is shared: who
    /// wants two that differ compares [`at_ns`](Snapshot::at_ns).
    ///
    /// # Errors
    /// As [`version`](Self::version); also if the snapshot is of a greater schema.
    ///
    /// ```no_run
    /// let snapshot = slotpark_inspect::socket::Client::connect(4711)?.snapshot()?;
    /// println!("{}", snapshot.to_json());
    /// # Ok::<(), slotpark_inspect::socket::ClientError>(())
    /// ```
    pub fn snapshot(&mut self) -> Result<Snapshot, ClientError> {
        match self.ask(Request::Snapshot)? {
            Answer::Snapshot(snapshot) => Ok(snapshot),
            other => Err(refused(other)),
        }
    }

    fn ask(&mut self, request: Request) -> Result<Answer, ClientError> {
        let until = Instant::now() + ANSWER_TIME;
        self.stream.set_write_timeout(Some(ANSWER_TIME))?;
        // Who was sent away finds a reason to read, even where it can no longer write.
        let sent = self.stream.write_all(request.line().as_bytes());
        match self.read_line(until) {
            Ok(line) => Ok(Answer::parse(&line)?),
            Err(error) => Err(sent.err().unwrap_or(error).into()),
        }
    }

    fn read_line(&mut self, until: Instant) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut bytes = vec![0; 1 << 16];
        while line.last() != Some(&b'\n') {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => line.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if line.len() > ANSWER_MAX {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the answer is longer than {ANSWER_MAX} bytes"),
                ));
            }
        }
        Ok(line)
    }
}

fn refused(answer: Answer) -> ClientError {
    match answer {
        Answer::Error(text) => ClientError::Refused(text),
        _ => ClientError::Refused("the answer is to another question".into()),
    }
}

/// Why a process cannot be looked at.
///
/// ```
/// use slotpark_inspect::socket::{Client, ClientError};
/// assert!(matches!(Client::open("/nowhere"), Err(ClientError::Connect(..))));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The process with this number has no socket at the usual places.
    NoSocket(u32),
    /// Nobody listens at this place.
    Connect(PathBuf, io::Error),
    /// The connection ended, or took too long.
    Io(io::Error),
    /// What came was no answer.
    Read(ReadError),
    /// The answer is that there is none.
    Refused(String),
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ReadError> for ClientError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSocket(process) => {
                let folders = folder::folders();
                let folders = folders.iter().map(|path| path.display().to_string());
                let folders = folders.collect::<Vec<_>>().join(" or ");
                write!(f, "process {process} has no socket in {folders}")
            }
            Self::Connect(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Io(error) => write!(f, "the process gave no whole answer: {error}"),
            Self::Read(error) => write!(f, "the process answered what is {error}"),
            Self::Refused(text) => write!(f, "the process refused: {text}"),
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect(_, error) | Self::Io(error) => Some(error),
            Self::Read(error) => Some(error),
            Self::NoSocket(_) | Self::Refused(_) => None,
        }
    }
}

/// A process that can be looked at.
///
/// ```
/// for live in slotpark_inspect::socket::list() {
///     println!("{} at {}", live.process, live.path.display());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Live {
    /// Its number.
    pub process: u32,
    /// Where its socket is.
    pub path: PathBuf,
}

/// This user's processes that have a socket at the usual places, in the order of their numbers.
/// Sockets that dead processes left are removed.
///
/// ```
/// let processes = slotpark_inspect::socket::list();
/// assert!(processes.is_sorted_by_key(|live| live.process));
/// ```
#[must_use]
pub fn list() -> Vec<Live> {
    let mut found = Vec::new();
    for folder in folder::folders() {
        if folder::check(&folder).is_ok() {
            found.extend(list_in(&folder));
        }
    }
    found.sort_by_key(|live| live.process);
    found
}

fn list_in(folder: &Path) -> Vec<Live> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let sockets = files.filter_map(|file| {
        let path = file.path();
        Some(Live {
            process: folder::process(&path)?,
            path,
        })
    });
    sockets.filter(is_live).collect()
}

/// Removes what a dead process left.
fn is_live(live: &Live) -> bool {
    if !is_dead(&live.path) {
        return connect(&live.path).is_ok();
    }
    let process = i32::try_from(live.process).ok().map(Pid::from_raw);
    if process.is_none_or(|process| kill(process, None).is_err()) {
        let _ = fs::remove_file(&live.path);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_a_dead_process_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let bind = |process: u32| UnixListener::bind(folder.path().join(folder::file(process)));
        // No process has this number: it is beyond Linux's greatest.
        drop(bind(0x7fff_ffff).unwrap());
        drop(bind(std::process::id()).unwrap());
        let live = bind(1).unwrap();
        let found = list_in(folder.path());
        assert_eq!(
            found.iter().map(|live| live.process).collect::<Vec<_>>(),
            [1]
        );
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(
            left, 2,
            "that of the dead process has gone, that of this one has not"
        );
        drop(live);
    }
}
