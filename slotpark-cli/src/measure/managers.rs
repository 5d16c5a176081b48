//! What the harness asks of pipes and of signals: of the managers, and of what they stand beside.

use std::future::Future;

/// One implementation of a pipe, behind an adapter that adds as little as possible. One thread
/// writes, another one reads.
pub(crate) trait PipeEngine: Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// Fresh ones, with room for 64 KiB each, for blocks of at most so many bytes.
    fn several<const N: usize>(block_bytes: usize) -> [Self; N];

    /// Blocks until all bytes of the block are in.
    fn write(&self, block: &[u8]);

    /// Blocks until there is something, and takes at most a block of it; how many bytes.
    fn read(&self, block: &mut [u8]) -> usize;
}

/// A pipe for tasks as well.
pub(crate) trait TaskPipeEngine: PipeEngine {
    /// Ready when there is something, with how many bytes it has taken.
    fn read_async(&self, block: &mut [u8]) -> impl Future<Output = usize>;
}

/// One implementation of signals, with a handler for one of them.
pub(crate) trait SignalEngine: Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// With the calling thread as the only one that may take the signal.
    fn new() -> Self;

    /// The calling thread sends the signal to its own process, its handler runs, and the thread
    /// goes on as before; how often the handler has run.
    fn signal(&mut self) -> u32;
}
