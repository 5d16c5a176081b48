#[derive(Default)]
pub struct Futexes {
    waits: ShardedWait<u32>,
}

impl Futexes {
    pub fn wait(&self, address: u32, is_expected: impl Fn() -> bool) -> bool {
        self.waits.wait(&address, is_expected).is_woken()
    }

    pub fn wake(&self, address: u32, count: usize) -> usize {
        self.waits.wake(&address, count)
    }
}
