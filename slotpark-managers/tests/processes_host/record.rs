//! What a side tells of a script, and the pipe by which a child tells it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;

/// Something that happened, as a kind and numbers. Written to a pipe as one piece, also by
/// handlers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record(pub(crate) [u64; 6]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Kind {
    /// A call has returned 0, or this errno.
    Returned,
    /// The action before: handler, flags, mask.
    Action,
    /// A set of signals: a mask before, or what is pending.
    Set,
    /// sigtimedwait: errno, signal, code, who, value.
    Taken,
    /// A handler runs: which, signal, code, who, and what it finds blocked.
    Handled,
    /// The parent has seen it stopped, and has continued it.
    Stopped,
    /// The parent has seen its end.
    Ended,
}

const KINDS: [Kind; 7] = [
    Kind::Returned,
    Kind::Action,
    Kind::Set,
    Kind::Taken,
    Kind::Handled,
    Kind::Stopped,
    Kind::Ended,
];

impl Record {
    pub(crate) fn new<const N: usize>(kind: Kind, numbers: [u64; N]) -> Self {
        let mut record = [0; 6];
        record[0] = kind as u64;
        record[1..=N].copy_from_slice(&numbers);
        Self(record)
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.0[0] == kind as u64
    }

    fn bytes(self) -> [u8; 48] {
        let mut bytes = [0; 48];
        for (chunk, number) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = KINDS.get(self.0[0] as usize);
        write!(f, "{kind:?} {:x?}", &self.0[1..])
    }
}

/// A pipe of records.
pub(crate) fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: pipe2(2) fills a place for two descriptors.
    let result = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the descriptor is new, and nobody else's.
    let read = unsafe { File::from_raw_fd(ends[0]) };
    // SAFETY: the descriptor is new, and nobody else's.
    let write = unsafe { File::from_raw_fd(ends[1]) };
    (read, write)
}

/// Async-signal-safe: one write(2).
pub(crate) fn send(mut to: &File, record: Record) {
    to.write_all(&record.bytes()).expect("the parent reads it");
}

/// All that were written; the other ends are closed.
pub(crate) fn receive(mut from: &File) -> Vec<Record> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).expect("a pipe can be read");
    let number = |chunk: &[u8]| u64::from_ne_bytes(chunk.try_into().expect("8 bytes"));
    let records = bytes.chunks_exact(48).map(|record| {
        let mut numbers = [0; 6];
        for (into, chunk) in numbers.iter_mut().zip(record.chunks_exact(8)) {
            *into = number(chunk);
        }
        Record(numbers)
    });
    records.collect()
}
