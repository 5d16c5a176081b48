//! The waits of threads.

use slotpark_core::{Clock, Deadline, ParkOptions, Parked, Platform};

use crate::oracle::{self, Begun, Doing, Told};
use crate::program::Brings;
use crate::world::World;

impl<P: Platform> World<P> {
    /// A wait begins on these keys: what it is numbered, and the versions that it waits for the end
    /// of.
    pub(crate) fn begin(&self, number: u64, wait: u64, keys: &[u64], plan: Begun) -> Vec<u32> {
        let versions: Vec<u32> = keys.iter().map(|key| self.version(*key)).collect();
        let begun = Begun {
            number,
            keys: keys.to_vec(),
            versions: versions.clone(),
            ..plan
        };
        oracle::begin_wait(wait, begun);
        versions
    }

    /// Validates one entry; the oracle knows of a no before the engine does.
    pub(crate) fn validate(&self, wait: u64, entry: usize, key: u64, version: u32) -> bool {
        let is_current = self.is_current(key, version);
        if !is_current {
            oracle::refuse(wait, entry);
        }
        is_current
    }

    pub(crate) fn wait(&self, key: u64, brings: Brings) {
        let wait = self.number();
        let version = self.begin(wait, wait, &[key], brings.of_thread())[0];
        let (done, parked) = oracle::during(Doing::Wait { wait }, || {
            self.table.park_with(
                self.at(key),
                &key,
                brings.options(wait),
                || Ok::<_, ()>(self.validate(wait, 0, key, version)),
                || {},
                |left| oracle::left_queue(wait, left.last),
            )
        });
        let parked = parked.expect("this validate has no errors");
        oracle::judge(wait, done, parked.into());
    }

    pub(crate) fn wait_interruptible(&self, thread: usize, key: u64, brings: Brings) {
        let wait = self.number();
        let begun = brings.of_claimed_thread(thread);
        let version = self.begin(wait, wait, &[key], begun)[0];
        let (done, parked) = oracle::during(Doing::Wait { wait }, || {
            let interrupter = &self.interrupters[thread];
            let validate = || self.validate(wait, 0, key, version);
            let options = brings.options(wait);
            self.table
                .park_interruptible(self.at(key), &key, options, interrupter, validate)
        });
        oracle::judge(wait, done, parked.into());
    }

    pub(crate) fn wait_any(&self, thread: usize, keys: &[u64], brings: Brings) {
        let wait = self.number();
        let versions = self.begin(wait, wait, keys, brings.of_claimed_thread(thread));
        let entries: Vec<(u64, &u64)> = keys.iter().map(|key| (self.at(*key), key)).collect();
        let validate = |entry: usize| self.validate(wait, entry, keys[entry], versions[entry]);
        let options = brings.options(wait);
        let (done, ended) = oracle::during(Doing::Wait { wait }, || {
            match self.interrupter(thread, brings) {
                Some(interrupter) => {
                    self.table
                        .park_any_interruptible(&entries, options, interrupter, validate)
                }
                None => self.table.park_any(&entries, options, validate),
            }
        });
        oracle::judge(wait, done, ended.into());
    }

    /// Queues first, and looks at the value then.
    pub(crate) fn prepare(&self, key: u64, brings: Brings, wakes: Option<u64>, leaves: bool) {
        let wait = self.number();
        let version = self.version(key);
        let begun = Begun {
            number: wait,
            keys: vec![key],
            // It looks at the value once it is queued.
            versions: vec![u32::MAX],
            ..brings.of_thread()
        };
        oracle::begin_wait(wait, begun);
        let (done, outcome) = oracle::during(Doing::Wait { wait }, || {
            self.table
                .prepare(self.at(key), &key, brings.options(wait), |prepared| {
                    if let Some(other) = wakes {
                        self.wake(other, 1);
                    }
                    let waits = !leaves && self.is_current(key, version);
                    waits.then(|| prepared.wait())
                })
        });
        let what = match outcome {
            Ok(None) => {
                oracle::saw("a prepared thread passed a wake on", done.woken);
                oracle::left(wait, done);
                "a prepared thread left"
            }
            Ok(Some(parked)) | Err(parked) => {
                oracle::judge(wait, done, Told::from(parked));
                match parked {
                    Parked::Woken { .. } => "a prepared thread was woken",
                    Parked::TimedOut => "a prepared thread timed out",
                    _ => "a prepared thread was closed",
                }
            }
        };
        oracle::saw(what, 1);
    }
}

impl Brings {
    pub(crate) fn options(self, number: u64) -> ParkOptions {
        let at = |at| Deadline::new(Clock::Monotonic, at);
        ParkOptions::new()
            .tag(number << 32 | u64::from(self.bits))
            .order(self.order)
            .deadline(self.deadline.map(at))
    }

    /// A wait without a claim; its keys are to be named.
    fn of_thread(self) -> Begun {
        Begun {
            number: 0,
            keys: Vec::new(),
            versions: Vec::new(),
            bits: self.bits,
            order: self.order,
            has_claim: false,
            is_task: false,
            interrupter: None,
            may_time_out: self.deadline.is_some(),
        }
    }

    /// A wait that a claim decides.
    fn of_claimed_thread(self, thread: usize) -> Begun {
        Begun {
            has_claim: true,
            interrupter: self.interruptible.then_some(thread),
            ..self.of_thread()
        }
    }

    /// A task's wait on one key.
    pub(crate) fn of_task(self) -> Begun {
        Begun {
            is_task: true,
            may_time_out: false,
            ..self.of_thread()
        }
    }

    /// A task's wait on several keys.
    pub(crate) fn of_claimed_task(self, thread: usize) -> Begun {
        Begun {
            is_task: true,
            may_time_out: false,
            ..self.of_claimed_thread(thread)
        }
    }
}
