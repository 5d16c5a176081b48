//! Random changes of masks, threads and signals: whatever a thread could take, one that could has
//! been told of.

use std::pin::pin;
use std::task::Poll;

use proptest::prelude::*;
use slotpark_managers::*;

use crate::common::bells::{Bell, poll};
use crate::set;

const SIGNALS: [Signal; 3] = [Signal::HUP, Signal::USR1, Signal::RT_MIN];

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(usize),
    SetMask(usize, u8),
    /// All that there is; the handlers return at once.
    Deliver(usize),
    /// One; its handler returns at once.
    DeliverOne(usize),
    Begin(usize),
    Leave(usize),
    /// sigtimedwait of one signal, without waiting.
    Take(usize, usize),
    /// sigtimedwait as a future that is dropped.
    WaitAndDrop(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let (thread, signal) = (0..4_usize, 0..SIGNALS.len());
    let thread = || thread.clone();
    prop_oneof![
        6 => signal.clone().prop_map(Step::Send),
        6 => (thread(), 0..8_u8).prop_map(|(thread, mask)| Step::SetMask(thread, mask)),
        2 => thread().prop_map(Step::Deliver),
        3 => thread().prop_map(Step::DeliverOne),
        2 => thread().prop_map(Step::Begin),
        2 => thread().prop_map(Step::Leave),
        2 => (thread(), signal).prop_map(|(thread, signal)| Step::Take(thread, signal)),
        2 => (thread(), 0..8_u8).prop_map(|(thread, mask)| Step::WaitAndDrop(thread, mask)),
    ]
}

fn some(bits: u8) -> SignalSet {
    let chosen = SIGNALS.iter().enumerate();
    let chosen = chosen.filter(|(bit, _)| bits & 1 << bit != 0);
    chosen.map(|(_, signal)| *signal).collect()
}

struct Guest {
    signals: SignalManager,
    threads: Vec<Pid>,
    last: u32,
    /// What was sent to the process and not taken.
    pending: Vec<Signal>,
}

impl Guest {
    fn new() -> Self {
        let signals = SignalManager::new(Default::default());
        signals.register(Pid(1)).expect("a new manager");
        for signal in SIGNALS {
            let before = signals.set_action(Pid(1), signal, SignalAction::call(1));
            before.expect("it is there");
        }
        Self {
            signals,
            threads: vec![Pid(1)],
            last: 1,
            pending: Vec::new(),
        }
    }

    fn taken(&mut self, signal: Signal) {
        let at = self.pending.iter().position(|other| *other == signal);
        self.pending
            .swap_remove(at.expect("it was sent, and not taken"));
    }

    fn deliver(&mut self, tid: Pid) -> bool {
        match self.signals.deliver(tid).expect("it is there") {
            None => false,
            Some(Delivered::Handler(call)) => {
                self.taken(call.info.signal);
                // The handler may wait for something.
                self.check();
                let ended = self.signals.end_handler(tid, call.restores);
                ended.expect("it is there");
                true
            }
            Some(told) => panic!("{told:?}"),
        }
    }

    fn step(&mut self, step: Step) {
        let tid = |thread: usize| self.threads[thread % self.threads.len()];
        match step {
            Step::Send(signal) => {
                let signal = SIGNALS[signal];
                let is_first = !self.pending.contains(&signal);
                if is_first || signal.is_real_time() {
                    self.pending.push(signal);
                }
                let sent = self.signals.send(Pid(1), SignalInfo::user(signal, Pid(1)));
                sent.expect("it is there");
            }
            Step::SetMask(thread, mask) => {
                let before = self.signals.set_mask(tid(thread), some(mask));
                before.expect("it is there");
            }
            Step::Deliver(thread) => {
                let tid = tid(thread);
                while self.deliver(tid) {}
            }
            Step::DeliverOne(thread) => {
                self.deliver(tid(thread));
            }
            Step::Begin(thread) => {
                let begun = self.signals.add_thread(tid(thread), Pid(self.last + 1));
                if begun.is_ok() {
                    self.last += 1;
                    self.threads.push(Pid(self.last));
                }
            }
            Step::Leave(thread) if self.threads.len() > 1 => {
                let at = thread % self.threads.len();
                let left = self.signals.remove_thread(self.threads.remove(at));
                left.expect("it is there");
            }
            Step::Leave(_) => {}
            Step::Take(thread, signal) => {
                let (tid, signal) = (tid(thread), SIGNALS[signal]);
                if self
                    .signals
                    .timed_wait(tid, set(&[signal]), Block::NO)
                    .is_ok()
                {
                    self.taken(signal);
                }
            }
            Step::WaitAndDrop(thread, mask) => {
                let tid = tid(thread);
                let polled = {
                    let wait = pin!(self.signals.timed_wait_async(tid, some(mask)));
                    poll(wait, &Bell::new())
                };
                if let Poll::Ready(Ok(info)) = polled {
                    self.taken(info.signal);
                }
            }
        }
    }

    /// Each signal that some thread could take, one that could is told of.
    fn check(&self) {
        for signal in &self.pending {
            let mut takers = self.threads.iter().filter(|tid| {
                let mask = self.signals.mask(**tid).expect("it is there");
                !mask.contains(*signal)
            });
            let is_told = |tid: &Pid| {
                let interrupter = self.signals.interrupter(*tid).expect("it is there");
                interrupter.is_pending()
            };
            let is_anybody = takers.clone().next().is_some();
            assert!(!is_anybody || takers.any(is_told), "{signal:?} is lost");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2_000)
    })]

    #[test]
    fn a_thread_that_could_take_it_is_told(steps in prop::collection::vec(step(), 1..40)) {
        let mut guest = Guest::new();
        for step in steps {
            guest.step(step);
            guest.check();
        }
    }
}
