//! How a socket is served.

use std::path::PathBuf;
use std::time::Duration;

/// Where a socket is, and how much of it there is at most.
///
/// ```
/// use slotpark_inspect::socket::ServeOptions;
/// let options = ServeOptions::default().with_path("/run/me/app.sock").with_readers_max(1);
/// assert_ne!(options, ServeOptions::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    pub(super) path: Option<PathBuf>,
    pub(super) readers_max: usize,
    pub(super) shared_for: Duration,
    pub(super) idle_max: Duration,
}

impl Default for ServeOptions {
    /// `slotpark/<process>.sock` in `$XDG_RUNTIME_DIR`, else `/tmp/slotpark-<user>/<process>.sock`;
    /// 8 readers; a snapshot is shared for 50 ms; who is silent for 60 s is sent away.
    fn default() -> Self {
        Self {
            path: None,
            readers_max: 8,
            shared_for: Duration::from_millis(50),
            idle_max: Duration::from_secs(60),
        }
    }
}

impl ServeOptions {
    /// Another place. The folder must be there; who may enter it is the caller's to decide. The
    /// socket itself is the user's alone.
    ///
    /// ```
    /// use slotpark_inspect::socket::ServeOptions;
    /// let options = ServeOptions::default().with_path("/run/me/app.sock");
    /// assert_ne!(options, ServeOptions::default());
    /// ```
    #[must_use]
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// How many may be connected at once, 1 at least. Those beyond are told so and sent away.
    ///
    /// ```
    /// use slotpark_inspect::socket::ServeOptions;
    /// let options = ServeOptions::default().with_readers_max(8);
    /// assert_eq!(options, ServeOptions::default());
    /// ```
    #[must_use]
    pub fn with_readers_max(mut self, count: usize) -> Self {
        self.readers_max = count.max(1);
        self
    }

    /// How long one snapshot is the answer to all who ask. It is longer where a look takes long:
    /// at least 20 times as long as that, so that looking takes a twentieth of one CPU at most.
    ///
    /// ```
    /// use slotpark_inspect::socket::ServeOptions;
    /// use std::time::Duration;
    /// let options = ServeOptions::default().shared_for(Duration::from_millis(50));
    /// assert_eq!(options, ServeOptions::default());
    /// ```
    #[must_use]
    pub fn shared_for(mut self, time: Duration) -> Self {
        self.shared_for = time;
        self
    }

    /// How long a reader may keep a connection without asking or without taking its answer.
    ///
    /// ```
    /// use slotpark_inspect::socket::ServeOptions;
    /// use std::time::Duration;
    /// let options = ServeOptions::default().with_idle_max(Duration::from_secs(60));
    /// assert_eq!(options, ServeOptions::default());
    /// ```
    #[must_use]
    pub fn with_idle_max(mut self, time: Duration) -> Self {
        self.idle_max = time;
        self
    }
}
