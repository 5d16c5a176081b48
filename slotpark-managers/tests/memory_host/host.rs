//! The area on the host.

use std::fs::File;
use std::io::Error;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr;

use crate::calls::{Call, What};

/// Enough for all offsets.
const FILE_BYTES: u64 = 1 << 20;

/// Holds an area that nothing else is in, and gives it back.
pub(crate) struct Host {
    area: Range<u64>,
    files: [File; 2],
    read_only: [File; 2],
}

fn returned(result: i64) -> Result<u64, i32> {
    match result {
        -1 => Err(Error::last_os_error().raw_os_error().expect("of the host")),
        result => Ok(result as u64),
    }
}

impl Host {
    /// `None` if something is there.
    pub(crate) fn reserve(area: Range<u64>) -> Option<Self> {
        let files = [(); 2].map(|()| file());
        let read_only = files.each_ref().map(|file| {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            File::open(path).expect("it is open")
        });
        let host = Self {
            area,
            files,
            read_only,
        };
        if !host.lines().is_empty() {
            // What is there is not this one's to unmap.
            std::mem::forget(host);
            return None;
        }
        let (start, length) = (host.area.start, host.area.end - host.area.start);
        let what = What::Anonymous;
        let probe = host.map((start, length), libc::PROT_NONE, what, false);
        host.unmap(start, length).ok()?;
        (probe == Ok(start)).then_some(host)
    }

    fn map(
        &self,
        (start, length): (u64, u64),
        protection: i32,
        what: What,
        replaces: bool,
    ) -> Result<u64, i32> {
        let file = match what {
            What::Anonymous | What::SharedAnonymous => None,
            What::File { object, .. } | What::SharedFile { object, .. } => {
                Some(&self.files[object as usize])
            }
            What::SharedReadOnly { object, .. } => Some(&self.read_only[object as usize]),
        };
        let number = file.map_or(-1, AsRawFd::as_raw_fd);
        let offset = what.object().map_or(0, |(_, offset)| offset);
        let flags = libc::MAP_NORESERVE
            | if what.is_shared() {
                libc::MAP_SHARED
            } else {
                libc::MAP_PRIVATE
            }
            | if file.is_none() {
                libc::MAP_ANONYMOUS
            } else {
                0
            }
            | if replaces {
                libc::MAP_FIXED
            } else {
                libc::MAP_FIXED_NOREPLACE
            };
        let at = ptr::without_provenance_mut(start as usize);
        // SAFETY: where it can succeed it maps in the area, in which nothing else is.
        let mapped = unsafe {
            let offset = offset as libc::off_t;
            libc::mmap(at, length as usize, protection, flags, number, offset)
        };
        returned(mapped.addr() as i64)
    }

    fn unmap(&self, start: u64, length: u64) -> Result<u64, i32> {
        let at = ptr::without_provenance_mut(start as usize);
        // SAFETY: where it can succeed it unmaps in the area, to which nothing points.
        returned(unsafe { libc::munmap(at, length as usize) }.into())
    }

    pub(crate) fn make(&self, call: &Call) -> Result<u64, i32> {
        match *call {
            Call::Map {
                start,
                length,
                protection,
                what,
                replaces,
            } => self.map((start, length), protection.bits() as i32, what, replaces),
            Call::Unmap { start, length } => self.unmap(start, length),
            Call::Protect {
                start,
                length,
                protection,
            } => {
                let at = ptr::without_provenance_mut(start as usize);
                let bits = protection.bits() as i32;
                // SAFETY: it changes what is in the area, to which nothing points.
                returned(unsafe { libc::mprotect(at, length as usize, bits) }.into())
            }
        }
    }

    /// What is mapped in the area.
    pub(crate) fn lines(&self) -> Vec<String> {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("it can be read");
        let is_here = |line: &&str| {
            let start = line.split('-').next().expect("a line begins with a start");
            let start = u64::from_str_radix(start, 16).expect("it is a number");
            self.area.contains(&start)
        };
        maps.lines().filter(is_here).map(line).collect()
    }
}

/// A line without devices, numbers and names of files.
pub(crate) fn line(line: &str) -> String {
    let parts: Vec<&str> = line.split(' ').take(3).collect();
    parts.join(" ")
}

fn file() -> File {
    // SAFETY: the name is a C string.
    let number = unsafe { libc::memfd_create(c"object".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(number >= 0, "the host has files in memory");
    // SAFETY: the descriptor was made above, and is nobody else's.
    let file = unsafe { File::from_raw_fd(number) };
    file.set_len(FILE_BYTES).expect("there is room");
    file
}

impl Drop for Host {
    fn drop(&mut self) {
        let (start, end) = (self.area.start, self.area.end);
        self.unmap(start, end - start).expect("it is a valid range");
    }
}
