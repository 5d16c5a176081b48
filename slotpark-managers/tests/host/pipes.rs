//! The host's pipes and FIFOs, never blocking.

use std::fs::{File, OpenOptions};
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use slotpark_managers::Access;

use super::{Outcome, number, returned};

fn own(descriptor: RawFd) -> OwnedFd {
    // SAFETY: the system has just made it, and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// An open end, and an epoll of its own that reports it by edges.
pub(crate) struct HostEnd {
    file: File,
    epoll: OwnedFd,
}

impl HostEnd {
    fn new(file: File, interest: u32) -> Self {
        // SAFETY: it takes no pointers.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        let epoll = own(epoll);
        let mut event = libc::epoll_event {
            events: interest | libc::EPOLLET as u32,
            u64: 0,
        };
        let (of, add) = (epoll.as_raw_fd(), libc::EPOLL_CTL_ADD);
        // SAFETY: the event lives during the call.
        let added = unsafe { libc::epoll_ctl(of, add, file.as_raw_fd(), &raw mut event) };
        assert_eq!(returned(added), Ok(0));
        Self { file, epoll }
    }

    pub(crate) fn dup(&self, interest: u32) -> Self {
        let file = self.file.try_clone().expect("a descriptor is free");
        Self::new(file, interest)
    }

    pub(crate) fn write(&self, slices: &[IoSlice<'_>]) -> Outcome {
        let written = (&self.file).write_vectored(slices);
        written.map_err(|error| number(&error))
    }

    pub(crate) fn read(&self, slices: &mut [IoSliceMut<'_>]) -> Outcome {
        let read = (&self.file).read_vectored(slices);
        read.map_err(|error| number(&error))
    }

    pub(crate) fn poll(&self) -> u16 {
        let mut poll = libc::pollfd {
            fd: self.file.as_raw_fd(),
            events: libc::POLLIN | libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: the one entry lives during the call.
        let count = unsafe { libc::poll(&raw mut poll, 1, 0) };
        assert_eq!(count, i32::from(poll.revents != 0));
        poll.revents as u16
    }

    /// What is new, as epoll has it; 0 if nothing is.
    pub(crate) fn edges(&self) -> u32 {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: there is room for the one event, and it lives during the call.
        let count = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), &raw mut event, 1, 0) };
        assert!((0..=1).contains(&count));
        event.events
    }

    pub(crate) fn capacity(&self) -> Outcome {
        // SAFETY: it takes no pointers.
        returned(unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_GETPIPE_SZ) })
    }

    pub(crate) fn set_capacity(&self, bytes: u32) -> Outcome {
        // SAFETY: it takes no pointers.
        returned(unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) })
    }

    pub(crate) fn unread(&self) -> Outcome {
        let mut count: libc::c_int = 0;
        // SAFETY: it writes one int, which lives during the call.
        let done = unsafe { libc::ioctl(self.file.as_raw_fd(), libc::FIONREAD, &raw mut count) };
        returned(done).map(|_| count as usize)
    }
}

pub(crate) fn pipe(interest: u32) -> (HostEnd, HostEnd) {
    let mut ends: [RawFd; 2] = [0; 2];
    let flags = libc::O_NONBLOCK | libc::O_CLOEXEC;
    // SAFETY: there is room for two.
    let made = unsafe { libc::pipe2(ends.as_mut_ptr(), flags) };
    assert_eq!(returned(made), Ok(0));
    let [reader, writer] = ends.map(|end| HostEnd::new(File::from(own(end)), interest));
    (reader, writer)
}

pub(crate) fn mkfifo(path: &Path) -> Outcome {
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: the path ends with NUL and lives during the call.
    returned(unsafe { libc::mkfifo(path.as_ptr(), 0o600) })
}

/// Opens a FIFO, not blocking.
pub(crate) fn open(path: &Path, access: Access, interest: u32) -> Outcome<HostEnd> {
    let mut options = OpenOptions::new();
    options.read(access.reads()).write(access.writes());
    let file = options.custom_flags(libc::O_NONBLOCK).open(path);
    let file = file.map_err(|error| number(&error))?;
    Ok(HostEnd::new(file, interest))
}
