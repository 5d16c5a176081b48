//! In the model: waits are woken, moved, closed and interrupted.

use slotpark_core::Filter;

use crate::expected::{Expected, Pass, Told};
use crate::naive::Chosen;
use crate::outcomes::{Ended, Moved, Woken};
use crate::program::{ALL, Answer, KEYS, Verdict};

/// Fits everybody.
pub(crate) const ANYBODY: u32 = !0;

impl Expected {
    /// A wake whose filter says `verdict(place, wait)`; with a policy, which may panic. It passes
    /// on with these bits.
    pub(crate) fn wake(
        &mut self,
        (key, count, token): (u64, usize, u64),
        verdict: impl Fn(usize, u64) -> Verdict,
        passes_on: Option<u32>,
        policy_panics: Option<bool>,
    ) -> Woken {
        let mut looked_at = Vec::new();
        let mut panicked = false;
        let chosen = self.queues.wake(key, count, |wait| {
            looked_at.push(wait);
            match verdict(looked_at.len() - 1, wait) {
                Verdict::Unpark => Filter::Unpark,
                Verdict::Skip => Filter::Skip,
                Verdict::Stop => Filter::Stop,
                Verdict::Panics => {
                    panicked = true;
                    Filter::Stop
                }
            }
        });
        let choice = policy_panics.filter(|_| !panicked);
        let choice = choice.map(|_| (chosen.len(), self.queues.count(key) > 0));
        panicked |= policy_panics == Some(true);
        // A wake with a policy has no token before the policy returns.
        let has_none = panicked && policy_panics.is_some();
        let token = if has_none { 0 } else { token };
        let to_last = false;
        let pass = passes_on.map(|bits| Pass {
            key,
            bits,
            token,
            to_last,
        });
        self.tell(key, &chosen, Ended::Woken(token), pass);
        Woken {
            count: (!panicked).then_some(chosen.len()),
            looked_at,
            choice,
        }
    }

    /// A wake of the last; how many it chooses.
    pub(crate) fn wake_last(&mut self, key: u64, token: u64) -> usize {
        let pass = Pass {
            key,
            bits: ANYBODY,
            token,
            to_last: true,
        };
        let chosen = self.queues.wake_last(key);
        self.tell(key, &chosen, Ended::Woken(token), Some(pass));
        chosen.len()
    }

    /// A wake that had chosen somebody who does not want it.
    pub(crate) fn pass_on(&mut self, pass: Pass) {
        let Pass {
            key, bits, token, ..
        } = pass;
        if pass.to_last {
            let count = self.wake_last(key, token);
            self.passed_on[count] += 1;
            self.passed_on_to_last += count;
            return;
        }
        let waits = &self.waits;
        let fits = |wait: u64| match bits == ANYBODY || waits[&wait].plan.bits & bits != 0 {
            true => Filter::Unpark,
            false => Filter::Skip,
        };
        let chosen = self.queues.wake(key, 1, fits);
        self.passed_on[chosen.len()] += 1;
        self.tell(key, &chosen, Ended::Woken(token), Some(pass));
    }

    pub(crate) fn requeue(
        &mut self,
        (from, to): (u64, u64),
        (wake_max, move_max): (usize, usize),
        token: u64,
        answer: Answer,
    ) -> Moved {
        match answer {
            Answer::Yes => {}
            Answer::No => return Moved::Refused,
            Answer::Fails => return Moved::Failed,
            Answer::Panics => return Moved::Panicked,
        }
        if from != to && self.seals.contains(&to) {
            let chosen = self.queues.wake(from, wake_max, |_| Filter::Unpark);
            self.tell(from, &chosen, Ended::Woken(token), None);
            return Moved::Done {
                woken: chosen.len(),
                moved: self.close_key(from, move_max),
            };
        }
        let (chosen, moved) = self.queues.requeue((from, to), wake_max, move_max);
        self.tell(from, &chosen, Ended::Woken(token), None);
        self.at(to).requeues += moved.len() as u32;
        if from != to && !moved.is_empty() {
            self.add_group(to);
            for wait in &moved {
                let state = self.waits.get_mut(wait).expect("who is moved waits");
                state.is_moved = true;
            }
        }
        Moved::Done {
            woken: chosen.len(),
            moved: moved.len(),
        }
    }

    /// A comparison panicked in a requeue: none were moved, and those chosen before are woken.
    pub(crate) fn interrupted_requeue(
        &mut self,
        from: u64,
        wake_max: usize,
        (woken, token): (usize, u64),
    ) {
        if woken == 0 {
            return;
        }
        let chosen = self.queues.wake(from, wake_max, |_| Filter::Unpark);
        assert_eq!(woken, chosen.len(), "all that were to be woken");
        self.tell(from, &chosen, Ended::Woken(token), None);
    }

    /// Ends the first waits of a key as closed; how many.
    pub(crate) fn close_key(&mut self, key: u64, count: usize) -> usize {
        let chosen = self.queues.wake(key, count, |_| Filter::Unpark);
        self.tell(key, &chosen, Ended::Closed, None);
        chosen.len()
    }

    /// Keeps a key closed; how many waits that ended.
    pub(crate) fn seal(&mut self, key: u64) -> usize {
        let count = self.close_key(key, ALL);
        self.prune();
        self.seals.push(key);
        self.add_group(key);
        count
    }

    /// Ends the waits of the keys in a mask, or panics at a question; how many, and which keys were
    /// asked for.
    pub(crate) fn end_where(
        &mut self,
        ended: Ended,
        mask: u8,
        panics_at: Option<u8>,
    ) -> (Option<usize>, Vec<u64>) {
        let mut keys = self.groups.clone();
        keys.sort_by_key(|key| self.slot(*key));
        let mut asked = Vec::new();
        let mut count = 0;
        for key in keys {
            if self.queues.count(key) == 0 {
                continue;
            }
            asked.push(key);
            if panics_at.map(usize::from) == Some(asked.len() - 1) {
                return (None, asked);
            }
            if mask & 1 << key != 0 {
                let chosen = self.queues.wake(key, ALL, |_| Filter::Unpark);
                self.tell(key, &chosen, ended, None);
                count += chosen.len();
            }
        }
        (Some(count), asked)
    }

    /// Closes the table; how many waits that ended.
    pub(crate) fn close(&mut self) -> usize {
        self.is_closed = true;
        let (count, _) = self.end_where(Ended::Closed, (1 << KEYS) - 1, None);
        count.expect("nothing is asked")
    }

    /// Whether there is a wait that this has ended.
    pub(crate) fn interrupt(&mut self, interrupter: usize) -> bool {
        let interrupts = &mut self.interrupters[interrupter];
        interrupts.is_pending = true;
        let Some(wait) = interrupts.user else {
            return false;
        };
        let state = self.waits.get_mut(&wait).expect("its user waits");
        if state.told.is_some() {
            return false;
        }
        state.told = Some(Told {
            ended: Ended::Interrupted,
            entry: None,
            pass: None,
        });
        let places = self.queues.remove_all(wait);
        state.others = places.into_iter().map(|place| place.1).collect();
        self.ring(wait);
        true
    }

    /// The chosen, who have left the queue of `key`, are told how they ended.
    fn tell(&mut self, key: u64, chosen: &[Chosen], ended: Ended, pass: Option<Pass>) {
        let stats = self.at(key);
        let tally = match ended {
            Ended::Woken(_) => &mut stats.wakes,
            _ => &mut stats.cancels,
        };
        *tally += chosen.len() as u32;
        for chosen in chosen {
            let state = self.waits.get_mut(&chosen.waiter);
            let state = state.expect("who is chosen waits");
            state.told = Some(Told {
                ended,
                entry: Some(chosen.entry).filter(|_| state.names_entry()),
                pass,
            });
            state.others.clone_from(&chosen.others);
            self.ring(chosen.waiter);
        }
    }

    /// Its Waker is called, if it is a task that has one.
    fn ring(&mut self, wait: u64) {
        let state = self.waits.get_mut(&wait).expect("who is called waits");
        if let Some(bell) = state.waker.take() {
            self.rings.entry(wait).or_default()[bell] += 1;
        }
    }
}
