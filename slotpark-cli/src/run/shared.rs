//! The memory that the processes of the tree count in.
//!
//! A memory file, so that nothing stays behind whatever ends `slotpark`. The processes reach it by
//! the path of its descriptor in `/proc`, which is why it lives as long as `slotpark` waits. It is
//! read as a file once the program has ended, so no memory is shared on this side.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, memfd_create};

use super::layout;

#[derive(Debug)]
pub(super) struct Shared {
    file: File,
}

impl Shared {
    pub(super) fn new() -> io::Result<Self> {
        let file = File::from(memfd_create("slotpark-run", MemfdFlags::CLOEXEC)?);
        file.set_len(layout::BYTES as u64)?;
        file.write_all_at(&layout::MAGIC.to_ne_bytes(), 0)?;
        Ok(Self { file })
    }

    /// Where other processes open it.
    pub(super) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// The process ids of the rows, up to the first free one.
    pub(super) fn ids(&self) -> io::Result<Vec<u32>> {
        let mut bytes = [0; layout::ROWS * 4];
        self.file.read_exact_at(&mut bytes, layout::IDS_AT as u64)?;
        let ids = bytes
            .chunks_exact(4)
            .map(|id| id.try_into().map_or(0, u32::from_ne_bytes));
        Ok(ids.take_while(|&id| id != 0).collect())
    }

    /// The bytes of a row.
    pub(super) fn row(&self, index: usize) -> io::Result<[u8; layout::ROW_BYTES]> {
        let mut bytes = [0; layout::ROW_BYTES];
        let at = layout::ROWS_AT + index * layout::ROW_BYTES;
        self.file.read_exact_at(&mut bytes, at as u64)?;
        Ok(bytes)
    }
}
