//! Pipes: slotpark's, the kernel's, a channel of blocks, and the least that blocking by key takes.

use std::array;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use dashmap::DashMap;
use slotpark::ShardedWait;
use slotpark_managers::{Block, PipeEnd, PipeManager, Waits};

use super::{KERNEL, SLOTPARK};
use crate::measure::Word;
use crate::measure::managers::{PipeEngine, TaskPipeEngine};

/// What a pipe has room for, wherever it can be chosen: what pipes have by default.
const CAPACITY: usize = 64 * 1024;

/// A pipe of a manager's.
#[derive(Debug)]
pub(crate) struct SlotparkPipe {
    manager: Arc<PipeManager>,
    reader: PipeEnd,
    writer: PipeEnd,
}

impl PipeEngine for SlotparkPipe {
    const NAME: &'static str = SLOTPARK;

    fn several<const N: usize>(_block_bytes: usize) -> [Self; N] {
        let manager = Arc::new(PipeManager::new(Arc::new(Waits::new())));
        array::from_fn(|_| {
            let (reader, writer) = manager.pipe();
            Self {
                manager: Arc::clone(&manager),
                reader,
                writer,
            }
        })
    }

    #[inline]
    fn write(&self, block: &[u8]) {
        let written = self.manager.write(self.writer, block, Block::FOREVER);
        assert_eq!(written, Ok(block.len()));
    }

    #[inline]
    fn read(&self, block: &mut [u8]) -> usize {
        let read = self.manager.read(self.reader, block, Block::FOREVER);
        read.expect("the pipe is open")
    }
}

impl TaskPipeEngine for SlotparkPipe {
    async fn read_async(&self, block: &mut [u8]) -> usize {
        let read = self.manager.read_async(self.reader, block).await;
        read.expect("the pipe is open")
    }
}

/// The kernel's: a system call for each read and write.
#[derive(Debug)]
pub(crate) struct KernelPipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl PipeEngine for KernelPipe {
    const NAME: &'static str = KERNEL;

    fn several<const N: usize>(_block_bytes: usize) -> [Self; N] {
        array::from_fn(|_| {
            let (reader, writer) = rustix::pipe::pipe().expect("the kernel has a pipe for us");
            Self { reader, writer }
        })
    }

    #[inline]
    fn write(&self, block: &[u8]) {
        let written = rustix::io::write(&self.writer, block);
        assert_eq!(written, Ok(block.len()));
    }

    #[inline]
    fn read(&self, block: &mut [u8]) -> usize {
        rustix::io::read(&self.reader, block).expect("the pipe is open")
    }
}

/// A channel of blocks: each is a `Vec` that the sender allocates and fills, and the receiver takes
/// as it is and drops. So bytes are copied once, not twice as by a pipe.
#[derive(Debug)]
pub(crate) struct CrossbeamChannel {
    sender: Sender<Vec<u8>>,
    receiver: Receiver<Vec<u8>>,
}

impl PipeEngine for CrossbeamChannel {
    const NAME: &'static str = "crossbeam_channel";

    fn several<const N: usize>(block_bytes: usize) -> [Self; N] {
        array::from_fn(|_| {
            let (sender, receiver) = bounded((CAPACITY / block_bytes).max(1));
            Self { sender, receiver }
        })
    }

    #[inline]
    fn write(&self, block: &[u8]) {
        let sent = self.sender.send(block.to_vec());
        sent.expect("its receiver is here");
    }

    #[inline]
    fn read(&self, _block: &mut [u8]) -> usize {
        let block = self.receiver.recv().expect("its sender is here");
        std::hint::black_box(&block).len()
    }
}

/// The least that a blocked reader of one byte takes: an entry of a map, found as a manager finds
/// its entries, and a wait on its key. There is room for one byte, and nobody waits for room.
#[derive(Debug)]
pub(crate) struct MapAndWait {
    shared: Arc<Shared>,
    key: u64,
}

#[derive(Debug, Default)]
struct Shared {
    entries: DashMap<u64, Arc<Word>>,
    waits: ShardedWait<u64>,
}

impl MapAndWait {
    /// A shared entry, so that no lock of the map is held while it is used.
    #[inline]
    fn entry(&self) -> Arc<Word> {
        let entry = self.shared.entries.get(&self.key);
        Arc::clone(&entry.expect("it is never removed"))
    }
}

/// Takes what the entry has: a byte and one.
#[inline]
fn take(entry: &Word, block: &mut [u8]) -> usize {
    block[0] = u8::try_from(entry.value() - 1).expect("it was a byte and one");
    entry.set(0);
    1
}

impl PipeEngine for MapAndWait {
    const NAME: &'static str = "map_and_wait";

    fn several<const N: usize>(_block_bytes: usize) -> [Self; N] {
        let shared = Arc::new(Shared::default());
        let mut key = 0;
        array::from_fn(|_| {
            key += 1;
            shared.entries.insert(key, Arc::default());
            Self {
                shared: Arc::clone(&shared),
                key,
            }
        })
    }

    #[inline]
    fn write(&self, block: &[u8]) {
        let entry = self.entry();
        assert_eq!((block.len(), entry.value()), (1, 0), "there is room");
        entry.set(u32::from(block[0]) + 1);
        let _woken = self.shared.waits.wake_one(&self.key);
    }

    #[inline]
    fn read(&self, block: &mut [u8]) -> usize {
        let entry = self.entry();
        while entry.value() == 0 {
            let _outcome = self.shared.waits.wait(&self.key, || entry.value() == 0);
        }
        take(&entry, block)
    }
}

impl TaskPipeEngine for MapAndWait {
    async fn read_async(&self, block: &mut [u8]) -> usize {
        let entry = self.entry();
        while entry.value() == 0 {
            let wait = self
                .shared
                .waits
                .wait_async(self.key, || entry.value() == 0);
            let _outcome = wait.await;
        }
        take(&entry, block)
    }
}
