//! How outputs for people say what is in a snapshot.

use std::fmt;

use crate::{Deadlock, Key, Kind, Link, Party, PartyKind};

/// `thread 4711 "left"`, `task 7`, `a task`.
pub(crate) struct Named<'p>(pub(crate) &'p Party);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.0.kind {
            PartyKind::Thread => "thread",
            PartyKind::Task => "task",
        };
        match self.0.id {
            Some(id) => write!(f, "{what} {id}")?,
            None => write!(f, "a {what}")?,
        }
        match &self.0.name {
            Some(name) => write!(f, " {name:?}"),
            None => Ok(()),
        }
    }
}

/// The key's text, or its hash.
pub(crate) struct Keyed<'k>(pub(crate) &'k Key);

impl fmt::Display for Keyed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.text {
            Some(text) if self.0.is_cut => write!(f, "{text}..."),
            Some(text) => f.write_str(text),
            None => write!(f, "#{:016x}", self.0.hash),
        }
    }
}

/// Since when, of what is at `now`.
pub(crate) struct For {
    pub(crate) since_ns: Option<u64>,
    pub(crate) at_ns: u64,
}

impl fmt::Display for For {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.since_ns {
            // It may have begun while the look went on.
            Some(since) => write!(f, " for {}", Time(self.at_ns.saturating_sub(since))),
            None => Ok(()),
        }
    }
}

/// Nanoseconds, in three digits at least.
pub(crate) struct Time(pub(crate) u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1_000 => return write!(f, "{} ns", self.0),
            1_000..1_000_000 => (1e3, "us"),
            1_000_000..1_000_000_000 => (1e6, "ms"),
            _ => (1e9, "s"),
        };
        #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
        let count = self.0 as f64 / unit;
        let digits = if count < 10.0 {
            2
        } else {
            usize::from(count < 100.0)
        };
        write!(f, "{count:.digits$} {name}")
    }
}

/// ` at FILE:LINE:COLUMN`, if it is known.
pub(crate) struct At<'l>(pub(crate) Option<&'l str>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        }
    }
}

/// What is asked or held of a key.
pub(crate) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Wait => "a wake of",
        Kind::Lock => "the lock",
        Kind::Read => "reading",
        Kind::Upgradable => "upgradable reading",
        Kind::Permit => "a permit of",
        Kind::Closed => "the closing of",
        Kind::Unknown => "something of",
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.links.len();
        let whom = if count == 1 {
            "party waits for itself"
        } else {
            "parties wait for each other"
        };
        writeln!(f, "deadlock: {count} {whom}")?;
        for link in &self.links {
            link_of(self.at_ns, link, f)?;
        }
        if !self.behind.is_empty() {
            writeln!(f, "  behind them, {} more:", self.behind.len())?;
        }
        for party in &self.behind {
            writeln!(f, "    {}", Named(party))?;
        }
        Ok(())
    }
}

fn link_of(at_ns: u64, link: &Link, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "  {}", Named(&link.by))?;
    for blocked in &link.waits {
        let wait = &blocked.wait;
        let since = For {
            since_ns: wait.since_ns,
            at_ns,
        };
        let (what, key, at) = (
            kind(wait.kind),
            Keyed(&wait.key),
            At(wait.location.as_deref()),
        );
        writeln!(f, "    waits for {what} {}/{key}{since}{at}", blocked.table)?;
        for held in &blocked.held {
            let since = For {
                since_ns: held.since_ns,
                at_ns,
            };
            let label = held.label.as_deref().map(|label| format!(" ({label})"));
            let (by, label) = (Named(&held.by), label.unwrap_or_default());
            let at = At(held.location.as_deref());
            writeln!(f, "      held by {by}{label}{since}{at}")?;
        }
        if let Some(before) = &blocked.behind {
            writeln!(f, "      behind {}, who waits to write", Named(before))?;
        }
    }
    match &link.polled_by {
        Some(thread) => writeln!(f, "    is being polled by {}, which waits", Named(thread)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let texts =
            [999, 1_000, 12_345, 123_456_789, 59_994_000_000].map(|ns| Time(ns).to_string());
        assert_eq!(texts, ["999 ns", "1.00 us", "12.3 us", "123 ms", "60.0 s"]);
    }

    #[test]
    fn parties_and_keys_have_names() {
        let mut party = Party::default();
        assert_eq!(Named(&party).to_string(), "a thread");
        (party.kind, party.id, party.name) = (PartyKind::Task, Some(7), Some("a\"b".into()));
        assert_eq!(Named(&party).to_string(), r#"task 7 "a\"b""#);
        let mut key = Key {
            hash: 0xab,
            ..Key::default()
        };
        assert_eq!(Keyed(&key).to_string(), "#00000000000000ab");
        (key.text, key.is_cut) = (Some("page 7".into()), true);
        assert_eq!(Keyed(&key).to_string(), "page 7...");
    }
}
