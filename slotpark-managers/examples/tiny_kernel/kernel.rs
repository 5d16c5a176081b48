//! The kernel: the managers, all of which block in one table, and how processes begin and end.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use dashmap::DashMap;
use slotpark::WaitDomain;
use slotpark_managers::{
    Access, Block, Channel, ChannelAttributes, ChannelLimits, ChannelOptions, Children,
    Description, Errno, FdTable, IpcChannels, Mapping, MemoryRegions, Pid, PipeEnd, PipeManager,
    Place, ProcessManager, Protection, Signal, SignalInfo, SignalManager, WaitFor, Waits,
};

use super::guest::{Guest, Trap};
use super::terminal::Terminal;

/// What a descriptor leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum File {
    Pipe(PipeEnd),
    /// The keyboard's bytes come through a pipe; the screen takes whatever is shown.
    Terminal {
        keyboard: PipeEnd,
    },
}

/// What a process has beside what the managers of processes and signals know of it.
pub(crate) struct Process {
    pub(crate) files: FdTable<File>,
    /// Mappings are of programs, by name.
    memory: MemoryRegions<'static, &'static str>,
}

pub(crate) struct Kernel {
    waits: Arc<Waits>,
    pub(crate) processes: ProcessManager,
    pub(crate) signals: Arc<SignalManager>,
    pub(crate) pipes: Arc<PipeManager>,
    pub(crate) terminal: Terminal,
    channels: Arc<IpcChannels>,
    /// Who has ended, from each exit to whoever reads it: acct(2).
    accounting: Channel,
    table: Arc<DashMap<Pid, Arc<Process>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Where a program begins.
const TEXT: u64 = 0x40_0000;

thread_local! {
    /// The guest that this thread runs.
    static CURRENT: Cell<Pid> = const { Cell::new(Pid(0)) };
}

impl Kernel {
    pub(crate) fn boot() -> Arc<Self> {
        let waits = Arc::new(Waits::new());
        let signals = Arc::new(SignalManager::new(waits.clone()));
        let processes = ProcessManager::new(waits.clone(), signals.clone()).expect("a new system");
        let broken = signals.clone();
        // Sent to who writes, before its write returns: it is delivered at the end of that call.
        let pipes = PipeManager::new(waits.clone()).on_broken_pipe(move |_| {
            let writer = CURRENT.get();
            _ = broken.send_thread(writer, SignalInfo::user(Signal::PIPE, writer));
        });
        let (channels, accounting) = accounting(&waits);
        let channels = Arc::new(channels);
        let table: Arc<DashMap<Pid, Arc<Process>>> = Arc::default();
        // At the end of a process, before its parent knows of it: the last reference to its table
        // of descriptors goes, and with that all that it has open.
        let (ended, told) = (table.clone(), channels.clone());
        processes.on_exit(move |pid| {
            let Some((_, process)) = ended.remove(&pid) else {
                return;
            };
            _ = told.send(accounting, process.name().as_bytes(), 0, Block::NO);
        });
        Arc::new(Self {
            terminal: Terminal::new(&pipes),
            processes,
            signals,
            pipes: Arc::new(pipes),
            channels,
            accounting,
            table,
            threads: Mutex::default(),
            waits,
        })
    }

    pub(crate) fn process(&self, pid: Pid) -> Result<Arc<Process>, Errno> {
        let found = self.table.get(&pid).map(|entry| Arc::clone(&entry));
        found.ok_or(Errno::NoProcess)
    }

    /// A description that closes its end of a pipe with the last descriptor that leads to it.
    pub(crate) fn opened(&self, file: File) -> Description<File> {
        let pipes = self.pipes.clone();
        Description::new(file).on_last_close(move |file| {
            let (File::Pipe(end) | File::Terminal { keyboard: end }) = *file;
            _ = pipes.close(end);
        })
    }

    /// The first process forks the one that a user talks to: descriptors 0 to 2 are the terminal.
    pub(crate) fn begin_session(self: &Arc<Self>, shell: fn(&Guest) -> Result<i32, Trap>) {
        let init = self.processes.init();
        let pid = self.processes.fork(init).expect("a number is free");
        let process = Process {
            files: FdTable::new(self.waits.clone()),
            memory: MemoryRegions::new(WaitDomain::new()),
        };
        let keyboard = self.terminal.keyboard();
        let terminal = self.opened(File::Terminal { keyboard });
        for _ in 0..3 {
            let opened = process.files.install(terminal.clone(), false);
            opened.expect("there is room");
        }
        self.table.insert(pid, Arc::new(process));
        self.load(pid, "shell").expect("a new process");
        self.start(Guest::new(self, pid), shell);
    }

    /// What a fork copies beside what the managers do by themselves.
    pub(crate) fn copy_process(&self, parent: Pid, child: Pid) -> Result<(), Errno> {
        let parent = self.process(parent)?;
        let process = Process {
            files: parent.files.fork(),
            memory: parent.memory.fork(),
        };
        self.table.insert(child, Arc::new(process));
        Ok(())
    }

    /// What an exec replaces beside what the managers do by themselves.
    pub(crate) fn load(&self, pid: Pid, name: &'static str) -> Result<(), Errno> {
        let process = self.process(pid)?;
        process.files.exec();
        process.memory.unmap_all();
        let text = Mapping::of(name, 0, Protection::READ | Protection::EXEC);
        process.memory.map(Place::Fixed(TEXT), 0x1000, text)?;
        Ok(())
    }

    /// The thread of a guest, from its first call to its exit.
    pub(crate) fn start(
        &self,
        guest: Guest,
        run: impl FnOnce(&Guest) -> Result<i32, Trap> + Send + 'static,
    ) {
        let thread = std::thread::spawn(move || {
            CURRENT.set(guest.pid);
            let code = match run(&guest) {
                Ok(code) => code,
                // How it ends was said by the signal.
                Err(Trap::Ended) => 0,
                Err(Trap::Failed(errno)) => {
                    _ = guest.write_all(2, format!("{errno}\n").as_bytes());
                    127
                }
            };
            let ended = guest.kernel.processes.exit_group(guest.pid, code);
            ended.expect("it runs until here");
        });
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(thread);
    }

    /// What each process does at this moment, by number.
    pub(crate) fn processes(&self) -> Vec<(Pid, &'static str, &'static str)> {
        let entries = self.table.iter();
        let mut all: Vec<_> = entries
            .map(|entry| (*entry.key(), Arc::clone(entry.value())))
            .collect();
        all.sort_by_key(|(pid, _)| *pid);
        let does = |(pid, process): (Pid, Arc<Process>)| {
            let does = match self.processes.waiters(pid) {
                Ok(1) => "waits for its children",
                _ if process.files.waiters(0) == 1 => "reads",
                _ if process.files.waiters(1) == 1 => "writes",
                _ => "runs",
            };
            (pid, process.name(), does)
        };
        all.into_iter().map(does).collect()
    }

    /// The first process waits for all others and ends; what stood on the screen then, and what is
    /// left.
    pub(crate) fn halt(&self) -> String {
        let init = self.processes.init();
        loop {
            let (any, ended) = (Children::Any, WaitFor::EXITED);
            match self.processes.wait(init, any, ended, Block::FOREVER) {
                Ok(_) => {}
                Err(Errno::NoChild) => break,
                Err(errno) => panic!("{errno}"),
            }
        }
        let ended = self.processes.exit_group(init, 0);
        ended.expect("it runs until here");
        let threads = std::mem::take(&mut *self.threads.lock().expect("no guest panics"));
        for thread in threads {
            thread.join().expect("no guest panics");
        }
        let mut names = self.accounts();
        names.sort();
        let closed = self.channels.close(self.accounting);
        let unlinked = self.channels.unlink("/accounting");
        assert_eq!((closed, unlinked), (Ok(()), Ok(())));
        format!(
            "{}accounted: {}\n{}",
            self.terminal.screen(),
            names.join(" "),
            self.left()
        )
    }

    /// Who has ended since the last call.
    fn accounts(&self) -> Vec<String> {
        let mut bytes = [0; 16];
        let next = || {
            let received = self
                .channels
                .receive(self.accounting, &mut bytes, Block::NO);
            let count = received.ok()?.bytes;
            Some(String::from_utf8_lossy(&bytes[..count]).into_owned())
        };
        std::iter::from_fn(next).collect()
    }

    /// What each map has left.
    fn left(&self) -> String {
        let maps = [
            ("processes", self.processes.is_empty()),
            ("signals", self.signals.is_empty()),
            ("pipes", self.pipes.is_empty()),
            ("channels", self.channels.is_empty()),
            ("tables of descriptors", self.table.is_empty()),
        ];
        let line = |(what, is_empty): (&str, bool)| {
            assert!(is_empty, "some {what} are left");
            format!("{what}: empty\n")
        };
        maps.into_iter().map(line).collect()
    }
}

impl Process {
    /// The program that it runs: what is mapped where programs begin.
    fn name(&self) -> &'static str {
        let text = self.memory.find(TEXT);
        text.and_then(|text| text.object().copied()).unwrap_or("?")
    }
}

/// A queue for the names of those that have ended.
fn accounting(waits: &Arc<Waits>) -> (IpcChannels, Channel) {
    let attributes = ChannelAttributes {
        messages_max: 64,
        message_bytes: 16,
    };
    let limits = ChannelLimits {
        attributes_max: attributes,
        ..ChannelLimits::default()
    };
    let channels = IpcChannels::new(waits.clone()).limits(limits);
    let options = ChannelOptions::new(Access::Both).create(Some(attributes));
    let accounting = channels.open("/accounting", options);
    (channels, accounting.expect("a new name"))
}
