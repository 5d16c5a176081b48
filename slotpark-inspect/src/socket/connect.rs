//! Connecting, without waiting for who listens: it may be a child of a fork that has the socket and
//! nobody to serve it.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_to, socket,
};

/// A connection, or an error at once: `WouldBlock` if too many wait to be accepted.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let address = UnixAddr::new(path)?;
    let (family, kind) = (AddressFamily::Unix, SockType::Stream);
    let stream = UnixStream::from(socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?);
    stream.set_nonblocking(true)?;
    connect_to(stream.as_raw_fd(), &address)?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Whether nobody listens at a socket: who bound it has gone.
pub(super) fn is_dead(path: &Path) -> bool {
    // Any other file refuses a connection too.
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let refused = io::ErrorKind::ConnectionRefused;
    is_socket && connect(path).is_err_and(|error| error.kind() == refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn nobody_waits_to_be_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full");
        let listener = UnixListener::bind(&path).unwrap();
        let mut waiting = Vec::new();
        let error = loop {
            match connect(&path) {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
        };
        // As many as the system lets wait, or as this process may have files.
        assert!(!waiting.is_empty());
        assert_ne!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(!is_dead(&path));
        drop(listener);
        drop(waiting);
        assert!(is_dead(&path));
    }
}
