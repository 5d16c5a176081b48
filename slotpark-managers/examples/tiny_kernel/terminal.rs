//! A terminal, and the user in front of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use slotpark_managers::{Block, KillTarget, Pid, PipeEnd, PipeManager, Signal};

use super::kernel::Kernel;

pub(crate) struct Terminal {
    keyboard: PipeEnd,
    keys: PipeEnd,
    screen: Mutex<String>,
    foreground: Mutex<Option<Pid>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    pub(crate) fn new(pipes: &PipeManager) -> Self {
        let (keyboard, keys) = pipes.pipe();
        Self {
            keyboard,
            keys,
            screen: Mutex::default(),
            foreground: Mutex::default(),
        }
    }

    /// Where what is typed is read.
    pub(crate) fn keyboard(&self) -> PipeEnd {
        self.keyboard
    }

    /// Shows all of it; how many bytes.
    pub(crate) fn show(&self, bytes: &[u8]) -> usize {
        lock(&self.screen).push_str(&String::from_utf8_lossy(bytes));
        bytes.len()
    }

    /// What was ever shown.
    pub(crate) fn screen(&self) -> String {
        lock(&self.screen).clone()
    }

    /// Whom Ctrl-C is for.
    pub(crate) fn set_foreground(&self, group: Pid) {
        *lock(&self.foreground) = Some(group);
    }
}

/// Who acts when the guests have done what they can: it looks, and looks again.
pub(crate) struct User<'k> {
    kernel: &'k Kernel,
}

fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}

impl<'k> User<'k> {
    pub(crate) fn new(kernel: &'k Kernel) -> Self {
        Self { kernel }
    }

    /// Types a line once somebody waits for one.
    pub(crate) fn types(&self, line: &str) {
        let Terminal { keyboard, keys, .. } = self.kernel.terminal;
        let pipes = &self.kernel.pipes;
        until(|| pipes.waiters(keyboard) == 1 && pipes.unread(keyboard) == Ok(0));
        let line = format!("{line}\n");
        self.kernel.terminal.show(line.as_bytes());
        let typed = pipes.write(keys, line.as_bytes(), Block::FOREVER);
        assert_eq!(typed, Ok(line.len()));
    }

    /// Waits until this stands on the screen.
    pub(crate) fn sees(&self, text: &str) {
        until(|| lock(&self.kernel.terminal.screen).contains(text));
    }

    /// Waits until all guests block, and lists them.
    pub(crate) fn looks_at_processes(&self) {
        let look = || self.kernel.processes();
        let mut processes = look();
        until(|| {
            // Twice the same: who was listed first may have forked before it was seen to block.
            let before = std::mem::replace(&mut processes, look());
            let all_block = processes.iter().all(|(_, _, does)| *does != "runs");
            all_block && processes == before
        });
        for (pid, name, does) in processes {
            let line = format!("{pid:>4} {name} {does}\n");
            self.kernel.terminal.show(line.as_bytes());
        }
    }

    /// SIGINT to the foreground.
    pub(crate) fn presses_ctrl_c(&self) {
        self.kernel.terminal.show(b"^C\n");
        let foreground = lock(&self.kernel.terminal.foreground).expect("the shell has set it");
        let (init, group) = (self.kernel.processes.init(), KillTarget::Group(foreground));
        let sent = self.kernel.processes.kill(init, group, Some(Signal::INT));
        sent.expect("somebody is there");
    }

    /// Nothing more will be typed.
    pub(crate) fn hangs_up(&self) {
        let closed = self.kernel.pipes.close(self.kernel.terminal.keys);
        closed.expect("it is open until here");
    }
}
