//! Chromium without a window, spoken to over its DevTools protocol.
//!
//! The crates that speak it bring a type for each of its thousand messages, and more than a hundred
//! crates; ten messages are needed here.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message, WebSocket};

/// Nothing but the pages: no network, no services of the browser's own, no profile of a user.
const FLAGS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-port=0",
];

/// A silent browser is a broken one: an answer later than this is none.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A running browser, which ends with this.
pub(super) struct Browser {
    child: Child,
    profile: PathBuf,
    socket: WebSocket<TcpStream>,
    last_id: u64,
    /// The tab that calls are about, once there is one.
    session: Option<String>,
    /// What the tab has told since they were last taken.
    events: Vec<Value>,
}

impl Browser {
    /// Starts `program` with a fresh profile at `profile`, and opens an empty tab.
    pub(super) fn start(program: &str, profile: &Path) -> Result<Self> {
        remove(profile)?;
        fs::create_dir_all(profile)?;
        let mut child = Command::new(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| program.to_owned())?;
        let connected = listening(&mut child).and_then(|url| connect(&url));
        let socket = match connected {
            Ok(socket) => socket,
            Err(error) => {
                end(&mut child, profile);
                return Err(error);
            }
        };
        let profile = profile.to_path_buf();
        let (session, events) = (None, Vec::new());
        let mut browser = Self {
            child,
            profile,
            socket,
            last_id: 0,
            session,
            events,
        };
        browser.open_tab()?;
        Ok(browser)
    }

    fn open_tab(&mut self) -> Result<()> {
        let tab = self.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": tab["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", attach)?;
        let session = attached["sessionId"]
            .as_str()
            .context("no session of the tab")?;
        self.session = Some(session.to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(())
    }

    /// Calls a method and waits for its result.
    pub(super) fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string()))?;
        loop {
            let message = self.next().with_context(|| method.to_owned())?;
            if message["id"] == json!(id) {
                return match message.get("error") {
                    Some(error) => Err(anyhow!("{method}: {error}")),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    /// Waits until the tab has told this, unless it has already.
    pub(super) fn wait_for(&mut self, event: &str) -> Result<()> {
        while !self
            .events
            .iter()
            .any(|told| told["method"] == json!(event))
        {
            self.next()
                .with_context(|| format!("waiting for {event}"))?;
        }
        Ok(())
    }

    /// What the tab has told since the last call of this.
    pub(super) fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// The next message, kept if it is an event.
    fn next(&mut self) -> Result<Value> {
        loop {
            let text = match self.socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(_) => continue,
                // A process that was stopped and goes on has lost nothing.
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let message: Value = serde_json::from_str(&text)?;
            if message.get("method").is_some() {
                self.events.push(message.clone());
            }
            return Ok(message);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.child, &self.profile);
    }
}

/// Ends the browser, whose other processes end with it.
fn end(child: &mut Child, profile: &Path) {
    // It may be gone already, and that is as good.
    let _ = child.kill();
    let _ = child.wait();
    // Its other processes may still write there; the next start removes what they left.
    let _ = remove(profile);
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where the browser listens, which it says when it does.
fn listening(child: &mut Child) -> Result<String> {
    let stderr = child.stderr.take().context("no stderr of the browser")?;
    let (sender, receiver) = mpsc::channel();
    // Reads to the end: a browser that cannot write its complaints stands still.
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(io::Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut said = String::new();
    loop {
        match receiver.recv_timeout(ANSWER_MAX) {
            Ok(line) => match line.strip_prefix("DevTools listening on ") {
                Some(url) => return Ok(url.to_owned()),
                None => said += &format!("{line}\n"),
            },
            Err(_) => bail!("the browser does not listen; it said:\n{said}"),
        }
    }
}

fn connect(url: &str) -> Result<WebSocket<TcpStream>> {
    let address = url
        .strip_prefix("ws://")
        .and_then(|rest| rest.split('/').next());
    let stream = TcpStream::connect(address.with_context(|| url.to_owned())?)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    // A picture comes in one frame.
    let config = WebSocketConfig::default()
        .max_message_size(None)
        .max_frame_size(None);
    let connected = tungstenite::client::client_with_config(url, stream, Some(config));
    let (socket, _) = connected.map_err(|error| anyhow!("{url}: {error}"))?;
    Ok(socket)
}
