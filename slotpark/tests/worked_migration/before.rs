#[derive(Default)]
pub struct Futexes {
    entries: DashMap<u32, Arc<Entry>>,
}

#[derive(Default)]
struct Entry {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: usize,
    wakes: usize,
}

impl Futexes {
    pub fn wait(&self, address: u32, is_expected: impl Fn() -> bool) -> bool {
        let entry = Arc::clone(&self.entries.entry(address).or_default());
        let mut state = entry.state.lock().unwrap();
        if !is_expected() {
            return false;
        }
        state.waiting += 1;
        while state.wakes == 0 {
            state = entry.changed.wait(state).unwrap();
        }
        state.wakes -= 1;
        state.waiting -= 1;
        true
    }

    pub fn wake(&self, address: u32, count: usize) -> usize {
        let Some(entry) = self.entries.get(&address).map(|entry| Arc::clone(&entry)) else {
            return 0;
        };
        let mut state = entry.state.lock().unwrap();
        let woken = count.min(state.waiting - state.wakes);
        state.wakes += woken;
        for _ in 0..woken {
            entry.changed.notify_one();
        }
        woken
    }
}
