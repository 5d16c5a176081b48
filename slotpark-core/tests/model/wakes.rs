//! Wakes and requeues of a program, on the table and in the model.

use slotpark_core::{Candidate, Choice, Filter, Platform, RequeueOptions, Requeued};

use crate::chosen::ANYBODY;
use crate::host::{self, Key};
use crate::machine::Machine;
use crate::outcomes::{Moved, Woken};
use crate::program::{ALL, Answer, Step, Verdict};
use crate::waits::{answered, catch};

impl<P: Platform> Machine<'_, P> {
    pub(crate) fn wake(&mut self, step: &Step, panicking: Option<u8>) {
        let token = self.number();
        let (found, panicked) = host::comparing(panicking, || self.really_wake(step, token));
        let (key, count, verdicts, bits, policy) = match step {
            Step::Unpark { key, count } => (*key, *count, &[][..], ANYBODY, None),
            Step::UnparkLast { key } => (*key, 1, &[][..], ANYBODY, None),
            Step::UnparkBits { key, count, bits } => (*key, *count, &[][..], *bits, None),
            Step::UnparkFilter {
                key,
                count,
                verdicts,
            } => (*key, *count, &verdicts[..], ANYBODY, None),
            Step::UnparkWith {
                key,
                count,
                verdicts,
                policy_panics,
            } => (*key, *count, &verdicts[..], ANYBODY, Some(*policy_panics)),
            other => unreachable!("no wake: {other:?}"),
        };
        let is_used = self.expected.is_used(self.expected.slot(key));
        let looks = policy.is_some() || (count > 0 && is_used);
        let is_compared = looks && self.expected.is_compared(key);
        assert!(is_compared || !panicked, "keys of other hashes are not");
        let must_panic = is_compared && panicking == Some(0);
        assert!(panicked || !must_panic, "keys of one hash are compared");
        if panicked {
            self.seen.add("a comparison panicked", 1);
            let nothing = Woken {
                count: None,
                looked_at: vec![],
                choice: None,
            };
            assert_eq!(found, nothing, "a comparison panicked");
            return;
        }
        if let Step::UnparkLast { key } = step {
            let expected = self.expected.wake_last(*key, token);
            assert_eq!(found.count, Some(expected), "wake {token} of the last");
            self.seen.add("the last was woken", expected);
            return;
        }
        let tags = self.expected.waits.clone();
        let verdict = |place: usize, wait: u64| match verdicts {
            [] if bits != ANYBODY && tags[&wait].plan.bits & bits == 0 => Verdict::Skip,
            [] => Verdict::Unpark,
            verdicts => verdicts[place % verdicts.len()],
        };
        let is_passed_on = verdicts.is_empty() && count != ALL;
        let (wake, passes_on) = ((key, count, token), is_passed_on.then_some(bits));
        let mut expected = self.expected.wake(wake, verdict, passes_on, policy);
        if verdicts.is_empty() {
            expected.looked_at.clear();
        }
        assert_eq!(found, expected, "wake {token}");
        self.seen.when("a wake panicked", expected.count.is_none());
    }

    fn really_wake(&self, step: &Step, token: u64) -> Woken {
        let table = &self.ground.table;
        let mut looked_at = Vec::new();
        let mut choice = None;
        let mut filter = |verdicts: &[Verdict], waiter: &Candidate| {
            looked_at.push(waiter.tag >> 32);
            match verdicts[(looked_at.len() - 1) % verdicts.len()] {
                Verdict::Unpark => Filter::Unpark,
                Verdict::Skip => Filter::Skip,
                Verdict::Stop => Filter::Stop,
                Verdict::Panics => host::panic(),
            }
        };
        let count = catch(|| match step {
            Step::Unpark { key, count } => table.unpark(self.hash(*key), &Key(*key), *count, token),
            Step::UnparkLast { key } => table.unpark_last(self.hash(*key), &Key(*key), token),
            Step::UnparkBits { key, count, bits } => {
                table.unpark_bitset(self.hash(*key), &Key(*key), *count, *bits, token)
            }
            Step::UnparkFilter {
                key,
                count,
                verdicts,
            } => {
                let filter = |waiter: &Candidate| filter(verdicts, waiter);
                table.unpark_filter(self.hash(*key), &Key(*key), *count, filter, token)
            }
            Step::UnparkWith {
                key,
                count,
                verdicts,
                policy_panics,
            } => {
                let filter = |waiter: &Candidate| filter(verdicts, waiter);
                let policy = |chosen: Choice| {
                    choice = Some((chosen.count, chosen.remain));
                    if *policy_panics {
                        host::panic();
                    }
                    token
                };
                table.unpark_with(self.hash(*key), &Key(*key), *count, filter, policy)
            }
            other => unreachable!("no wake: {other:?}"),
        });
        Woken {
            count,
            looked_at,
            choice,
        }
    }

    pub(crate) fn requeue(
        &mut self,
        (from, to): (u64, u64),
        (wake_max, move_max): (usize, usize),
        answer: Answer,
        panicking: Option<u8>,
    ) {
        let token = self.number();
        let options = RequeueOptions {
            wake_max,
            move_max,
            token,
        };
        let woken_before = host::counts().1;
        let (found, panicked) = host::comparing(panicking, || {
            let (from, to) = ((self.hash(from), &Key(from)), (self.hash(to), &Key(to)));
            catch(|| {
                self.ground
                    .table
                    .requeue(from, to, options, || answered(answer))
            })
        });
        let found = match found {
            Some(Ok(Some(Requeued { woken, moved }))) => Moved::Done { woken, moved },
            Some(Ok(None)) => Moved::Refused,
            Some(Err(())) => Moved::Failed,
            None => Moved::Panicked,
        };
        if panicked {
            assert_eq!(found, Moved::Panicked, "a comparison panicked");
            let woken = host::counts().1 - woken_before;
            self.expected
                .interrupted_requeue(from, wake_max, (woken, token));
            self.seen.add("a comparison panicked", 1);
            return;
        }
        let limits = (wake_max, move_max);
        let is_refused = from != to && self.expected.seals.contains(&to);
        let expected = self.expected.requeue((from, to), limits, token, answer);
        assert_eq!(found, expected, "requeue {token}");
        match expected {
            Moved::Done { moved, .. } if is_refused => {
                self.seen.add("a waiter was moved to a closed key", moved);
            }
            Moved::Done { moved, .. } => self.seen.add("a waiter was moved", moved),
            Moved::Panicked => self.seen.add("a requeue panicked", 1),
            _ => {}
        }
    }
}
