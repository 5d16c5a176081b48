//! The loop of the terminal view. The terminal is given back as it was, also after a panic and
//! after a signal that asks to end.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::DefaultTerminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use slotpark_inspect::socket::list;

use super::looks::{Look, Looks};
use super::state::{Asks, State};
use super::theme::Theme;
use super::{keys, picker, views};
use crate::forms;
use crate::source::{Source, Target};

/// How long a key or a look may go unnoticed.
const STEP: Duration = Duration::from_millis(50);

/// How long the loop may take to notice that it was asked to end, before it is ended.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);

/// The signal that asked to end; 0: none.
#[derive(Clone, Debug)]
pub(super) struct Asked(Arc<AtomicUsize>);

impl Asked {
    fn listen() -> anyhow::Result<Self> {
        let asked = Self(Arc::new(AtomicUsize::new(0)));
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        let told = asked.clone();
        thread::spawn(move || {
            let Some(signal) = signals.forever().next() else {
                return;
            };
            told.tell(usize::try_from(signal).unwrap_or(0));
            // Writing to a terminal that is stopped, or reading one that is gone, may never end.
            thread::sleep(NOTICED_WITHIN);
            ratatui::restore();
            std::process::exit(128 + signal);
        });
        Ok(asked)
    }

    fn tell(&self, signal: usize) {
        // ORDERING: relaxed: a number, and nothing is published with it.
        self.0.store(signal, Ordering::Relaxed);
    }

    pub(super) fn signal(&self) -> Option<usize> {
        // ORDERING: relaxed: as in `tell`.
        Some(self.0.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
    }

    /// The next event, if one comes within a step. A terminal that is gone asks to end.
    pub(super) fn next_event(&self) -> anyhow::Result<Option<Event>> {
        // What reads events below would read the end of a terminal again and again.
        let stdin = io::stdin();
        let mut terminal = [PollFd::new(&stdin, PollFlags::IN)];
        let step = Timespec::try_from(STEP)?;
        match poll(&mut terminal, Some(&step)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if terminal[0]
            .revents()
            .intersects(PollFlags::HUP | PollFlags::ERR)
        {
            self.tell(usize::try_from(SIGHUP)?);
            return Ok(None);
        }
        if event::poll(Duration::ZERO)? {
            return Ok(Some(event::read()?));
        }
        Ok(None)
    }
}

/// How a part of the view ended.
#[derive(Debug)]
pub(super) enum End {
    Quit,
    Signal(usize),
    Other,
}

pub(super) fn run(target: &Target, interval: Duration) -> anyhow::Result<ExitCode> {
    // Before the terminal changes, so that what is wrong is said on a screen that stays.
    let mut source = match target.named() {
        None if list().len() > 1 => None,
        None => Some(target.source()?),
        named => named,
    };
    let mut looks = source
        .take()
        .map(|source| Looks::start(source, interval))
        .transpose()?;
    let asked = Asked::listen().context("cannot handle signals")?;
    let theme = Theme::from_environment();
    let mut terminal = ratatui::try_init().context("cannot use this terminal")?;
    let ended = (|| {
        loop {
            if let Some(looks) = looks.take() {
                let end = watch(&mut terminal, &looks, &asked, &theme)?;
                if !matches!(end, End::Other) {
                    return Ok(end);
                }
            }
            match picker::pick(&mut terminal, &asked, &theme)? {
                Ok(process) => match Looks::start(Source::Process(process), interval) {
                    Ok(started) => looks = Some(started),
                    // It has gone meanwhile: the list will show that.
                    Err(_) => continue,
                },
                Err(end) => return Ok(end),
            }
        }
    })();
    ratatui::restore();
    match ended {
        Ok(End::Signal(signal)) => Ok(ExitCode::from(u8::try_from(128 + signal)?)),
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

fn watch(
    terminal: &mut DefaultTerminal,
    looks: &Looks,
    asked: &Asked,
    theme: &Theme,
) -> anyhow::Result<End> {
    let mut state = State::default();
    let mut has_changed = true;
    loop {
        if let Some(signal) = asked.signal() {
            return Ok(End::Signal(signal));
        }
        while let Some(look) = looks.next() {
            has_changed = true;
            match look {
                Look::Seen(snapshot) => state.take(*snapshot),
                Look::Only(snapshot) => state.take_only(*snapshot),
                Look::Lost(reason) => state.lost = Some(reason),
            }
        }
        if has_changed {
            terminal.draw(|frame| views::draw(frame, &mut state, theme))?;
            has_changed = false;
        }
        if let Some(event) = asked.next_event()? {
            has_changed = true;
            let Some(key) = pressed(&event) else { continue };
            match keys::press(&mut state, key) {
                Asks::Nothing => {}
                Asks::Quit => return Ok(End::Quit),
                Asks::Other => return Ok(End::Other),
                Asks::Export(form) => export(&mut state, form),
            }
        }
    }
}

pub(super) fn pressed(event: &Event) -> Option<KeyEvent> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(*key),
        _ => None,
    }
}

fn export(state: &mut State, form: forms::Form) {
    let Some(snapshot) = state.shown() else {
        return state.say("nothing was seen yet");
    };
    match forms::write(snapshot, state.before.as_ref(), form) {
        Ok(path) => state.say(format!("written to {}", path.display())),
        Err(error) => state.say(format!("not written: {error:#}")),
    }
}
