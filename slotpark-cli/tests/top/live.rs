//! Running programs are looked at: what a deadlock is, what has changed, what has ended.

use slotpark_inspect::Snapshot;

use crate::screen::{Screen, has_tmux, is_tab_red};
use crate::tools::{Running, folder, run, slotpark_path, text};

fn top(folder: &std::path::Path, process: u32) -> Screen {
    let command = format!("{} top --interval 0.2 {process}", slotpark_path());
    Screen::start((120, 40), folder, &command)
}

/// The same circle, of threads, of tasks, and of one of each.
#[test]
fn a_deadlock_is_found_and_told() {
    for (kind, parties) in [
        ("threads", ["\"rent\"", "\"salary\""]),
        ("tasks", ["task ", "\"rent\""]),
        ("mixed", ["thread ", "task "]),
    ] {
        let folder = folder();
        let program = Running::start(folder.path(), "deadlock", &[kind]);
        let id = program.id().to_string();
        let told = run(folder.path(), &["inspect", "deadlocks", &id]);
        let said = text(&told.stdout);
        assert_eq!(told.status.code(), Some(1), "{kind}: {said}");
        let named = ["Account(7)", "Account(9)", "deadlock.rs:", "\"audit\""];
        for part in named.into_iter().chain(parties) {
            assert!(said.contains(part), "{kind}: no {part} in\n{said}");
        }
        if !has_tmux() {
            continue;
        }
        let screen = top(folder.path(), program.id());
        screen.until_shown("6 wait-for!");
        assert!(is_tab_red(&screen.coloured()), "{}", screen.coloured());
        screen.press(&["6"]);
        let parts = ["1 DEADLOCK FOUND", "A CIRCLE", "deadlock.rs:"];
        screen.until("the circle", |view| {
            parts.iter().all(|part| view.contains(part))
        });
    }
}

#[test]
fn a_program_that_goes_on_is_not_deadlocked() {
    let folder = folder();
    let program = Running::start(folder.path(), "busy", &[]);
    let id = program.id().to_string();
    for _ in 0..5 {
        let told = run(folder.path(), &["inspect", "deadlocks", &id]);
        assert_eq!(text(&told.stdout), "no deadlock\n");
        assert!(told.status.success());
    }
}

#[test]
fn text_and_json_say_what_is_there() {
    let folder = folder();
    let program = Running::start(folder.path(), "busy", &[]);
    let id = program.id().to_string();
    let overview = text(&run(folder.path(), &["top", "--once", &id]).stdout);
    for part in [
        "table jobs: 512 slots",
        "table pages:",
        "worker-",
        "Job(",
        "busy.rs:",
    ] {
        assert!(overview.contains(part), "no {part} in\n{overview}");
    }
    let json = run(folder.path(), &["inspect", "json", &id]);
    let snapshot = Snapshot::from_json(&text(&json.stdout)).expect("it is a snapshot");
    assert_eq!(snapshot.process, program.id());
    let names = snapshot.tables.iter().map(|table| table.name.as_str());
    assert!(
        names.clone().any(|name| name == "jobs"),
        "{:?}",
        names.collect::<Vec<_>>()
    );
    for (form, part) in [
        ("dump", "worker-1"),
        ("html", "<html"),
        ("folded", "busy.rs"),
        ("prometheus", "slotpark"),
    ] {
        let output = run(folder.path(), &["inspect", form, &id]);
        let said = text(&output.stdout);
        assert!(
            output.status.success() && said.contains(part),
            "{form}: {said}"
        );
    }
}

#[test]
fn what_has_changed_is_told() {
    if !has_tmux() {
        return;
    }
    let folder = folder();
    let program = Running::start(folder.path(), "busy", &[]);
    let screen = top(folder.path(), program.id());
    screen.until_shown("longest waits");
    screen.press(&["d"]);
    screen.until_shown("freeze first");
    screen.press(&["f"]);
    let frozen = screen.until_shown("FROZEN");
    screen.press(&["d"]);
    // Parks go on while the view stands still.
    screen.until("growth", |text| {
        text.contains(" later: ") && text.contains("jobs: parks +")
    });
    screen.press(&["Escape"]);
    let is_back = |text: &str| text.contains("FROZEN") && !text.contains(" later: ");
    let again = screen.until("the view again", is_back);
    let body = |text: &str| text.lines().take(30).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&again), body(&frozen));
    screen.press(&["f"]);
    screen.until("no longer frozen", |text| !text.contains("FROZEN"));
}

#[test]
fn a_process_that_ends_is_told_of() {
    if !has_tmux() {
        return;
    }
    let folder = folder();
    let mut program = Running::start(folder.path(), "busy", &[]);
    let screen = top(folder.path(), program.id());
    screen.until_shown("longest waits");
    let listed = || text(&run(folder.path(), &["inspect", "list"]).stdout);
    assert!(listed().contains(&program.id().to_string()), "{}", listed());
    program.kill();
    let view = screen.until_shown("has ended");
    // What was seen last can still be read.
    assert!(
        view.contains("longest waits") && view.contains("worker-"),
        "{view}"
    );
    assert!(
        !listed().contains(&program.id().to_string()),
        "{}",
        listed()
    );
    screen.press(&["q"]);
    screen.until_shown("ended with 0");
}

#[test]
fn of_several_processes_one_is_chosen() {
    if !has_tmux() {
        return;
    }
    let folder = folder();
    let programs = ["busy", "deadlock"].map(|name| Running::start(folder.path(), name, &[]));
    let refused = run(folder.path(), &["top", "--once"]);
    let said = text(&refused.stderr);
    assert!(said.contains("several"), "{said}");
    for program in &programs {
        assert!(said.contains(&program.id().to_string()), "{said}");
    }
    let command = format!("{} top", slotpark_path());
    let screen = Screen::start((100, 30), folder.path(), &command);
    let list = screen.until_shown("examples/deadlock");
    assert!(list.contains("examples/busy"), "{list}");
    let row = |name: &str| {
        let mut rows = list.lines().skip(1);
        rows.position(|line| line.contains(name))
            .expect("it is listed")
    };
    for _ in 0..row("examples/deadlock") {
        screen.press(&["Down"]);
    }
    screen.press(&["Enter"]);
    screen.until_shown("deadlock (");
    screen.press(&["p"]);
    screen.until_shown("processes with an open socket");
    screen.press(&["q"]);
    screen.until_shown("ended with 0");
}
