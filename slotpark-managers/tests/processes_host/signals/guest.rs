//! The side of the managers: a guest process, the child of another one.

use std::sync::Arc;

use slotpark_managers::*;

use super::{Call, Story};
use crate::record::{Kind, Record};

/// A first process, its child, and that one's child, which makes the calls.
struct Guest {
    processes: ProcessManager,
    signals: Arc<SignalManager>,
    parent: Pid,
    pid: Pid,
    story: Story,
    has_ended: bool,
}

/// Runs the script; returns the calls that were made, and what was told.
pub(super) fn run(script: &[Call]) -> (Vec<Call>, Story) {
    let mut guest = Guest::new();
    let mut calls = Vec::new();
    for call in script {
        if guest.has_ended {
            break;
        }
        if guest.would_hang(*call) {
            continue;
        }
        calls.push(*call);
        guest.call(*call);
    }
    if !guest.has_ended {
        guest.end_with(42);
    }
    (calls, guest.story)
}

impl Guest {
    fn new() -> Self {
        let waits = Arc::new(Waits::new());
        let signals = Arc::new(SignalManager::new(waits.clone()));
        let processes = ProcessManager::new(waits, signals.clone()).expect("a new manager");
        let parent = processes.fork(processes.init()).expect("a child");
        let pid = processes.fork(parent).expect("a child");
        // As the host's child: a group of its own that is not orphaned.
        processes.set_group(pid, pid, pid).expect("its own group");
        Self {
            processes,
            signals,
            parent,
            pid,
            story: Story::new(),
            has_ended: false,
        }
    }

    /// A suspension that nothing ends.
    fn would_hang(&self, call: Call) -> bool {
        let Call::Suspend(mask) = call else {
            return false;
        };
        let pending = self.signals.pending(self.pid).expect("it runs");
        let ends = |number| {
            let signal = Signal::new(number).expect("one of Linux's");
            if !pending.contains(signal) || mask.contains(signal) {
                return false;
            }
            let action = self.signals.action(self.pid, signal).expect("it runs");
            let default = signal.default_action();
            match action.handler {
                Handler::Call(_) => true,
                Handler::Ignore => false,
                Handler::Default => {
                    matches!(default, DefaultAction::Terminate | DefaultAction::Core)
                }
            }
        };
        !(1..=64).any(ends)
    }

    fn call(&mut self, call: Call) {
        let (signals, pid) = (self.signals.clone(), self.pid);
        let errno = |result: Result<(), Errno>| result.err().map_or(0, Errno::number) as u64;
        let record = match call {
            Call::Action(signal, action) => match signals.set_action(pid, signal, action) {
                Ok(before) => action_record(before),
                Err(error) => Record::new(Kind::Returned, [error.number() as u64]),
            },
            Call::Mask(change) => {
                let before = signals.change_mask(pid, change).expect("it runs");
                Record::new(Kind::Set, [before.bits()])
            }
            Call::Kill(signal) => {
                let target = KillTarget::Process(pid);
                let sent = self.processes.kill(pid, target, Some(signal));
                Record::new(Kind::Returned, [errno(sent)])
            }
            Call::KillThread(signal) => {
                let sent = signals.send_thread(pid, SignalInfo::thread(signal, pid));
                Record::new(Kind::Returned, [errno(sent)])
            }
            Call::Queue(signal, value) => {
                let sent = signals.send(pid, SignalInfo::queued(signal, pid, value));
                Record::new(Kind::Returned, [errno(sent)])
            }
            Call::QueueThread(signal, value) => {
                let sent = signals.send_thread(pid, SignalInfo::queued(signal, pid, value));
                Record::new(Kind::Returned, [errno(sent)])
            }
            Call::Pending => {
                let pending = signals.pending(pid).expect("it runs");
                Record::new(Kind::Set, [pending.bits()])
            }
            Call::TimedWait(set) => match signals.timed_wait(pid, set, Block::NO) {
                Ok(info) => {
                    let [signal, code, who, value] = self.told(info);
                    Record::new(Kind::Taken, [0, signal, code, who, value])
                }
                Err(error) => Record::new(Kind::Taken, [error.number() as u64, 0, 0, 0, 0]),
            },
            Call::Suspend(mask) => {
                let Err(error) = signals.suspend(pid, mask, Block::NO);
                Record::new(Kind::Returned, [error.number() as u64])
            }
            Call::Limit(limit) => {
                let set = signals.set_limit(pid, limit as usize);
                Record::new(Kind::Returned, [errno(set)])
            }
        };
        self.leave_kernel();
        if !self.has_ended {
            self.story.push(record);
        }
    }

    /// What a kernel does before the guest runs again.
    fn leave_kernel(&mut self) {
        let mut frames: Vec<HandlerCall> = Vec::new();
        loop {
            match self.signals.deliver(self.pid).expect("it runs") {
                Some(Delivered::Handler(call)) => frames.push(call),
                Some(Delivered::Stop) => self.stop(),
                Some(Delivered::Exit(_)) => return self.end_with(0),
                Some(Delivered::ExitThread) => unreachable!("it has one thread"),
                None => {
                    let Some(call) = frames.pop() else { return };
                    let [signal, code, who, value] = self.told(call.info);
                    let mask = self.signals.mask(self.pid).expect("it runs");
                    assert_eq!(mask, call.blocks);
                    let numbers = [call.function << 32 | signal, code, who, value, mask.bits()];
                    self.story.push(Record::new(Kind::Handled, numbers));
                    let ended = self.signals.end_handler(self.pid, call.restores);
                    ended.expect("it runs");
                }
            }
        }
    }

    fn stop(&mut self) {
        let stopped = self.signals.while_stopped(self.pid, Block::NO);
        assert_eq!(stopped, Err(Errno::Again));
        let Some(ChildChange::Stopped(signal)) = self.report() else {
            panic!("a process that is stopped is not reported");
        };
        let record = Record::new(Kind::Stopped, [signal.number() as u64]);
        self.story.push(record);
        let target = KillTarget::Process(self.pid);
        let sent = self.processes.kill(self.parent, target, Some(Signal::CONT));
        sent.expect("it is there");
        let stopped = self.signals.while_stopped(self.pid, Block::NO);
        assert_eq!(stopped, Ok(()));
    }

    fn end_with(&mut self, code: i32) {
        self.has_ended = true;
        self.processes.exit_thread(self.pid, code).expect("it runs");
        let Some(ended @ ChildChange::Ended(_)) = self.report() else {
            panic!("a process that has ended is not reported");
        };
        let record = Record::new(Kind::Ended, [ended.wait_status() as u64]);
        self.story.push(record);
    }

    fn report(&self) -> Option<ChildChange> {
        let wait_for = WaitFor::EXITED | WaitFor::STOPPED;
        let one = Children::One(self.pid);
        let report = self.processes.try_wait(self.parent, one, wait_for);
        report.expect("it is a child").map(|report| report.change)
    }

    /// Signal, code, who, value.
    fn told(&self, info: SignalInfo) -> [u64; 4] {
        let who = match info.sender {
            Pid(0) => 0,
            pid if pid == self.pid => 1,
            _ => 2,
        };
        let signal = info.signal.number() as u64;
        [signal, info.code as u64, who, info.value]
    }
}

pub(super) fn action_record(action: SignalAction) -> Record {
    let handler = match action.handler {
        Handler::Default => 0,
        Handler::Ignore => 100,
        Handler::Call(function) => function,
    };
    let flags = u64::from(action.flags.bits());
    Record::new(Kind::Action, [handler, flags, action.mask.bits()])
}
