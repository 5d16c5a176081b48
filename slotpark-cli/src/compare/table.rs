//! The report as tables for people.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use slotpark_report::short;

use super::workloads::locks::SEED;
use crate::measure::report::{Figures, Number, Ratio, Report};
use crate::measure::{Side, Unit};

/// Engines side by side in one table, unless a row has more.
const COLUMNS_MAX: usize = 7;

/// What a reader should expect of the engines that are here to be replaced.
const OF_THREADS: [&str; 2] = [
    "seed_slot is expected to lose wakes and to hang: it wakes whoever is first in a shared slot.",
    "dashmap_arc keeps its entries; in hang_demo_ms waiters remove them, and are expected to hang.",
];

/// What a reader must know to judge the figures of tasks.
const OF_TASKS: [&str; 4] = [
    "slotpark_alone is slotpark with nobody else waiting: what others on other keys cost it.",
    "maitake has one list of all waiters, one waiter per key, and looks at no condition here.",
    "tokio_notify, event_listener and async_event: an event per key in a DashMap, removed again.",
    "A target is met when the median is.",
];

/// What a reader must know to judge the figures of locks.
const OF_LOCKS: [&str; 10] = [
    "lock_fresh and so on: a key that was never used, by one thread. In lock_fresh_closure engines \
     without a form for closures hold a guard.",
    "dashmap_...: an Arc of a lock in a DashMap, removed by the last who uses it; dashmap_kept \
     keeps it.",
    "striped_512 is no lock by key: keys of one stripe exclude each other. It is the floor.",
    "slotpark_word, parking_lot, std_mutex and the same with _fair are one lock without keys.",
    "lock_rss_kept, lock_bytes_kept: after 10 million distinct keys, 1 million in a quick run.",
    "lock_zipf, lock_hot and permit_N_threads: time for each one done by anybody; lock_zipf: a \
     million keys, exponent 0.99.",
    "..._fair: engines that serve in turn; ..._barging: whoever comes may take what is free.",
    "..._least_share: of the thread that got least, 1 where all got the same.",
    "flight_N_shared: from the value until all have it; ..._made: values made for each call. moka \
     is a cache and keeps them.",
    "A target is met when the median is.",
];

/// What a reader must know to judge the figures of the futex.
const OF_FUTEX: [&str; 6] = [
    "kernel: the system call itself, private, with the same numbers; no library between.",
    "slotpark: FutexAbi on the process-wide table; slotpark_no_spin: on one whose waits sleep at \
     once.",
    "futex_..._none: nobody waits; futex_..._stale: the word holds another value, in \
     futex_waitv_8_stale the last of eight words does.",
    "futex_wait_stale_timed: a timeout is given; futex_wait_past_deadline: one that has passed, \
     and the word as expected.",
    "futex_round_trip_...: two threads wake each other by two words; busy: while as many threads \
     as there are cores compute.",
    "A target is met when the median is: 0.02 is 50 times as fast.",
];

/// What a reader must know to judge the figures of the managers.
const OF_MANAGERS: [&str; 7] = [
    "pipe_N_bytes: one thread writes blocks of N bytes, another one reads them; time for each \
     block. A pipe has room for 64 KiB, the channel for as many blocks as that are, or for one.",
    "crossbeam_channel: each block is a Vec that the sender allocates and fills, and the receiver \
     drops: bytes are copied once, by pipes twice.",
    "pipe_round_trip: one byte there by one pipe and back by another; ..._cpu: the processor time \
     of both threads.",
    "map_and_wait: a word found by key in a DashMap and a wait on a ShardedWait, and no pipe: the \
     least that blocking by key takes.",
    "pipe_blocked_read: a read is polled and waits, a byte is written, it is polled and done: one \
     thread, and nobody sleeps. pipe_ready_read: not polled before the byte is there. \
     pipe_blocking: the difference.",
    "signal_deliver: slotpark: send, deliver, end_handler; kernel: kill(2) of the process itself, \
     its handler, and back.",
    "process_...: for each of 100,000 children with their signals; ..._own_actions: each has set \
     one; ..._kept: by maps, when all are gone.",
];

/// The whole report as text.
pub(crate) fn text(report: &Report) -> String {
    let mut lines = vec![report.machine.to_string()];
    lines.extend(
        report
            .machine
            .doubts()
            .into_iter()
            .map(|doubt| format!("Beware: {doubt}.")),
    );
    lines.push("\nMedian of the rounds, and from the lowest to the highest of them:".to_owned());
    let sides = report.rows.chunk_by(|a, b| a.side == b.side);
    lines.extend(sides.clone().flat_map(figures));
    lines.push(
        "\nslotpark / other, paired within a round: median, and from lowest to highest.".to_owned(),
    );
    lines.push("Where that contains 1, no difference is shown:".to_owned());
    let ratios_of = report.ratios.chunk_by(|a, b| a.side == b.side);
    lines.extend(ratios_of.flat_map(ratios));
    lines.extend(report.notes.iter().map(|note| format!("{note}.")));
    for rows in sides {
        match rows[0].side {
            Side::Threads => lines.extend(OF_THREADS.map(str::to_owned)),
            Side::Tasks => lines.extend(OF_TASKS.map(str::to_owned)),
            Side::Locks => lines.extend(of_locks()),
            Side::Futex => lines.extend(OF_FUTEX.map(str::to_owned)),
            Side::Managers => lines.extend(OF_MANAGERS.map(str::to_owned)),
        }
    }
    lines.push("A round that hung was cut off and enters at the cut-off time.".to_owned());
    lines.join("\n")
}

fn of_locks() -> impl Iterator<Item = String> {
    let seed = format!("All keys of locks are drawn from the seed {SEED}.");
    OF_LOCKS.into_iter().map(str::to_owned).chain([seed])
}

fn figures(rows: &[Figures]) -> Vec<String> {
    let cell = |figures: &Figures| {
        let Some(median) = figures.median.0 else {
            return "-".to_owned();
        };
        let show = |Number(value): Number| amount(value.unwrap_or(0.0), figures.unit);
        let mut cell = amount(median, figures.unit);
        if figures.min != figures.max {
            cell += &format!("\n{} .. {}", show(figures.min), show(figures.max));
        }
        if figures.hung > 0 {
            cell += &format!("\nhung: {} of {}", figures.hung, figures.rounds);
        }
        cell
    };
    grids(rows, |figures| (figures.row, figures.engine), cell)
}

fn ratios(rows: &[Ratio]) -> Vec<String> {
    let cell = |ratio: &Ratio| {
        let (Some(median), Some(lo), Some(hi)) = (ratio.median.0, ratio.lo.0, ratio.hi.0) else {
            return "-".to_owned();
        };
        let target = ratio.target.map_or_else(String::new, |target| {
            let met = if median <= target { "met" } else { "missed" };
            format!("\ntarget {}x: {met}", short(target))
        });
        format!(
            "{}x ({} .. {})\n{}{target}",
            short(median),
            short(lo),
            short(hi),
            ratio.verdict
        )
    };
    grids(rows, |ratio| (ratio.row, ratio.to), cell)
}

/// Tables with a line for each row and a column for each engine, both in the order of the report; a
/// new one where a row's engines would make it too wide.
fn grids<T>(
    items: &[T],
    place: impl Fn(&T) -> (&'static str, &'static str) + Copy,
    cell: impl Fn(&T) -> String + Copy,
) -> Vec<String> {
    let (mut begin, mut end) = (0, 0);
    let mut engines: Vec<&str> = Vec::new();
    let mut tables = Vec::new();
    for same_row in items.chunk_by(|a, b| place(a).0 == place(b).0) {
        let of_row = same_row.iter().map(|item| place(item).1);
        let new = of_row.clone().filter(|engine| !engines.contains(engine));
        if !engines.is_empty() && engines.len() + new.clone().count() > COLUMNS_MAX {
            tables.push(grid(&items[begin..end], &engines, place, cell).to_string());
            begin = end;
            engines = of_row.collect();
        } else {
            let new: Vec<&str> = new.collect();
            engines.extend(new);
        }
        end += same_row.len();
    }
    tables.push(grid(&items[begin..end], &engines, place, cell).to_string());
    tables
}

fn grid<T>(
    items: &[T],
    engines: &[&str],
    place: impl Fn(&T) -> (&'static str, &'static str),
    cell: impl Fn(&T) -> String,
) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    table.set_header(std::iter::once("").chain(engines.iter().copied()));
    for same_row in items.chunk_by(|a, b| place(a).0 == place(b).0) {
        let mut line = vec![place(&same_row[0]).0.to_owned()];
        for engine in engines {
            let found = same_row.iter().find(|item| place(item).1 == *engine);
            line.push(found.map_or_else(String::new, &cell));
        }
        table.add_row(line);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A figure with its unit, as short as it can be read.
fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => short(value),
        Unit::Bytes => slotpark_report::amount(value, slotpark_report::Unit::Bytes),
        Unit::Ms => format!("{} ms", short(value)),
        Unit::Ns => slotpark_report::amount(value, slotpark_report::Unit::Ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_unit() {
        assert_eq!(amount(25_432.0, Unit::Ns), "25.4 us");
        assert_eq!(amount(32768.0, Unit::Bytes), "32 KiB");
        assert_eq!(amount(2.5, Unit::Ms), "2.5 ms");
        assert_eq!(amount(0.0, Unit::Count), "0");
    }
}
