//! The host's message queues.

use std::ffi::CString;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use slotpark_managers::Access;

use super::{Outcome, number, returned};

/// How a queue is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) access: Access,
    /// O_CREAT, with room for so many messages of so many bytes.
    pub(crate) create: Option<(usize, usize)>,
    pub(crate) is_exclusive: bool,
    pub(crate) is_nonblocking: bool,
}

/// The host's descriptor.
#[derive(Debug)]
pub(crate) struct Host(libc::mqd_t);

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: it takes no pointers.
        unsafe { libc::mq_close(self.0) };
    }
}

fn c_name(name: &str) -> CString {
    CString::new(name).expect("no NUL")
}

impl Host {
    pub(crate) fn open(name: &str, how: Opened) -> Outcome<Self> {
        let mut flags = match how.access {
            Access::Read => libc::O_RDONLY,
            Access::Write => libc::O_WRONLY,
            Access::Both => libc::O_RDWR,
        };
        flags |= if how.is_nonblocking {
            libc::O_NONBLOCK
        } else {
            0
        };
        flags |= if how.is_exclusive { libc::O_EXCL } else { 0 };
        let name = c_name(name);
        let Some((messages, bytes)) = how.create else {
            // SAFETY: the name ends with NUL and lives during the call.
            return Self::made(unsafe { libc::mq_open(name.as_ptr(), flags) });
        };
        // SAFETY: it is a plain struct of numbers.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        attributes.mq_maxmsg = messages as libc::c_long;
        attributes.mq_msgsize = bytes as libc::c_long;
        flags |= libc::O_CREAT;
        let mode: libc::mode_t = 0o600;
        let of = &raw mut attributes;
        // SAFETY: name and attributes live during the call.
        Self::made(unsafe { libc::mq_open(name.as_ptr(), flags, mode, of) })
    }

    /// Makes one without attributes.
    pub(crate) fn open_usual(name: &str) -> Outcome<Self> {
        let (name, flags) = (c_name(name), libc::O_RDWR | libc::O_CREAT);
        let mode: libc::mode_t = 0o600;
        let usual = std::ptr::null::<libc::mq_attr>();
        // SAFETY: the name ends with NUL and lives during the call.
        Self::made(unsafe { libc::mq_open(name.as_ptr(), flags, mode, usual) })
    }

    fn made(descriptor: libc::mqd_t) -> Outcome<Self> {
        if descriptor < 0 {
            return Err(number(&io::Error::last_os_error()));
        }
        Ok(Self(descriptor))
    }

    pub(crate) fn unlink(name: &str) -> Outcome<()> {
        let name = c_name(name);
        // SAFETY: the name ends with NUL and lives during the call.
        returned(unsafe { libc::mq_unlink(name.as_ptr()) }).map(|_| ())
    }

    pub(crate) fn dup(&self) -> Self {
        // SAFETY: it takes no pointers.
        Self::made(unsafe { libc::dup(self.0) }).expect("a descriptor is free")
    }

    pub(crate) fn send(&self, bytes: &[u8], priority: u32) -> Outcome<()> {
        // SAFETY: it is a plain struct of numbers.
        let past: libc::timespec = unsafe { std::mem::zeroed() };
        let (begin, length) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: the bytes and the deadline live during the call.
        returned(unsafe { libc::mq_timedsend(self.0, begin, length, priority, &raw const past) })
            .map(|_| ())
    }

    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Outcome<(usize, u32)> {
        // SAFETY: it is a plain struct of numbers.
        let past: libc::timespec = unsafe { std::mem::zeroed() };
        let (begin, length) = (buffer.as_mut_ptr().cast(), buffer.len());
        let mut priority = 0;
        let (at, until) = (&raw mut priority, &raw const past);
        // SAFETY: the buffer, the priority and the deadline live during the call.
        let received = unsafe { libc::mq_timedreceive(self.0, begin, length, at, until) };
        let received = usize::try_from(received);
        let received = received.map_err(|_| number(&io::Error::last_os_error()))?;
        Ok((received, priority))
    }

    /// Flags, room, size, messages.
    pub(crate) fn attributes(&self) -> (bool, usize, usize, usize) {
        // SAFETY: it is a plain struct of numbers.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        // SAFETY: there is room for them during the call.
        let done = unsafe { libc::mq_getattr(self.0, &raw mut attributes) };
        assert_eq!(returned(done), Ok(0));
        let is_nonblocking = attributes.mq_flags & libc::c_long::from(libc::O_NONBLOCK) != 0;
        let numbers = [
            attributes.mq_maxmsg,
            attributes.mq_msgsize,
            attributes.mq_curmsgs,
        ];
        let [room, size, messages] = numbers.map(|value| value as usize);
        (is_nonblocking, room, size, messages)
    }

    pub(crate) fn set_nonblocking(&self, value: bool) -> bool {
        // SAFETY: they are plain structs of numbers.
        let [mut new, mut old]: [libc::mq_attr; 2] = unsafe { std::mem::zeroed() };
        new.mq_flags = if value { libc::O_NONBLOCK.into() } else { 0 };
        // SAFETY: both live during the call.
        let done = unsafe { libc::mq_setattr(self.0, &raw const new, &raw mut old) };
        assert_eq!(returned(done), Ok(0));
        old.mq_flags & libc::c_long::from(libc::O_NONBLOCK) != 0
    }

    /// Registers for a notification of which nothing is heard, or takes it back.
    pub(crate) fn notify(&self, is_wanted: bool) -> Outcome<()> {
        // SAFETY: it is a plain struct of numbers and null pointers.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_NONE;
        let event = if is_wanted {
            &raw const event
        } else {
            std::ptr::null()
        };
        // SAFETY: the event lives during the call.
        returned(unsafe { libc::syscall(libc::SYS_mq_notify, self.0, event) } as libc::c_int)
            .map(|_| ())
    }
}

/// A part of a name that nothing else on the host has.
pub(crate) fn prefix() -> String {
    static WORLDS: AtomicU32 = AtomicU32::new(0);
    let number = WORLDS.fetch_add(1, Ordering::Relaxed);
    format!("/slotpark-{}-{number}-", std::process::id())
}

/// Whether the host has message queues; else says so.
pub(crate) fn has_queues(test: &str) -> bool {
    let name = format!("{}probe", prefix());
    let how = Opened {
        access: Access::Both,
        create: Some((1, 1)),
        is_exclusive: false,
        is_nonblocking: true,
    };
    let opened = Host::open(&name, how);
    let _ = Host::unlink(&name);
    if let Err(errno) = opened.map(|_| ()) {
        crate::common::skip(test, &format!("mq_open fails with {errno}"));
        return false;
    }
    true
}
