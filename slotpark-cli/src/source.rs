//! Where snapshots come from: a process's socket, or a file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use slotpark_inspect::Snapshot;
use slotpark_inspect::socket::{Client, ClientError, Live, list};

use crate::shown;

/// Which process is looked at.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Target {
    /// The number of a process that has opened its socket; may be left out if there is one.
    #[arg(value_name = "PID", conflicts_with_all = ["socket", "file"])]
    process: Option<u32>,

    /// The socket of a process, where it is at no usual place.
    #[arg(long, value_name = "PATH", conflicts_with = "file")]
    socket: Option<PathBuf>,

    /// A snapshot in a file, as `slotpark inspect json` prints it.
    #[arg(long, value_name = "SNAPSHOT.json")]
    file: Option<PathBuf>,
}

/// How to open the door to a process.
const HOW: &str = "a program opens its socket by `slotpark_inspect::socket::serve`, and \
                   `slotpark run --inspect PROGRAM` opens one for any program";

impl Target {
    /// The source that is named; `None`: whichever process there is.
    pub(crate) fn named(&self) -> Option<Source> {
        if let Some(file) = &self.file {
            return Some(Source::File(file.clone()));
        }
        let socket = self.socket.clone().map(Source::Socket);
        socket.or(self.process.map(Source::Process))
    }

    /// The source that is named, or that of the only process there is.
    pub(crate) fn source(&self) -> anyhow::Result<Source> {
        if let Some(source) = self.named() {
            return Ok(source);
        }
        let found = list();
        match found.as_slice() {
            [] => bail!("no process of this user has an open socket; {HOW}"),
            [one] => Ok(Source::Process(one.process)),
            several => {
                let names: Vec<String> = several.iter().map(name).collect();
                bail!(
                    "there are several processes, name one by its number:\n{}",
                    names.join("\n")
                )
            }
        }
    }
}

/// A live process as its number and its command.
pub(crate) fn name(live: &Live) -> String {
    format!("{:>8}  {}", live.process, command(live.process))
}

/// What a process was started as.
fn command(process: u32) -> String {
    let bytes = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let parts = bytes.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    let text = parts.collect::<Vec<_>>().join(" ");
    shown::plain(text.trim_end())
}

/// What is looked at.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    File(PathBuf),
    Socket(PathBuf),
    Process(u32),
}

impl Source {
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    pub(crate) fn open(self) -> anyhow::Result<Looker> {
        let client = match &self {
            Self::File(_) => None,
            Self::Socket(path) => Some(connect_at(path)?),
            Self::Process(process) => Some(connect(*process)?),
        };
        Ok(Looker {
            source: self,
            client,
        })
    }
}

fn connect_at(path: &Path) -> anyhow::Result<Client> {
    Client::open(path).map_err(|error| match error {
        ClientError::Connect(path, error) => {
            anyhow!(
                "cannot look through the socket `{}`: {error}",
                path.display()
            )
        }
        error => error.into(),
    })
}

fn connect(process: u32) -> anyhow::Result<Client> {
    Client::connect(process).map_err(|error| {
        if !Path::new(&format!("/proc/{process}")).exists() {
            return anyhow!("there is no process {process}");
        }
        match error {
            ClientError::NoSocket(_) | ClientError::Connect(..) => {
                anyhow!(
                    "process {process} ({}) has no open socket; {HOW}",
                    command(process)
                )
            }
            error => error.into(),
        }
    })
}

/// Looks again and again.
#[derive(Debug)]
pub(crate) struct Looker {
    source: Source,
    client: Option<Client>,
}

impl Looker {
    pub(crate) fn look(&mut self) -> anyhow::Result<Snapshot> {
        let Some(client) = &mut self.client else {
            let Source::File(path) = &self.source else {
                bail!("nothing is connected");
            };
            return read(path);
        };
        match client.snapshot() {
            // Who is silent for long is sent away, and may come again.
            Err(ClientError::Io(error)) if is_gone(&error) => self.look_again(),
            result => Ok(result?),
        }
    }

    fn look_again(&mut self) -> anyhow::Result<Snapshot> {
        let client = match &self.source {
            Source::Process(process) => {
                let client = Client::connect(*process);
                client.map_err(|_| anyhow!("process {process} has ended or closed its socket"))?
            }
            Source::Socket(path) => {
                let client = Client::open(path);
                client.map_err(|_| anyhow!("the process behind `{}` has gone", path.display()))?
            }
            Source::File(_) => bail!("nothing is connected"),
        };
        Ok(self.client.insert(client).snapshot()?)
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

fn read(path: &Path) -> anyhow::Result<Snapshot> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
    Snapshot::from_json(&text).with_context(|| format!("cannot use `{shown}`"))
}
