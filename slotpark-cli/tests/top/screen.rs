//! A terminal that is driven by keys and read as text, by tmux.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What is not on the screen by then will not come.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// From one reading of the screen to the next: a terminal tells nobody when it changes.
pub(crate) const STEP: Duration = Duration::from_millis(40);

/// A terminal of its own server, so that nothing of the user's is touched.
#[derive(Debug)]
pub(crate) struct Screen {
    server: String,
}

/// Whether there is a tmux; if not, says that the test is skipped.
pub(crate) fn has_tmux() -> bool {
    let found = Command::new("tmux").arg("-V").output().is_ok();
    if !found {
        println!("skipped: tmux is not installed");
    }
    found
}

impl Screen {
    /// Runs a command of the shell in a terminal of this size; the sockets of processes are in
    /// this folder, and so is the shell.
    pub(crate) fn start(size: (u16, u16), folder: &Path, command: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let screen = Self {
            server: format!("slotpark-test-{}-{number}", std::process::id()),
        };
        let (width, height) = (size.0.to_string(), size.1.to_string());
        let script = format!("{command}; echo \"ended with $?\"; stty -a; exec cat");
        let mut tmux = screen.tmux(&["-f", "/dev/null", "new-session", "-d", "-x"]);
        tmux.args([&width, "-y", &height]).arg(script);
        tmux.current_dir(folder).env("XDG_RUNTIME_DIR", folder);
        tmux.env("TERM", "screen-256color").env_remove("NO_COLOR");
        done(&tmux.output().expect("tmux starts"));
        screen
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.server]).args(arguments);
        command
    }

    /// Presses keys: names of tmux, such as `Enter`, or characters.
    pub(crate) fn press(&self, keys: &[&str]) {
        let mut tmux = self.tmux(&["send-keys"]);
        done(&tmux.args(keys).output().expect("tmux runs"));
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.captured(&["capture-pane", "-p"])
    }

    /// The screen with its colours as escape sequences.
    pub(crate) fn coloured(&self) -> String {
        self.captured(&["capture-pane", "-p", "-e"])
    }

    fn captured(&self, arguments: &[&str]) -> String {
        let output = self.tmux(arguments).output().expect("tmux runs");
        done(&output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until something is true of the screen, and returns that screen.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let text = self.text();
            if is_so(&text) {
                return text;
            }
            assert!(
                begun.elapsed() < HANG,
                "{what}: not within {HANG:?} in\n{text}"
            );
            thread::park_timeout(STEP);
        }
    }

    /// Waits until this text is on the screen.
    pub(crate) fn until_shown(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Closes the terminal, as a window is closed.
    pub(crate) fn close(&self) {
        done(&self.tmux(&["kill-server"]).output().expect("tmux runs"));
    }

    pub(crate) fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        let mut tmux = self.tmux(&["resize-window", "-x", &width, "-y", &height]);
        done(&tmux.output().expect("tmux runs"));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It is gone already if the test has failed early.
        let _ = self.tmux(&["kill-server"]).output();
    }
}

/// Whether the name of the last tab stands on red.
pub(crate) fn is_tab_red(coloured: &str) -> bool {
    let mut parts = coloured.split(" 6 wait-for");
    let before = parts.next().unwrap_or("");
    // The last background that was chosen before it.
    let chosen = before
        .rsplit("\u{1b}[")
        .find(|code| code.contains("48;5;") || code.contains("49m"));
    parts.next().is_some() && chosen.is_some_and(|code| code.contains("48;5;1m"))
}

fn done(output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tmux: {text}");
}
