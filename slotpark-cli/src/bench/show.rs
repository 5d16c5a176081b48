//! The report on a terminal.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Color, Table};
use slotpark_report::{Grid, Machine, Report, Section, Tone, sections};

/// All of it.
pub(crate) fn text(report: &Report) -> String {
    let mut parts = vec![machine(&report.machine)];
    parts.extend(sections(report).iter().map(section));
    parts.push(format!(
        "Again, with the same keys: {}",
        report.command.join(" ")
    ));
    parts.join("\n\n")
}

fn machine(machine: &Machine) -> String {
    let Machine {
        cpu,
        cores,
        os,
        kernel,
        load_average,
        rustc,
        slotpark,
        commit,
        ..
    } = machine;
    let gib = machine.memory_bytes >> 30;
    let governor = machine.governor.as_deref().unwrap_or("no governor");
    let scale = if machine.quick {
        "quick run"
    } else {
        "full run"
    };
    let at = if commit.is_empty() { "" } else { " at " };
    let mut lines = vec![
        format!(
            "{cpu}, {cores} cores ({governor}), {gib} GiB; {os}, Linux {kernel}, \
             load {load_average}"
        ),
        format!("slotpark {slotpark}{at}{commit}, {rustc}, {scale}"),
    ];
    let warnings = machine.warnings.iter();
    lines.extend(warnings.map(|warning| format!("Warning: {warning}.")));
    lines.join("\n")
}

fn section(section: &Section) -> String {
    let mut text = format!("{}\n{}", section.title, section.about);
    for (title, grid) in &section.grids {
        text += &format!("\n\n{title}\n{}", table(grid));
    }
    for remark in &section.remarks {
        text += &format!("\n{remark}");
    }
    text
}

fn table(grid: &Grid) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    table.set_header(&grid.head);
    for row in &grid.rows {
        table.add_row(row.iter().map(|cell| {
            let shown = comfy_table::Cell::new(cell.text.replace(" (", "\n("));
            match cell.tone {
                Tone::Plain => shown,
                Tone::Good => shown.fg(Color::Green),
                Tone::Bad => shown.fg(Color::Red),
            }
        }));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
