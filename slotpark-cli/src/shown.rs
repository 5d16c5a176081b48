//! How durations, counts, keys and parties are shown to people.

use slotpark_inspect::{Key, Kind, Party, PartyKind};

/// Three digits and a unit.
pub(crate) fn duration(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "us"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$} {unit}")
}

/// A time that may be unknown.
pub(crate) fn age(ns: Option<u64>) -> String {
    ns.map_or_else(|| "-".to_owned(), duration)
}

/// A key as text, or as its hash; what a terminal would obey is made visible.
pub(crate) fn key(key: &Key) -> String {
    match &key.text {
        Some(text) if key.is_cut => format!("{}...", plain(text)),
        Some(text) => plain(text),
        None => format!("#{:016x}", key.hash),
    }
}

/// Who: the name with the number, or what there is of both.
pub(crate) fn party(party: &Party) -> String {
    let what = match party.kind {
        PartyKind::Thread => "thread",
        PartyKind::Task => "task",
    };
    match (&party.name, party.id) {
        (Some(name), Some(id)) => format!("{what} {} ({id})", plain(name)),
        (Some(name), None) => format!("{what} {}", plain(name)),
        (None, Some(id)) => format!("{what} {id}"),
        (None, None) => format!("a {what}"),
    }
}

/// As [`party`], in fewer letters: what has a name and is not called a task is a thread.
pub(crate) fn who(party: &Party) -> String {
    let text = self::party(party);
    match text.strip_prefix("thread ") {
        Some(name) if party.name.is_some() => name.to_owned(),
        _ => text,
    }
}

/// What is waited for or held, and how much of it where that is said.
pub(crate) fn kind(kind: Kind, weight: u32) -> String {
    let name = match kind {
        Kind::Wait => "wait",
        Kind::Lock => "lock",
        Kind::Read => "read",
        Kind::Upgradable => "upgradable",
        Kind::Permit if weight == 1 => "permit",
        Kind::Permit => return format!("{weight} permits"),
        Kind::Closed => "closed",
        _ => "other",
    };
    name.to_owned()
}

/// Where in the source; `-` where that was not recorded.
pub(crate) fn location(location: Option<&String>) -> String {
    location.map_or_else(|| "-".to_owned(), |location| plain(location))
}

/// The last so many characters, after dots where something is missing: of a path the end matters.
pub(crate) fn tail(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let kept = text.chars().skip(count - width.saturating_sub(2));
    format!("..{}", kept.collect::<String>())
}

/// Without characters that a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        let shown = [0, 999, 1_000, 12_345, 999_400, 5_000_000, 61_000_000_000].map(duration);
        assert_eq!(
            shown,
            [
                "0 ns", "999 ns", "1.00 us", "12.3 us", "999 us", "5.00 ms", "61.0 s"
            ]
        );
    }

    #[test]
    fn a_key_cannot_move_the_cursor() {
        let cut = Key {
            text: Some("\u{1b}[2Jjob".to_owned()),
            is_cut: true,
            ..Key::default()
        };
        assert_eq!(key(&cut), "\u{fffd}[2Jjob...");
        let hash = Key {
            hash: 0xab,
            ..Key::default()
        };
        assert_eq!(key(&hash), "#00000000000000ab");
    }

    #[test]
    fn a_path_keeps_its_end() {
        assert_eq!(tail("src/a.rs:1", 10), "src/a.rs:1");
        assert_eq!(tail("src/a.rs:1", 6), "..rs:1");
        assert_eq!(tail("src/a.rs:1", 0), "..");
    }
}
