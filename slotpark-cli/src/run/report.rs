//! What the processes counted, read from the shared memory.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use serde::Serialize;

use super::layout::{self, Counter};
use super::shared::Shared;
use super::table;

/// The report of one run. Its JSON form is stable: fields are added, never changed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: u32,
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    pub(super) exit: Exit,
    /// Of all processes together.
    pub(super) totals: Counts,
    pub(super) processes: Vec<Process>,
}

/// How the program ended: one of both.
#[derive(Debug, Serialize)]
pub(super) struct Exit {
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
}

/// What one process counted, or several that found no row of their own.
#[derive(Debug, Serialize)]
pub(super) struct Process {
    /// `null` for several.
    pub(super) id: Option<u32>,
    pub(super) parent: Option<u32>,
    /// The file name of the program that it ran last; cut off after 32 bytes.
    pub(super) program: String,
    /// How many processes these counts are of.
    pub(super) processes: u64,
    #[serde(flatten)]
    pub(super) counts: Counts,
}

/// Counts of futex calls that reached the slots.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Counts {
    /// Waits, whatever became of them.
    pub(super) waits: u64,
    /// Waits whose word held another value.
    pub(super) stale: u64,
    pub(super) timeouts: u64,
    /// Waits that a signal ended.
    pub(super) interrupted: u64,
    /// Waits that had not ended when the program did.
    pub(super) waiting_at_end: u64,
    /// The most threads of one process that waited at once.
    pub(super) waiting_most: u64,
    /// Time spent in waits that ended.
    pub(super) wait_ns: u64,
    /// The longest waits that ended, longest first.
    pub(super) longest_waits_ns: Vec<u64>,
    pub(super) wakes: u64,
    /// Wakes for which the kernel was not asked to wake anybody: nobody waited, or none slept. (The
    /// signal mask is set by syscall wherever a slot lock is taken; that is not counted.)
    pub(super) wakes_without_syscall: u64,
    /// Waiters woken, by wakes and requeues.
    pub(super) woken: u64,
    pub(super) requeues: u64,
    /// Waiters moved by requeues.
    pub(super) moved: u64,
    /// Distinct keys waited on, estimated from a bitmap; exact but for a few per cent.
    pub(super) keys_estimate: u64,
    /// Waits that shared their slot with waiters of other keys.
    pub(super) collisions: u64,
    /// Slots of one process's table that were ever waited in, the most of any process.
    pub(super) slots_used: u64,
    /// Slots of a table.
    pub(super) slots: u64,
    /// Waits in the busiest slot of any process.
    pub(super) busiest_slot_waits: u64,
    /// Calls refused as the kernel refuses them: bad arguments.
    pub(super) refused: u64,
    /// Waits on private and shared words at once, which neither side can answer: ENOSYS.
    pub(super) unanswered: u64,
    /// Futex calls that were left to the kernel: shared words, priority inheritance, commands that
    /// are not known here, addresses that no program has.
    pub(super) kernel_calls: u64,
}

impl Report {
    pub(super) fn read(
        shared: &Shared,
        command: &[OsString],
        status: ExitStatus,
    ) -> io::Result<Self> {
        let ids = shared.ids()?;
        let mut processes = Vec::with_capacity(ids.len());
        for (index, id) in ids.into_iter().enumerate() {
            processes.push(Process::read(&Row(shared.row(index)?), Some(id)));
        }
        let others = Process::read(&Row(shared.row(layout::ROWS)?), None);
        if others.processes > 0 {
            processes.push(others);
        }
        let totals = processes
            .iter()
            .fold(Counts::default(), |sum, one| sum.plus(&one.counts));
        Ok(Self {
            schema: 1,
            command: command
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect(),
            exit: Exit {
                code: status.code(),
                signal: status.signal(),
            },
            totals,
            processes,
        })
    }

    /// The report as text, or as one line of JSON.
    pub(super) fn render(&self, json: bool) -> serde_json::Result<Vec<u8>> {
        let mut text = if json {
            serde_json::to_vec(self)?
        } else {
            table::render(self).into()
        };
        text.push(b'\n');
        Ok(text)
    }
}

impl Process {
    fn read(row: &Row, id: Option<u32>) -> Self {
        let parent = id.map(|_| row.counter(Counter::Parent) as u32);
        let program = id.map_or_else(|| "(others)".to_owned(), |_| row.name());
        Self {
            id,
            parent,
            program,
            processes: row.counter(Counter::Processes),
            counts: row.counts(),
        }
    }
}

impl Counts {
    /// The counts of both: sums, or the larger where a count is of one table or one moment.
    fn plus(mut self, other: &Self) -> Self {
        self.waits += other.waits;
        self.stale += other.stale;
        self.timeouts += other.timeouts;
        self.interrupted += other.interrupted;
        self.waiting_at_end += other.waiting_at_end;
        self.waiting_most = self.waiting_most.max(other.waiting_most);
        self.wait_ns = self.wait_ns.saturating_add(other.wait_ns);
        self.longest_waits_ns.extend(&other.longest_waits_ns);
        longest_first(&mut self.longest_waits_ns);
        self.wakes += other.wakes;
        self.wakes_without_syscall += other.wakes_without_syscall;
        self.woken += other.woken;
        self.requeues += other.requeues;
        self.moved += other.moved;
        self.keys_estimate += other.keys_estimate;
        self.collisions += other.collisions;
        self.slots_used = self.slots_used.max(other.slots_used);
        self.slots = layout::SLOTS as u64;
        self.busiest_slot_waits = self.busiest_slot_waits.max(other.busiest_slot_waits);
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.kernel_calls += other.kernel_calls;
        self
    }
}

fn longest_first(waits_ns: &mut Vec<u64>) {
    waits_ns.sort_unstable_by(|a, b| b.cmp(a));
    waits_ns.truncate(layout::LONGEST);
}

/// The bytes of a row.
struct Row([u8; layout::ROW_BYTES]);

impl Row {
    fn words(&self, at: usize, count: usize) -> impl Iterator<Item = u64> {
        let bytes = &self.0[at..at + count * 8];
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|word| u64::from_ne_bytes(*word))
    }

    fn counter(&self, counter: Counter) -> u64 {
        self.words(counter as usize * 8, 1).sum()
    }

    fn name(&self) -> String {
        let name = &self.0[Counter::Name as usize * 8..][..layout::NAME_BYTES];
        let end = name
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(name.len());
        String::from_utf8_lossy(&name[..end]).into_owned()
    }

    fn counts(&self) -> Counts {
        let parks = &self.0[layout::PARKS_AT..][..layout::SLOTS * 4];
        let parks: Vec<u32> = parks
            .as_chunks()
            .0
            .iter()
            .map(|parks| u32::from_ne_bytes(*parks))
            .collect();
        let mut longest_waits_ns: Vec<u64> = self
            .words(Counter::Longest as usize * 8, layout::LONGEST)
            .filter(|&ns| ns > 0)
            .collect();
        longest_first(&mut longest_waits_ns);
        let key_bits = self
            .words(layout::KEYS_AT, layout::KEY_WORDS)
            .map(u64::count_ones)
            .sum();
        Counts {
            waits: self.counter(Counter::Waits),
            stale: self.counter(Counter::Stale),
            timeouts: self.counter(Counter::Timeouts),
            interrupted: self.counter(Counter::Interrupted),
            waiting_at_end: self.counter(Counter::Waiting),
            waiting_most: self.counter(Counter::WaitingMost),
            wait_ns: self.counter(Counter::WaitNs),
            longest_waits_ns,
            wakes: self.counter(Counter::Wakes),
            wakes_without_syscall: self.counter(Counter::WakesQuiet),
            woken: self.counter(Counter::Woken),
            requeues: self.counter(Counter::Requeues),
            moved: self.counter(Counter::Moved),
            keys_estimate: estimate(key_bits, layout::KEY_WORDS * 64),
            collisions: self.counter(Counter::Collisions),
            slots_used: parks.iter().filter(|&&parks| parks > 0).count() as u64,
            slots: layout::SLOTS as u64,
            busiest_slot_waits: parks.iter().copied().max().unwrap_or(0).into(),
            refused: self.counter(Counter::Refused),
            unanswered: self.counter(Counter::Unanswered),
            kernel_calls: self.counter(Counter::Kernel),
        }
    }
}

/// Linear counting: how many distinct keys have most likely set this many of the bits. A full
/// bitmap says no more than that there were many.
fn estimate(set: u32, bits: usize) -> u64 {
    let bits = bits as f64;
    let clear = (bits - f64::from(set)).max(1.0);
    (bits * (bits / clear).ln()).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_estimates() {
        let bits = layout::KEY_WORDS * 64;
        assert_eq!(estimate(0, bits), 0);
        assert_eq!(estimate(1, bits), 1);
        assert_eq!(estimate(20, bits), 20);
        // 10,000 keys leave 8192 * exp(-10000 / 8192) bits clear.
        let clear = (bits as f64 * (-10_000.0 / bits as f64).exp()) as u32;
        assert!(estimate(bits as u32 - clear, bits).abs_diff(10_000) < 20);
        assert_eq!(estimate(bits as u32, bits), estimate(bits as u32 - 1, bits));
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let mut row = Row([0; layout::ROW_BYTES]);
        let mut set = |at: usize, word: u64| row.0[at..at + 8].copy_from_slice(&word.to_ne_bytes());
        set(Counter::Waits as usize * 8, 7);
        set(Counter::Kernel as usize * 8, 9);
        for (index, wait_ns) in [3, 0, 5, 4].into_iter().enumerate() {
            set((Counter::Longest as usize + index) * 8, wait_ns);
        }
        set(layout::KEYS_AT, 0b101);
        row.0[Counter::Name as usize * 8..][..3].copy_from_slice(b"abc");
        row.0[layout::PARKS_AT..][..4].copy_from_slice(&6_u32.to_ne_bytes());
        row.0[layout::PARKS_AT + 4 * 511..][..4].copy_from_slice(&2_u32.to_ne_bytes());
        let counts = row.counts();
        assert_eq!((counts.waits, counts.kernel_calls, counts.wakes), (7, 9, 0));
        assert_eq!(counts.longest_waits_ns, [5, 4, 3]);
        assert_eq!((counts.keys_estimate, counts.slots_used), (2, 2));
        assert_eq!(counts.busiest_slot_waits, 6);
        assert_eq!(row.name(), "abc");
    }
}
