//! The report as a table for people.

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::report::{Counts, Exit, Report};
use crate::shown::duration;

const HEADER: [&str; 15] = [
    "process",
    "program",
    "waits",
    "stale",
    "timeouts",
    "wakes",
    "quiet",
    "woken",
    "requeues",
    "moved",
    "keys",
    "collisions",
    "longest",
    "slots",
    "kernel",
];

pub(super) fn render(report: &Report) -> String {
    let Report {
        command,
        exit,
        totals,
        processes,
        ..
    } = report;
    let mut text = format!("slotpark run: `{}` {}\n", command.join(" "), ended(exit));
    if processes.is_empty() {
        text.push_str(
            "No process reported: the dynamic linker loaded no library (a program with file \
             capabilities?), loaded one of another version, or could not show it /proc.",
        );
        return text;
    }
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(HEADER);
    for process in processes {
        let id = process.id.map_or_else(
            || format!("{} more", process.processes),
            |id| id.to_string(),
        );
        table.add_row(row(id, &process.program, &process.counts));
    }
    table.add_row(row("total".to_owned(), "", totals));
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    text.push_str(&table.trim_fmt());
    let longest: Vec<_> = totals
        .longest_waits_ns
        .iter()
        .copied()
        .map(duration)
        .collect();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "\n\nlongest waits: {}; waited in all {}; at most {} waiting at once, {} still at the end\n\
         slots used: at most {} of {}; waits in the busiest: {}\n\
         waits ended by signals: {}; calls refused: {}, and {} that neither side could answer\n\
         quiet: wakes without a futex syscall; keys: estimated; kernel: futex calls left to it",
        if longest.is_empty() {
            "none".to_owned()
        } else {
            longest.join(", ")
        },
        duration(totals.wait_ns),
        totals.waiting_most,
        totals.waiting_at_end,
        totals.slots_used,
        totals.slots,
        totals.busiest_slot_waits,
        totals.interrupted,
        totals.refused,
        totals.unanswered,
    );
    text
}

fn ended(exit: &Exit) -> String {
    match (exit.code, exit.signal) {
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        (code, None) => format!("ended with status {}", code.unwrap_or(0)),
    }
}

fn row(id: String, program: &str, counts: &Counts) -> Vec<String> {
    let longest = counts
        .longest_waits_ns
        .first()
        .copied()
        .map_or_else(|| "-".to_owned(), duration);
    let mut row = vec![id, program.to_owned()];
    row.extend(
        [
            counts.waits,
            counts.stale,
            counts.timeouts,
            counts.wakes,
            counts.wakes_without_syscall,
        ]
        .map(|count| count.to_string()),
    );
    row.extend(
        [
            counts.woken,
            counts.requeues,
            counts.moved,
            counts.keys_estimate,
            counts.collisions,
        ]
        .map(|count| count.to_string()),
    );
    row.extend([
        longest,
        counts.slots_used.to_string(),
        counts.kernel_calls.to_string(),
    ]);
    row
}
