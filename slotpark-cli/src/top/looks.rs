//! Looks at the process from a thread of its own: a process that hangs or is stopped may not
//! answer, and the terminal must.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use slotpark_inspect::Snapshot;

use crate::source::Source;

/// What a look brought.
#[derive(Debug)]
pub(super) enum Look {
    Seen(Box<Snapshot>),
    /// The only one, of a file.
    Only(Box<Snapshot>),
    /// There will be no more, for this reason.
    Lost(String),
}

/// The looks that are being made. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Looks {
    looks: Receiver<Look>,
    /// Its end tells the thread to end.
    _stop: Sender<()>,
}

impl Looks {
    /// Opens the source; the first look may already have been taken when this returns.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) fn start(source: Source, interval: Duration) -> anyhow::Result<Self> {
        let is_file = source.is_file();
        let mut looker = source.open()?;
        let (sender, looks) = channel();
        let (stop, stopped) = channel::<()>();
        thread::spawn(move || {
            loop {
                let look = match looker.look() {
                    Ok(snapshot) if is_file => Look::Only(Box::new(snapshot)),
                    Ok(snapshot) => Look::Seen(Box::new(snapshot)),
                    Err(error) => Look::Lost(format!("{error:#}")),
                };
                let is_last = is_file || matches!(look, Look::Lost(_));
                let is_unwanted = sender.send(look).is_err();
                if is_last || is_unwanted {
                    return;
                }
                let waited = stopped.recv_timeout(interval);
                if waited != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Ok(Self { looks, _stop: stop })
    }

    /// The next that has come.
    pub(super) fn next(&self) -> Option<Look> {
        self.looks.try_recv().ok()
    }
}
