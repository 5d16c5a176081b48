//! In the model: waits go on, and leave by themselves.

use std::rc::Rc;

use crate::expected::{Expected, Told};
use crate::outcomes::{Ended, Outcome, Progress, Stats};
use crate::program::{Manner, Then};

impl Expected {
    /// A thread goes on from where it lingers or sleeps. A comparison may panic where it leaves.
    pub(crate) fn go_on(
        &mut self,
        wait: u64,
        now: u64,
        is_signal: bool,
        panicked: bool,
    ) -> Progress {
        let state = self.waits[&wait].clone();
        match state.plan.manner {
            _ if state.sleeps => {}
            Manner::Park {
                before_sleep_panics: true,
                ..
            } => {
                // A wake that chose it meanwhile is spent.
                self.leave(wait, |stats| &mut stats.cancels);
                return self.end(wait, Ended::Panicked.into());
            }
            Manner::Prepare { then, .. } if then != Then::Waits => {
                let is_left = then == Then::Leaves && !panicked;
                let ended = if is_left {
                    Ended::Left
                } else {
                    Ended::Panicked
                };
                return self.drop_out(wait, ended, panicked);
            }
            _ => {}
        }
        if let Some(Told { ended, entry, .. }) = state.told {
            let outcome = Outcome {
                entry,
                ..ended.into()
            };
            return self.end(wait, outcome);
        }
        if is_signal && state.sleeps && state.plan.until_signal {
            return self.give_up(wait, Ended::Interrupted);
        }
        if state.is_past(now) {
            return self.give_up(wait, Ended::TimedOut);
        }
        if let Some(state) = self.waits.get_mut(&wait) {
            state.sleeps = true;
        }
        Progress::Sleeps
    }

    /// Leaves because its deadline is past, or after a signal.
    fn give_up(&mut self, wait: u64, ended: Ended) -> Progress {
        let plan = Rc::clone(&self.waits[&wait].plan);
        let was_last = match plan.has_claim() || ended == Ended::Interrupted {
            true => self.leave(wait, |stats| &mut stats.cancels),
            false => self.leave(wait, |stats| &mut stats.timeouts),
        };
        let (ended, was_last) = match plan.manner {
            Manner::Park {
                on_leave_panics, ..
            } if on_leave_panics => (Ended::Panicked, was_last),
            Manner::Park { .. } => (ended, was_last),
            _ => (ended, None),
        };
        let outcome = Outcome {
            was_last,
            ..ended.into()
        };
        self.end(wait, outcome)
    }

    /// Ends by itself, and passes a wake on that had chosen it, unless a comparison panics in that.
    pub(crate) fn drop_out(&mut self, wait: u64, ended: Ended, panicked: bool) -> Progress {
        let told = self.waits[&wait].told;
        self.leave(wait, |stats| &mut stats.cancels);
        let progress = self.end(wait, ended.into());
        // Nobody has returned the interrupt.
        if let Some(pass) = told.and_then(|told| told.pass).filter(|_| !panicked) {
            self.pass_on(pass);
        }
        progress
    }

    /// Takes it out of its queues, if it is in any; whether it was the last of its key.
    fn leave(&mut self, wait: u64, tally: impl Fn(&mut Stats) -> &mut u32) -> Option<bool> {
        let mut was_last = None;
        for (_, key) in self.queues.remove_all(wait) {
            *tally(self.at(key)) += 1;
            was_last = Some(self.queues.count(key) == 0);
        }
        was_last
    }

    /// It is no more. What it has been told counts for its interrupter only if it says so.
    fn end(&mut self, wait: u64, outcome: Outcome) -> Progress {
        let state = self.waits.remove(&wait).expect("it ends once");
        for key in state.others {
            self.at(key).cancels += 1;
        }
        if let Some(interrupter) = state.interrupter {
            let interrupts = &mut self.interrupters[interrupter];
            interrupts.user = None;
            interrupts.is_pending &= outcome.ended != Ended::Interrupted;
        }
        Progress::Ended(outcome)
    }

    /// A task ends because it looks or its timer has fired.
    pub(crate) fn end_task(&mut self, task: u64) -> Option<Progress> {
        let Told { ended, entry, .. } = self.waits.get(&task)?.told?;
        let outcome = Outcome {
            entry,
            ..ended.into()
        };
        Some(self.end(task, outcome))
    }

    /// The timer of a task fires.
    pub(crate) fn time_out_task(&mut self, task: u64) -> Progress {
        if let Some(ended) = self.end_task(task) {
            return ended;
        }
        match self.waits.contains_key(&task) {
            true => self.give_up(task, Ended::TimedOut),
            false => Progress::Ended(Ended::TimedOut.into()),
        }
    }
}
