//! Every view at usual sizes as it was last accepted, and at all sizes without a panic.
//!
//! `INSTA_UPDATE=always cargo test -p slotpark-cli` accepts what is drawn now; the difference is
//! then in the commit.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use slotpark_inspect::Snapshot;

use super::fixture;
use super::state::{Heat, Mode, State, Tab};
use super::theme::Theme;
use super::{text, views};

/// A view that has looked twice, so that deadlocks are told.
fn seen(snapshot: Snapshot) -> State {
    let mut state = State::default();
    state.take(snapshot.clone());
    state.take(Snapshot {
        at_ns: snapshot.at_ns + 1_000_000_000,
        ..snapshot
    });
    state
}

fn drawn(state: &mut State, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let draw = |frame: &mut ratatui::Frame| views::draw(frame, state, &Theme::COLOURS);
    terminal.draw(draw).unwrap();
    terminal
}

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

#[test]
fn views_are_drawn_as_accepted() {
    for (width, height) in SIZES {
        for tab in Tab::ALL {
            let mut state = seen(fixture::deadlocked());
            state.select(tab);
            let name = format!("{}_{width}x{height}", tab.name());
            insta::assert_snapshot!(name, drawn(&mut state, width, height).backend());
        }
    }
}

#[test]
fn a_busy_table_is_drawn_as_accepted() {
    let mut state = seen(fixture::busy());
    state.heat = Heat::Parks;
    insta::assert_snapshot!(drawn(&mut state, 120, 40).backend());
    state.select(Tab::Waits);
    state.filter = "job 3".to_owned();
    state.row = 7;
    insta::assert_snapshot!(drawn(&mut state, 80, 24).backend());
}

#[test]
fn what_lies_over_views_is_drawn_as_accepted() {
    let mut state = seen(fixture::deadlocked());
    state.select(Tab::Waits);
    state.freeze();
    let mut later = fixture::deadlocked();
    later.at_ns += 2_500_000_000;
    later.tables[0].waits.pop();
    later.tables[0].slots[0].parks += 7;
    state.take(later);
    for (name, mode) in [
        ("help", Mode::Help),
        ("detail", Mode::Detail),
        ("diff", Mode::Diff),
        ("filter", Mode::Filter),
        ("export", Mode::Export),
    ] {
        state.mode = mode;
        insta::assert_snapshot!(name, drawn(&mut state, 80, 24).backend());
    }
}

#[test]
fn the_text_is_as_accepted() {
    insta::assert_snapshot!(
        "text_deadlocked",
        text::overview(&seen(fixture::deadlocked()))
    );
    insta::assert_snapshot!("text_busy", text::overview(&seen(fixture::busy())));
}

#[test]
fn no_size_is_too_small() {
    let modes = [
        Mode::Views,
        Mode::Filter,
        Mode::Export,
        Mode::Help,
        Mode::Detail,
        Mode::Diff,
    ];
    for (width, height) in [
        (1, 1),
        (2, 2),
        (3, 9),
        (9, 3),
        (20, 6),
        (200, 1),
        (1, 60),
        (60, 5),
    ] {
        for snapshot in [fixture::deadlocked(), fixture::busy(), Default::default()] {
            let mut state = seen(snapshot);
            state.freeze();
            for mode in modes {
                for tab in Tab::ALL {
                    state.mode = mode;
                    state.select(tab);
                    state.row = 1_000;
                    drop(drawn(&mut state, width, height));
                }
            }
        }
        drop(drawn(&mut State::default(), width, height));
    }
}

#[test]
fn a_circle_turns_the_tab_red() {
    let background = |state: &mut State| {
        let terminal = drawn(state, 80, 24);
        let cells = terminal.backend().buffer().content();
        cells.iter().any(|cell| cell.bg == Color::Red)
    };
    assert!(background(&mut seen(fixture::deadlocked())));
    assert!(!background(&mut seen(fixture::busy())));
    // Seen once, it may be a wait that is just ending.
    let mut state = State::default();
    state.take(fixture::deadlocked());
    assert!(!background(&mut state));
}
