//! The socket through which another process of the same user looks at this one.
//!
//! There is none until the program calls [`serve`]. It can be asked for a snapshot and for what
//! serves it, nothing else; it changes nothing in the program. One thread serves all readers, takes
//! none of the program's signals, and looks at the tables a bounded part of the time at most.
//!
//! ```
//! use slotpark_inspect::socket::{Client, ServeOptions, serve};
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("test.sock");
//! let server = serve(&ServeOptions::default().with_path(&path)).unwrap();
//!
//! // Elsewhere, as the same user:
//! let mut client = Client::open(&path).unwrap();
//! assert_eq!(client.snapshot().unwrap().process, std::process::id());
//! drop(server); // closes the socket and removes it
//! assert!(!path.exists());
//! ```

mod client;
mod connect;
mod folder;
mod options;
pub mod protocol;
mod readers;
mod server;

pub use client::{Client, ClientError, Live, list};
pub use options::ServeOptions;
pub use server::{Server, serve};
