//! What each key does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::rows::Sort;
use super::state::{Asks, Mode, State, Tab};
use crate::forms::Form;

/// Keys and what they do, as the help says it.
pub(crate) const HELP: [(&str, &str); 15] = [
    ("1-6, Tab, Left, Right", "the views"),
    ("Up, Down, PgUp, PgDn, Home", "move through rows"),
    ("Enter", "all that is known of a row, with its stack"),
    ("s, r", "sort by the next column; reverse"),
    ("/", "filter rows by text; Esc clears it"),
    ("t", "the next table, or all of them"),
    ("m", "heat map of waiting now, parks, collisions"),
    ("f", "freeze what is shown; again: go on"),
    ("d", "what has changed since it was frozen"),
    ("e", "export what is shown to a file"),
    ("p", "choose another process"),
    ("?, h", "this help"),
    ("Esc", "back"),
    ("q, Ctrl-C", "quit"),
    ("", "Nothing here changes the process."),
];

/// Handles a key.
pub(crate) fn press(state: &mut State, key: KeyEvent) -> Asks {
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return Asks::Quit;
    }
    state.message = None;
    match state.mode {
        Mode::Views => return in_views(state, key.code),
        Mode::Filter => in_filter(state, key.code),
        Mode::Export => return in_export(state, key.code),
        Mode::Help | Mode::Detail => state.mode = Mode::Views,
        Mode::Diff => in_diff(state, key.code),
    }
    Asks::Nothing
}

fn in_views(state: &mut State, code: KeyCode) -> Asks {
    match code {
        KeyCode::Char('q') => return Asks::Quit,
        KeyCode::Char('p') => return Asks::Other,
        KeyCode::Char(digit @ '1'..='6') => select(state, digit),
        KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => state.turn(1),
        KeyCode::BackTab | KeyCode::Left => state.turn(Tab::ALL.len() - 1),
        KeyCode::Char('s') => state.sort = state.sort.next(),
        KeyCode::Char('r') => state.is_reversed = !state.is_reversed,
        KeyCode::Char('/') => state.mode = Mode::Filter,
        KeyCode::Char('t') => state.next_table(),
        KeyCode::Char('m') => state.heat = state.heat.next(),
        KeyCode::Char('f') => state.freeze(),
        KeyCode::Char('d') => state.diff(),
        KeyCode::Char('e') => state.mode = Mode::Export,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => state.mode = Mode::Help,
        KeyCode::Enter if matches!(state.tab, Tab::Waits | Tab::Holders) && state.rows > 0 => {
            state.mode = Mode::Detail;
        }
        KeyCode::Esc => {
            state.filter.clear();
            state.sort = Sort::default();
            state.is_reversed = false;
        }
        code => scroll(state, code),
    }
    Asks::Nothing
}

fn select(state: &mut State, digit: char) {
    let tab = digit.to_digit(10).and_then(|digit| {
        let index = digit.checked_sub(1)?;
        Tab::ALL.get(usize::try_from(index).ok()?)
    });
    if let Some(tab) = tab {
        state.select(*tab);
    }
}

fn scroll(state: &mut State, code: KeyCode) {
    match code {
        KeyCode::Down | KeyCode::Char('j') => state.move_row(1),
        KeyCode::Up | KeyCode::Char('k') => state.move_row(-1),
        KeyCode::PageDown => state.move_row(10),
        KeyCode::PageUp => state.move_row(-10),
        KeyCode::Home | KeyCode::Char('g') => state.row = 0,
        KeyCode::End | KeyCode::Char('G') => state.row = state.rows.saturating_sub(1),
        _ => {}
    }
}

fn in_filter(state: &mut State, code: KeyCode) {
    match code {
        KeyCode::Char(character) => state.filter.push(character),
        KeyCode::Backspace => {
            state.filter.pop();
        }
        KeyCode::Enter => state.mode = Mode::Views,
        KeyCode::Esc => {
            state.filter.clear();
            state.mode = Mode::Views;
        }
        _ => {}
    }
    state.row = 0;
}

fn in_export(state: &mut State, code: KeyCode) -> Asks {
    state.mode = Mode::Views;
    match code {
        KeyCode::Char('j') => Asks::Export(Form::Json),
        KeyCode::Char('h') => Asks::Export(Form::Html),
        KeyCode::Char('d') => Asks::Export(Form::Dump),
        KeyCode::Char('f') => Asks::Export(Form::Folded),
        KeyCode::Char('p') => Asks::Export(Form::Prometheus),
        _ => Asks::Nothing,
    }
}

fn in_diff(state: &mut State, code: KeyCode) {
    match code {
        KeyCode::Esc | KeyCode::Char('d' | 'q') | KeyCode::Enter => state.mode = Mode::Views,
        code => scroll(state, code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::fixture;

    fn pressed(state: &mut State, keys: &str) -> Asks {
        let mut asks = Asks::Nothing;
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\u{1b}' => KeyCode::Esc,
                '\u{8}' => KeyCode::Backspace,
                key => KeyCode::Char(key),
            };
            asks = press(state, KeyEvent::new(code, KeyModifiers::NONE));
        }
        asks
    }

    #[test]
    fn digits_and_tab_turn_pages() {
        let mut state = State::default();
        for (keys, tab) in [
            ("3", Tab::Holders),
            ("\t", Tab::Histograms),
            ("6\t", Tab::Overview),
        ] {
            pressed(&mut state, keys);
            assert_eq!(state.tab, tab, "{keys:?}");
        }
    }

    #[test]
    fn a_filter_is_typed_and_cleared() {
        let mut state = State::default();
        pressed(&mut state, "2/qq\u{8}7\n");
        assert_eq!((state.filter.as_str(), state.mode), ("q7", Mode::Views));
        assert_eq!(pressed(&mut state, "\u{1b}"), Asks::Nothing);
        assert_eq!(state.filter, "");
    }

    #[test]
    fn what_is_frozen_stays() {
        let mut state = State::default();
        pressed(&mut state, "d");
        assert!(state.message.is_some() && state.mode == Mode::Views);
        state.take(fixture::deadlocked());
        pressed(&mut state, "f");
        state.take(fixture::busy());
        assert!(state.shown() == Some(&fixture::deadlocked()));
        pressed(&mut state, "d");
        assert_eq!(state.mode, Mode::Diff);
        pressed(&mut state, "\u{1b}f");
        assert!(state.shown() == Some(&fixture::busy()));
    }

    #[test]
    fn exports_say_their_form() {
        let mut state = State::default();
        assert_eq!(pressed(&mut state, "ej"), Asks::Export(Form::Json));
        assert_eq!(pressed(&mut state, "ex"), Asks::Nothing);
        assert_eq!(pressed(&mut state, "q"), Asks::Quit);
    }
}
