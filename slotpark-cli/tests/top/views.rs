//! The terminal view of a snapshot in a file, driven by keys.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use crate::fixture;
use crate::screen::{HANG, STEP, Screen, has_tmux, is_tab_red};
use crate::tools::{folder, slotpark_path, write};

/// A terminal with the view of this snapshot.
fn view(snapshot: &slotpark_inspect::Snapshot) -> Option<(TempDir, Screen)> {
    if !has_tmux() {
        return None;
    }
    let folder = folder();
    write(folder.path(), "seen.json", &snapshot.to_json());
    let command = format!("{} top --file seen.json", slotpark_path());
    let screen = Screen::start((120, 40), folder.path(), &command);
    screen.until_shown("longest waits");
    Some((folder, screen))
}

/// A word of each row of the table that is called this.
fn column(screen: &str, table: &str, column: usize) -> Vec<String> {
    let rows = screen.lines().filter(|line| line.starts_with(table));
    let words = rows.filter_map(|line| line.split_whitespace().nth(column));
    words.map(str::to_owned).collect()
}

#[test]
fn tabs_and_quitting() {
    let Some((_folder, screen)) = view(&fixture::deadlocked()) else {
        return;
    };
    for (key, shown) in [
        ("2", "4 waits, by since"),
        ("3", "2 holders, by since"),
        ("Tab", "wake to run: 300"),
        ("5", "expected"),
        ("Right", "DEADLOCK FOUND"),
        ("Right", "longest waits"),
        ("BTab", "DEADLOCK FOUND"),
        ("?", "Nothing here changes the process"),
    ] {
        screen.press(&[key]);
        screen.until_shown(shown);
    }
    // The first closes the help.
    screen.press(&["q"]);
    screen.until("no help", |text| !text.contains("Nothing here changes"));
    screen.press(&["q"]);
    let after = screen.until_shown("ended with 0");
    assert!(!after.contains("DEADLOCK"), "{after}");
    let settings = screen.until_shown("icanon");
    assert!(
        !settings.contains("-icanon") && !settings.contains("-echo "),
        "{settings}"
    );
}

#[test]
fn rows_are_sorted_and_filtered() {
    let Some((_folder, screen)) = view(&fixture::busy()) else {
        return;
    };
    screen.press(&["2"]);
    screen.until_shown("200 waits, by since");
    screen.press(&["s", "s"]);
    let by_slot = screen.until_shown("200 waits, by slot");
    let slots = |screen: &str| -> Vec<u64> {
        let words = column(screen, "jobs", 1);
        words
            .iter()
            .map(|word| word.parse().expect("a slot"))
            .collect()
    };
    assert!(
        slots(&by_slot).is_sorted() && slots(&by_slot).len() > 20,
        "{by_slot}"
    );
    screen.press(&["r"]);
    let reversed = slots(&screen.until_shown("by slot, reversed"));
    assert!(reversed.is_sorted_by(|one, other| one >= other) && reversed[0] > 500);
    screen.press(&["/", "J", "o", "b", "Space", "3", "9"]);
    screen.until_shown("filter: Job 39_");
    screen.press(&["Enter"]);
    let filtered = screen.until_shown("5 waits, by slot, reversed, with `Job 39`");
    assert_eq!(slots(&filtered).len(), 5, "{filtered}");
    screen.press(&["Enter"]);
    let detail = screen.until_shown("one row");
    assert!(
        detail.contains("key    job 39") && detail.contains("bank::worker"),
        "{detail}"
    );
    screen.press(&["x", "Escape"]);
    screen.until_shown("200 waits, by since");
}

#[test]
fn a_circle_turns_the_tab_red() {
    let Some((_folder, screen)) = view(&fixture::deadlocked()) else {
        return;
    };
    assert!(is_tab_red(&screen.coloured()), "{}", screen.coloured());
    let Some((_folder, screen)) = view(&fixture::busy()) else {
        return;
    };
    assert!(!is_tab_red(&screen.coloured()), "{}", screen.coloured());
}

#[test]
fn any_size_will_do() {
    let Some((_folder, screen)) = view(&fixture::busy()) else {
        return;
    };
    for (width, height) in [(20, 5), (2, 2), (1, 1), (200, 60)] {
        screen.resize(width, height);
        screen.press(&["Tab"]);
    }
    screen.until_shown("200 waiting");
    screen.press(&["q"]);
    screen.until_shown("ended with 0");
}

#[test]
fn what_is_shown_is_exported() {
    let Some((folder, screen)) = view(&fixture::deadlocked()) else {
        return;
    };
    screen.press(&["e"]);
    screen.until_shown("export:");
    screen.press(&["j"]);
    screen.until_shown("written to");
    let text = std::fs::read_to_string(folder.path().join("slotpark-4242-1.json"));
    let written = slotpark_inspect::Snapshot::from_json(&text.expect("it is there"));
    assert_eq!(written.expect("it is a snapshot"), fixture::deadlocked());
    for (key, end) in [
        ("d", "1.txt"),
        ("d", "2.txt"),
        ("h", "html"),
        ("f", "folded"),
        ("p", "prom"),
    ] {
        screen.press(&["e", key]);
        screen.until_shown(end);
    }
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    for signal in ["TERM", "HUP", "INT"] {
        let Some((folder, screen)) = view(&fixture::busy()) else {
            return;
        };
        let list = format!("{} top --file seen.json", slotpark_path());
        kill(&list, folder.path(), signal);
        let settings = screen.until_shown("icanon");
        let number = match signal {
            "TERM" => 143,
            "HUP" => 129,
            _ => 130,
        };
        assert!(
            settings.contains(&format!("ended with {number}")),
            "{settings}"
        );
        assert!(
            !settings.contains("-icanon") && !settings.contains("-echo "),
            "{settings}"
        );
    }
}

/// Nothing goes on without its terminal.
#[test]
fn a_terminal_that_closes_ends_the_view() {
    let Some((folder, screen)) = view(&fixture::busy()) else {
        return;
    };
    let command = format!("{} top --file seen.json", slotpark_path());
    let id = running(&command, folder.path())[0];
    screen.close();
    let begun = Instant::now();
    while running(&command, folder.path()).contains(&id) {
        assert!(begun.elapsed() < HANG, "process {id} goes on");
        thread::park_timeout(STEP);
    }
}

/// Sends a signal to the process that runs exactly this in this folder.
fn kill(command: &str, folder: &Path, signal: &str) {
    let found = running(command, folder);
    assert_eq!(found.len(), 1, "processes that run {command}");
    let id = found[0].to_string();
    let sent = Command::new("kill").args(["-s", signal, &id]).status();
    assert!(sent.expect("kill runs").success());
}

/// The processes that run exactly this in this folder.
fn running(command: &str, folder: &Path) -> Vec<u32> {
    let is_it = |id: &u32| {
        let read = |name: &str| std::fs::read(format!("/proc/{id}/{name}")).unwrap_or_default();
        let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let is_there = std::fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd == folder);
        is_there && line.trim_end() == command
    };
    let entries = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(is_it).collect()
}
