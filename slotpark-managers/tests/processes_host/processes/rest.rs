//! What the host shows of its processes, once all of them are at rest.

use std::fs;
use std::time::{Duration, Instant};

use super::At;
use super::host::Driver;

/// How long processes may take to come to rest where they are expected.
const REST: Duration = Duration::from_secs(20);

/// What the kernel shows of a process.
pub(super) struct Stat {
    /// `-`: it is gone.
    pub(super) state: char,
    /// Parent, group, session.
    tree: [i32; 3],
    flags: i64,
}

/// The kernel's flag of one that is about to end.
const PF_EXITING: i64 = 4;

impl Driver {
    pub(super) fn stat(&self, at: At) -> Stat {
        let path = format!("/proc/{}/stat", self.pids[at]);
        let text = fs::read_to_string(path).unwrap_or_default();
        let words = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let words: Vec<_> = words.split(' ').collect();
        let number = |index: usize| words.get(index).and_then(|word| word.parse::<i64>().ok());
        let state = words[0].chars().next();
        Stat {
            state: state.filter(|state| *state != 'X').unwrap_or('-'),
            tree: [1, 2, 3].map(|index| number(index).unwrap_or_default() as i32),
            flags: number(6).unwrap_or_default(),
        }
    }

    /// The tree once all are at rest: asleep, stopped, or ended.
    pub(super) fn tree(&self) -> String {
        let begin = Instant::now();
        let mut before = String::new();
        // Asleep may be on the way: a signal is on its way as long as it is pending.
        loop {
            let now = self.tree_now();
            let is_at_rest = (1..self.pids.len()).all(|at| self.is_at_rest(at));
            let is_at_rest = is_at_rest && !now.contains(" R ") && !now.contains(" D ");
            if is_at_rest && now == before || begin.elapsed() > REST {
                return now;
            }
            before = now;
        }
    }

    /// Asleep with no signal to take, stopped, ended or gone.
    fn is_at_rest(&self, at: At) -> bool {
        let stat = self.stat(at);
        match stat.state {
            'S' if stat.flags & PF_EXITING == 0 => {}
            'T' | 'Z' | '-' => return true,
            _ => return false,
        }
        let path = format!("/proc/{}/status", self.pids[at]);
        let text = fs::read_to_string(path).unwrap_or_default();
        let set = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|word| u64::from_str_radix(word.trim(), 16).ok())
        };
        let pending = set("SigPnd:").unwrap_or(0) | set("ShdPnd:").unwrap_or(0);
        pending & !set("SigBlk:").unwrap_or(0) == 0
    }

    fn tree_now(&self) -> String {
        let mut text = String::new();
        for at in 0..self.pids.len() {
            let stat = self.stat(at);
            let [parent, group, session] = stat.tree;
            // The driver runs.
            let state = if at == 0 { 'S' } else { stat.state };
            if state == '-' {
                text += &format!("{at} gone, ");
                continue;
            }
            let (parent, group) = (self.place(parent), self.place(group));
            let session = self.place(session);
            text += &format!("{at} {state} of {parent} in {group} in {session}, ");
        }
        text
    }
}
