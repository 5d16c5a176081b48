//! A guest: a process with one thread, and the calls that its program makes.

use std::cell::RefCell;
use std::sync::Arc;

use slotpark_managers::{
    Block, ChildChange, Children, Delivered, Errno, HandlerCall, Pid, Restart, Signal,
    SignalAction, SignalFlags, WaitFor,
};

use super::kernel::{File, Kernel};
use super::programs;

/// Why a call does not return what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    /// It has failed.
    Failed(Errno),
    /// The process ends, by a signal: so does each later call.
    Ended,
}

impl From<Errno> for Trap {
    fn from(errno: Errno) -> Self {
        Self::Failed(errno)
    }
}

/// A function of a program that is called for a signal.
pub(crate) type Function = fn(&Guest) -> Result<(), Trap>;

/// A process as its own program sees it.
pub(crate) struct Guest {
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) pid: Pid,
    /// An action says its handler by its place here.
    handlers: RefCell<Vec<Function>>,
}

/// How each call is made.
impl Guest {
    /// Makes a call that can block and be interrupted. At its end comes what signals ask for; one
    /// that has failed with EINTR is then made again, if that is so for this call and handler.
    fn call<T>(
        &self,
        restart: Restart,
        mut call: impl FnMut(Block<'_>) -> Result<T, Errno>,
    ) -> Result<T, Trap> {
        let interrupter = self.kernel.signals.interrupter(self.pid)?;
        loop {
            let result = call(Block::FOREVER.interruptible(&interrupter));
            let handled = self.deliver()?;
            let is_interrupted = matches!(result, Err(Errno::Interrupted));
            if !is_interrupted || !restart.applies(handled.as_ref()) {
                return Ok(result?);
            }
        }
    }

    /// Does what signals ask for, until there is nothing more; the first handler, if there was any.
    fn deliver(&self) -> Result<Option<HandlerCall>, Trap> {
        let signals = &self.kernel.signals;
        // As on a stack: the last is called first.
        let mut frames: Vec<HandlerCall> = Vec::new();
        let mut first = None;
        loop {
            match signals.deliver(self.pid)? {
                Some(Delivered::Handler(call)) => {
                    first.get_or_insert(call);
                    frames.push(call);
                }
                Some(Delivered::Stop) => signals.while_stopped(self.pid, Block::FOREVER)?,
                Some(Delivered::Exit(_) | Delivered::ExitThread) => return Err(Trap::Ended),
                None => {
                    let Some(call) = frames.pop() else {
                        return Ok(first);
                    };
                    let handler = self.handlers.borrow()[call.function as usize];
                    handler(self)?;
                    signals.end_handler(self.pid, call.restores)?;
                }
            }
        }
    }
}

/// Descriptors.
impl Guest {
    /// read(2).
    pub(crate) fn read(&self, number: i32, bytes: &mut [u8]) -> Result<usize, Trap> {
        let open = self.kernel.process(self.pid)?.files.get(number)?;
        let (File::Pipe(end) | File::Terminal { keyboard: end }) = *open;
        self.call(Restart::ByFlag, |block| {
            self.kernel.pipes.read(end, bytes, block.through(&open))
        })
    }

    /// write(2).
    fn write(&self, number: i32, bytes: &[u8]) -> Result<usize, Trap> {
        let open = self.kernel.process(self.pid)?.files.get(number)?;
        self.call(Restart::ByFlag, |block| match *open {
            File::Pipe(end) => self.kernel.pipes.write(end, bytes, block.through(&open)),
            File::Terminal { .. } => Ok(self.kernel.terminal.show(bytes)),
        })
    }

    /// As often as it takes.
    pub(crate) fn write_all(&self, number: i32, mut bytes: &[u8]) -> Result<(), Trap> {
        while !bytes.is_empty() {
            bytes = &bytes[self.write(number, bytes)?..];
        }
        Ok(())
    }

    /// To descriptor 1.
    pub(crate) fn print(&self, text: &str) -> Result<(), Trap> {
        self.write_all(1, text.as_bytes())
    }

    /// pipe2(2), with O_CLOEXEC: to read from, and to write to.
    pub(crate) fn pipe(&self) -> Result<(i32, i32), Trap> {
        let files = &self.kernel.process(self.pid)?.files;
        let (reader, writer) = self.kernel.pipes.pipe();
        let [reader, writer] = [reader, writer].map(|end| self.kernel.opened(File::Pipe(end)));
        // What fails to be installed is dropped, and closed by that.
        let reader = files.install(reader, true)?;
        let writer = files.install(writer, true);
        let writer = writer.inspect_err(|_| _ = files.close(reader))?;
        Ok((reader, writer))
    }

    /// dup2(2).
    pub(crate) fn dup2(&self, number: i32, new: i32) -> Result<i32, Trap> {
        Ok(self.kernel.process(self.pid)?.files.dup2(number, new)?)
    }

    /// close(2).
    pub(crate) fn close(&self, number: i32) -> Result<(), Trap> {
        Ok(self.kernel.process(self.pid)?.files.close(number)?)
    }
}

/// Processes.
impl Guest {
    pub(crate) fn new(kernel: &Arc<Kernel>, pid: Pid) -> Self {
        let handlers = RefCell::default();
        let kernel = Arc::clone(kernel);
        Self {
            kernel,
            pid,
            handlers,
        }
    }

    /// fork(2). A thread's stack is not copied, so it is said what the child does.
    pub(crate) fn fork(
        &self,
        child: impl FnOnce(&Self) -> Result<i32, Trap> + Send + 'static,
    ) -> Result<Pid, Trap> {
        let pid = loop {
            match self.kernel.processes.fork(self.pid) {
                // A signal was there before. Afterwards it is looked for by the next call: a child
                // that has begun is started, whatever becomes of its parent.
                Err(Errno::Interrupted) => self.deliver()?,
                forked => break forked?,
            };
        };
        self.kernel.copy_process(self.pid, pid)?;
        let handlers = self.handlers.clone();
        let guest = Self {
            handlers,
            ..Self::new(&self.kernel, pid)
        };
        self.kernel.start(guest, child);
        Ok(pid)
    }

    /// execve(2): runs a program, and returns what that returns.
    pub(crate) fn exec(&self, words: &[String]) -> Result<i32, Trap> {
        let (name, arguments) = words.split_first().ok_or(Errno::NoEntry)?;
        let found = programs::ALL.iter().find(|(of, _)| of == name);
        let (name, program) = *found.ok_or(Errno::NoEntry)?;
        let processes = &self.kernel.processes;
        self.call(Restart::Always, |block| processes.exec(self.pid, block))?;
        self.kernel.load(self.pid, name)?;
        self.handlers.borrow_mut().clear();
        let number = arguments.first().and_then(|word| word.parse().ok());
        program(self, number)
    }

    /// waitpid(2).
    pub(crate) fn wait(&self, child: Pid) -> Result<ChildChange, Trap> {
        let (child, ended) = (Children::One(child), WaitFor::EXITED);
        let processes = &self.kernel.processes;
        let report = self.call(Restart::ByFlag, |block| {
            processes.wait(self.pid, child, ended, block)
        });
        Ok(report?.change)
    }

    /// setpgid(2): 0 is the caller, or a group of its own.
    pub(crate) fn set_group(&self, pid: Pid, group: Pid) -> Result<(), Trap> {
        Ok(self.kernel.processes.set_group(self.pid, pid, group)?)
    }

    /// tcsetpgrp(3).
    pub(crate) fn set_foreground(&self, group: Pid) {
        self.kernel.terminal.set_foreground(group);
    }

    /// sigaction(2).
    pub(crate) fn set_handler(
        &self,
        signal: Signal,
        flags: SignalFlags,
        handler: Function,
    ) -> Result<(), Trap> {
        let place = {
            let mut handlers = self.handlers.borrow_mut();
            handlers.push(handler);
            handlers.len() as u64 - 1
        };
        let action = SignalAction::call(place).with(flags);
        let signals = &self.kernel.signals;
        let _before = signals.set_action(self.pid, signal, action)?;
        Ok(())
    }
}
