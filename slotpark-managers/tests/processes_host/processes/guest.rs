//! The side of the managers: a few guests of one thread each, all run by this one.

use std::sync::Arc;

use slotpark_managers::*;

use super::{CHILDREN_MAX, CONTINUED, Call, EXITED, KEEP, Of, OnChild, STOPPED, To};

/// Processes, and what they have done so far.
struct World {
    processes: ProcessManager,
    signals: Arc<SignalManager>,
    pids: Vec<Pid>,
    story: Vec<String>,
    /// Those that have ended in the call that is made now.
    ended: Vec<Pid>,
}

/// Runs what can be run of a script; returns the calls that were made, and what was seen.
///
/// What depends on which of two processes runs first is left out.
pub(super) fn run(mut script: Vec<Call>) -> (Vec<Call>, Vec<String>) {
    'again: loop {
        let mut world = World::new();
        let mut calls = Vec::new();
        for index in 0..script.len() {
            let count = world.pids.len();
            let call = script[index].placed(|at| at % count);
            if !world.can_make(call) {
                continue;
            }
            if !world.make(call) {
                script.remove(index);
                continue 'again;
            }
            calls.push(call);
        }
        return (calls, world.story);
    }
}

impl World {
    fn new() -> Self {
        let waits = Arc::new(Waits::new());
        let signals = Arc::new(SignalManager::new(waits.clone()));
        let processes = ProcessManager::new(waits, signals.clone()).expect("a new manager");
        let first = processes.fork(processes.init()).expect("a child");
        processes.begin_session(first).expect("it has begun none");
        processes.set_subreaper(first, true).expect("it is there");
        let blocked = SignalSet::EMPTY.with(Signal::CHLD);
        signals.set_mask(first, blocked).expect("it is there");
        // Its group is orphaned, and told so when a member is stopped: it drives on.
        let handled = signals.set_action(first, Signal::HUP, SignalAction::call(1));
        handled.expect("it is there");
        Self {
            processes,
            signals,
            pids: vec![first],
            story: Vec::new(),
            ended: Vec::new(),
        }
    }

    fn is_running(&self, pid: Pid) -> bool {
        self.signals.is_stopped(pid) == Ok(false)
    }

    fn can_make(&self, call: Call) -> bool {
        if !self.is_running(self.pids[call.caller()]) {
            return false;
        }
        match call {
            Call::Fork(_) => self.pids.len() <= CHILDREN_MAX,
            // The first drives all others.
            Call::Exit(at, _) | Call::BeginSession(at) | Call::Exec(at) => at != 0,
            Call::Kill(at, to, signal) => {
                let first_group = self.processes.group(self.pids[0]);
                let hits_first = match to {
                    To::Process(at) => at == 0,
                    To::Group(at) => Ok(self.pids[at]) == first_group,
                    To::Own => self.processes.group(self.pids[at]) == first_group,
                };
                !hits_first || matches!(signal, 0 | 17)
            }
            _ => true,
        }
    }

    /// False: the outcome would depend on which of two processes runs first.
    fn make(&mut self, call: Call) -> bool {
        let parents: Vec<_> = self
            .pids
            .iter()
            .filter_map(|pid| self.processes.parent(*pid).ok().flatten())
            .collect();
        self.ended.clear();
        let said = self.call(call);
        self.settle();
        let is_parent = |pid: &Pid| parents.contains(pid);
        if self.ended.len() > 1 && self.ended.iter().any(is_parent) {
            return false;
        }
        let tree = self.tree();
        self.story.push(format!("{said}; {tree}"));
        true
    }

    fn call(&mut self, call: Call) -> String {
        let pid = self.pids[call.caller()];
        let name = |result: Result<(), Errno>| match result {
            Ok(()) => "done".to_string(),
            Err(error) => format!("errno {}", error.number()),
        };
        match call {
            Call::Fork(_) => {
                let child = self.processes.fork(pid).expect("there are numbers left");
                self.pids.push(child);
                let set = self
                    .signals
                    .set_action(child, Signal::HUP, SignalAction::DEFAULT);
                set.expect("it is there");
                "done".to_string()
            }
            Call::Exit(_, code) => {
                let exit = self.processes.exit_group(pid, code.into());
                self.ended.push(pid);
                exit.expect("it runs");
                "no answer".to_string()
            }
            Call::Kill(_, to, signal) => {
                let to = match to {
                    To::Process(at) => KillTarget::Process(self.pids[at]),
                    To::Group(at) => KillTarget::Group(self.pids[at]),
                    To::Own => KillTarget::OwnGroup,
                };
                let said = name(self.processes.kill(pid, to, Signal::new(signal).ok()));
                self.settle();
                // One that was stopped or killed by its own call does not say more.
                if self.is_running(pid) {
                    said
                } else {
                    "no answer".to_string()
                }
            }
            Call::Wait(_, of, wanted) => self.wait(pid, of, wanted),
            Call::SetGroup(_, whom, group) => {
                let number = |at: Option<usize>| at.map_or(Pid(0), |at| self.pids[at]);
                name(self.processes.set_group(pid, number(whom), number(group)))
            }
            Call::BeginSession(_) => name(self.processes.begin_session(pid).map(|_| ())),
            Call::Group(_, of) => self.number(self.processes.group(self.pids[of])),
            Call::Session(_, of) => self.number(self.processes.session(self.pids[of])),
            Call::OnChild(_, action) => {
                let action = match action {
                    OnChild::Default => SignalAction::DEFAULT,
                    OnChild::Ignore => SignalAction::IGNORE,
                    OnChild::NoZombies => SignalAction::DEFAULT.with(SignalFlags::NOCLDWAIT),
                    OnChild::Handle => SignalAction::call(1),
                    OnChild::HandleEnds => SignalAction::call(1).with(SignalFlags::NOCLDSTOP),
                };
                let set = self.signals.set_action(pid, Signal::CHLD, action);
                name(set.map(|_| ()))
            }
            Call::TakeChild(_) => {
                let set = SignalSet::EMPTY.with(Signal::CHLD);
                name(self.signals.timed_wait(pid, set, Block::NO).map(|_| ()))
            }
            Call::Subreaper(_, is) => name(self.processes.set_subreaper(pid, is)),
            Call::Exec(_) => name(self.processes.exec(pid, Block::NO).map(|_| ())),
        }
    }

    fn wait(&self, pid: Pid, of: Of, wanted: u8) -> String {
        let of = match of {
            Of::Any => Children::Any,
            Of::One(at) => Children::One(self.pids[at]),
            Of::Group(at) => Children::OfGroup(self.pids[at]),
            Of::Own => Children::OfOwnGroup,
        };
        let bits = [
            (EXITED, WaitFor::EXITED),
            (STOPPED, WaitFor::STOPPED),
            (CONTINUED, WaitFor::CONTINUED),
            (KEEP, WaitFor::KEEP),
        ];
        let asked = bits.iter().filter(|(bit, _)| wanted & bit != 0);
        let asked = asked.fold(WaitFor::empty(), |all, (_, one)| all | *one);
        match self.processes.try_wait(pid, of, asked) {
            Ok(None) => "nobody".to_string(),
            Ok(Some(report)) => {
                let (code, status) = (report.change.code(), report.change.status());
                format!("{} code {code} status {status}", self.place(report.child))
            }
            Err(error) => format!("errno {}", error.number()),
        }
    }

    fn number(&self, number: Result<Pid, Errno>) -> String {
        match number {
            Ok(pid) => self.place(pid),
            Err(error) => format!("errno {}", error.number()),
        }
    }

    fn place(&self, pid: Pid) -> String {
        let found = self.pids.iter().position(|other| *other == pid);
        found.map_or("other".to_string(), |at| at.to_string())
    }

    /// All processes do what is to be done about their signals, until none has anything to do.
    fn settle(&mut self) {
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            for pid in self.pids.clone() {
                is_busy |= self.deliver(pid);
            }
        }
    }

    fn deliver(&mut self, pid: Pid) -> bool {
        match self.signals.deliver(pid) {
            Ok(Some(Delivered::Stop)) => {
                let was_stopped = self.signals.is_stopped(pid) == Ok(true);
                let _stopped = self.signals.while_stopped(pid, Block::NO);
                !was_stopped
            }
            Ok(Some(Delivered::Exit(_))) => {
                self.ended.push(pid);
                self.processes.exit_thread(pid, 0).expect("it runs");
                true
            }
            Ok(Some(Delivered::Handler(call))) => {
                assert_eq!((pid, call.info.signal), (self.pids[0], Signal::HUP));
                self.signals
                    .end_handler(pid, call.restores)
                    .expect("it runs");
                true
            }
            Ok(Some(Delivered::ExitThread)) => unreachable!("each has one thread"),
            Ok(None) | Err(Errno::NoProcess) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Of each: whether it runs, its parent, group and session.
    fn tree(&self) -> String {
        let mut text = String::new();
        for (at, pid) in self.pids.iter().enumerate() {
            let Ok(group) = self.processes.group(*pid) else {
                text += &format!("{at} gone, ");
                continue;
            };
            let state = match self.signals.is_stopped(*pid) {
                Ok(true) => 'T',
                Ok(false) => 'S',
                Err(_) => 'Z',
            };
            let parent = self.processes.parent(*pid).ok().flatten();
            let parent = parent.map_or("other".to_string(), |parent| self.place(parent));
            let session = self.processes.session(*pid).expect("as above");
            let (group, session) = (self.place(group), self.place(session));
            text += &format!("{at} {state} of {parent} in {group} in {session}, ");
        }
        text
    }
}
