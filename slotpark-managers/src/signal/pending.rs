//! Signals that were sent and not taken yet.

use std::collections::VecDeque;

use super::info::SignalInfo;
use super::number::Signal;
use super::set::SignalSet;
use crate::Pid;

/// What is pending for a thread, or for a process.
///
/// **Invariant**: what has infos is in the set. What is in the set without one was sent past the
/// limit: it is known that it came, not from whom.
#[derive(Debug, Default)]
pub(super) struct Pending {
    set: SignalSet,
    /// In the order in which they came.
    infos: VecDeque<SignalInfo>,
}

impl Pending {
    pub(super) fn set(&self) -> SignalSet {
        self.set
    }

    pub(super) fn add(&mut self, info: SignalInfo) {
        self.set = self.set.with(info.signal);
        self.infos.push_back(info);
    }

    /// That it came, and no more.
    pub(super) fn add_without_info(&mut self, signal: Signal) {
        self.set = self.set.with(signal);
    }

    /// Takes the first one that is `wanted`; the second says whether it was one that counts.
    pub(super) fn take(&mut self, wanted: SignalSet) -> Option<(SignalInfo, bool)> {
        let signal = (self.set & wanted).first()?;
        let is_it = |info: &SignalInfo| info.signal == signal;
        let Some(first) = self.infos.iter().position(is_it) else {
            self.set = self.set.without(signal);
            return Some((SignalInfo::user(signal, Pid(0)), false));
        };
        let info = self.infos.remove(first)?;
        if !self.infos.iter().skip(first).any(is_it) {
            self.set = self.set.without(signal);
        }
        Some((info, true))
    }

    /// Throws away all that is `unwanted`; how many of it count.
    pub(super) fn discard(&mut self, unwanted: SignalSet) -> usize {
        if (self.set & unwanted).is_empty() {
            return 0;
        }
        self.set = self.set & !unwanted;
        let before = self.infos.len();
        self.infos.retain(|info| !unwanted.contains(info.signal));
        before - self.infos.len()
    }

    /// How many count.
    pub(super) fn len(&self) -> usize {
        self.infos.len()
    }
}
