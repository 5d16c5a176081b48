//! The thread that serves a socket.
//!
//! **Lock order.** None is held while it looks at tables.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::connect::is_dead;
use super::options::ServeOptions;
use super::readers::{Reader, Shared};
use super::{folder, protocol::REQUEST_MAX};
use crate::background::spawn;

/// Opens a socket and serves it until the returned value is dropped.
///
/// The socket can be used by this user (and root) only. A socket that a dead process left at the
/// same place is replaced. The thread that serves it takes no signals; a child of a fork has no
/// such thread, and leaves its parent's socket alone.
///
/// # Errors
/// If there is no place for it: no folder of this user's alone, or one that is served already; or
/// if the system gives no thread.
///
/// ```
/// use slotpark_inspect::socket::{ServeOptions, serve};
/// let folder = tempfile::tempdir().unwrap();
/// let options = ServeOptions::default().with_path(folder.path().join("me"));
/// let server = serve(&options).unwrap();
/// assert!(server.path().exists());
/// assert_eq!(serve(&options).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
/// ```
pub fn serve(options: &ServeOptions) -> io::Result<Server> {
    let (listener, path) = open(options)?;
    let server = start(listener, options);
    server
        .map(|(stop, thread)| Server {
            path: path.clone(),
            stop,
            thread: Some(thread),
            process: std::process::id(),
        })
        .inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
}

fn open(options: &ServeOptions) -> io::Result<(UnixListener, PathBuf)> {
    if let Some(path) = &options.path {
        return Ok((bind(path)?, path.clone()));
    }
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for folder in folder::folders() {
        let path = folder.join(folder::file(std::process::id()));
        match folder::make(&folder).and_then(|()| bind(&path)) {
            Ok(listener) => return Ok((listener, path)),
            // Served already, in this process: not in a second place too.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let bound = UnixListener::bind(path).or_else(|error| {
        let is_left = error.kind() == io::ErrorKind::AddrInUse && is_dead(path);
        if !is_left {
            return Err(error);
        }
        fs::remove_file(path)?;
        UnixListener::bind(path)
    });
    let listener = bound?;
    let closed = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
    closed
        .and_then(|()| listener.set_nonblocking(true))
        .inspect_err(|_| {
            let _ = fs::remove_file(path);
        })?;
    Ok(listener)
}

fn start(
    listener: UnixListener,
    options: &ServeOptions,
) -> io::Result<(UnixStream, JoinHandle<()>)> {
    let (stop, stopped) = UnixStream::pair()?;
    let serving = Serving {
        listener,
        stopped,
        readers: Vec::new(),
        readers_max: options.readers_max,
        idle_max: options.idle_max,
        shared: Shared::new(options.shared_for),
        accepts_from: None,
    };
    Ok((stop, spawn("slotpark-look", move || serving.run())?))
}

/// A socket that is served.
///
/// Dropped, it closes the socket, sends all readers away, and waits for its thread: no longer than
/// one look takes.
///
/// ```
/// # use slotpark_inspect::socket::{ServeOptions, serve};
/// let folder = tempfile::tempdir().unwrap();
/// let server = serve(&ServeOptions::default().with_path(folder.path().join("me"))).unwrap();
/// println!("slotpark top --socket {}", server.path().display());
/// ```
#[must_use = "the socket is closed when this is dropped"]
pub struct Server {
    path: PathBuf,
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Server {
    /// Where the socket is.
    ///
    /// ```
    /// # use slotpark_inspect::socket::{ServeOptions, serve};
    /// let folder = tempfile::tempdir().unwrap();
    /// let path = folder.path().join("me");
    /// let server = serve(&ServeOptions::default().with_path(&path)).unwrap();
    /// assert_eq!(server.path(), path);
    /// ```
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // In a child of a fork the thread is not there, and the file is the parent's.
        if self.process != std::process::id() {
            return;
        }
        let _ = fs::remove_file(&self.path);
        let _ = self.stop.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.path).finish()
    }
}

struct Serving {
    listener: UnixListener,
    stopped: UnixStream,
    readers: Vec<Reader>,
    readers_max: usize,
    idle_max: Duration,
    shared: Shared,
    /// After a failure to accept, such as too many open files: not before this.
    accepts_from: Option<Instant>,
}

impl Serving {
    fn run(mut self) {
        while let Some(ready) = self.sleep() {
            let mut readers = ready.readers.into_iter();
            let shared = &mut self.shared;
            self.readers
                .retain_mut(|reader| !readers.next().unwrap_or(false) || reader.go_on(shared));
            let idle_max = self.idle_max;
            self.readers
                .retain(|reader| reader.heard.elapsed() < idle_max);
            if ready.listener {
                self.accept();
            }
            self.shared.forget_old();
        }
    }

    /// Waits until there is something to do; `None`: the end.
    fn sleep(&mut self) -> Option<Ready> {
        let accepts = self.accepts_from.is_none_or(|from| from <= Instant::now());
        let listens = if accepts {
            PollFlags::POLLIN
        } else {
            PollFlags::empty()
        };
        let mut fds = vec![
            PollFd::new(self.stopped.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.listener.as_fd(), listens),
        ];
        let readers = self.readers.iter();
        fds.extend(readers.map(|reader| PollFd::new(reader.fd(), reader.wanted())));
        let until = self
            .readers
            .iter()
            .map(|reader| reader.heard + self.idle_max);
        let until = until.chain(self.accepts_from.filter(|_| !accepts)).min();
        let timeout = until.map_or(PollTimeout::NONE, |until| {
            let left = until.saturating_duration_since(Instant::now());
            // Rounded up, or it would come too early and go round.
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return None,
        }
        let is_ready = |fd: &PollFd<'_>| fd.revents().is_none_or(|found| !found.is_empty());
        if is_ready(&fds[0]) {
            return None;
        }
        Some(Ready {
            listener: is_ready(&fds[1]),
            readers: fds[2..].iter().map(is_ready).collect(),
        })
    }

    fn accept(&mut self) {
        self.accepts_from = None;
        match self.listener.accept() {
            Ok((stream, _)) => {
                let Ok(reader) = Reader::new(stream) else {
                    return;
                };
                if self.readers.len() < self.readers_max {
                    self.readers.push(reader);
                } else {
                    reader.refuse();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.accepts_from = Some(Instant::now() + ACCEPT_REST),
        }
    }
}

const ACCEPT_REST: Duration = Duration::from_millis(100);

struct Ready {
    listener: bool,
    readers: Vec<bool>,
}

// A request fits what a reader keeps.
const _: () = assert!(REQUEST_MAX >= "snapshot\n".len());
