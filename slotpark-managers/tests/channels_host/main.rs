//! Message queues against the host's kernel: the same random calls, the same results.
//!
//! Every call to send or receive is timed, with a deadline that is past: who would block fails with
//! ETIMEDOUT, or with EAGAIN where the descriptor says so. Linux's notifications belong to the
//! process, which is the same for all descriptors here: what that takes away is taken away here
//! too.
#![cfg(target_os = "linux")]

mod calls;
#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
#[path = "../host/mod.rs"]
mod host;

use std::collections::HashMap;
use std::sync::Arc;

use calls::{Call, NAMES, call};
use common::skip;
use host::outcome;
use host::queues::{Host, Opened, has_queues, prefix};
use proptest::collection::vec;
use proptest::prelude::*;
use slotpark::Deadline;
use slotpark_managers::{
    Access, Block, Channel, ChannelAttributes, ChannelOptions, IpcChannels, Waits,
};

/// A descriptor here, the same on the host, and the queue behind it.
struct Both {
    ours: Channel,
    host: Host,
    queue: usize,
}

struct World {
    channels: IpcChannels,
    open: Vec<Both>,
    prefix: String,
    /// The queue of each name that there is.
    names: HashMap<usize, usize>,
    queues: usize,
    byte: u8,
}

const PAST: Block<'_> = Block::at(Some(Deadline::PAST));

fn options(how: Opened) -> ChannelOptions {
    let mut options = ChannelOptions::new(how.access);
    if let Some((messages_max, message_bytes)) = how.create {
        options = options.create(Some(ChannelAttributes {
            messages_max,
            message_bytes,
        }));
    }
    if how.is_exclusive {
        options = options.exclusive();
    }
    if how.is_nonblocking {
        options = options.nonblocking();
    }
    options
}

impl World {
    fn new() -> Self {
        Self {
            channels: IpcChannels::new(Arc::new(Waits::new())),
            open: Vec::new(),
            prefix: prefix(),
            names: HashMap::new(),
            queues: 0,
            byte: 0,
        }
    }

    fn name(&self, name: usize) -> String {
        format!("{}{name}", self.prefix)
    }

    fn make(&mut self, call: &Call) -> Result<(), TestCaseError> {
        match *call {
            Call::Open { name, how } => {
                let text = self.name(name);
                let theirs = Host::open(&text, how);
                let ours = self.channels.open(&text, options(how));
                match (ours, theirs) {
                    (Ok(ours), Ok(host)) => {
                        let next = self.queues;
                        let queue = *self.names.entry(name).or_insert(next);
                        self.queues += usize::from(queue == next);
                        self.open.push(Both { ours, host, queue });
                    }
                    (ours, theirs) => {
                        prop_assert_eq!(outcome(ours).map(|_| ()), theirs.map(|_| ()));
                    }
                }
            }
            Call::Unlink { name } => {
                let text = self.name(name);
                let ours = outcome(self.channels.unlink(&text));
                prop_assert_eq!(ours, Host::unlink(&text));
                self.names.remove(&name);
            }
            _ if self.open.is_empty() => {}
            _ => self.make_of_a_descriptor(call)?,
        }
        self.compare()
    }

    fn make_of_a_descriptor(&mut self, call: &Call) -> Result<(), TestCaseError> {
        let count = self.open.len();
        match *call {
            Call::Dup { at } => {
                let Both { ours, host, queue } = &self.open[at % count];
                let (ours, queue) = (self.channels.dup(*ours).expect("it is open"), *queue);
                let host = host.dup();
                self.open.push(Both { ours, host, queue });
            }
            Call::Close { at } => {
                let Both { ours, queue, host } = self.open.swap_remove(at % count);
                drop(host);
                prop_assert_eq!(self.channels.close(ours), Ok(()));
                self.unregister_all(queue);
            }
            Call::Send {
                at,
                length,
                priority,
            } => {
                self.byte = self.byte.wrapping_add(1);
                let bytes = vec![self.byte; length];
                let Both { ours, host, .. } = &self.open[at % count];
                let theirs = host.send(&bytes, priority);
                let sent = self.channels.send(*ours, &bytes, priority, PAST);
                prop_assert_eq!(outcome(sent), theirs);
            }
            Call::Receive { at, room } => {
                let Both { ours, host, .. } = &self.open[at % count];
                let (mut here, mut there) = (vec![0; room], vec![0; room]);
                let theirs = host.receive(&mut there);
                let received = self.channels.receive(*ours, &mut here, PAST);
                let received = received.map(|received| (received.bytes, received.priority));
                prop_assert_eq!(outcome(received), theirs);
                prop_assert_eq!(here, there);
            }
            Call::Nonblocking { at, value } => {
                let Both { ours, host, .. } = &self.open[at % count];
                let before = self.channels.set_nonblocking(*ours, value);
                prop_assert_eq!(before, Ok(host.set_nonblocking(value)));
            }
            Call::Notify { at } => {
                let Both { ours, host, .. } = &self.open[at % count];
                let registered = self.channels.notify(*ours, || {});
                prop_assert_eq!(outcome(registered), host.notify(true));
            }
            Call::CancelNotify { at } => {
                let Both { host, queue, .. } = &self.open[at % count];
                prop_assert_eq!(host.notify(false), Ok(()));
                self.unregister_all(*queue);
            }
            Call::Open { .. } | Call::Unlink { .. } => unreachable!("of no descriptor"),
        }
        Ok(())
    }

    /// All descriptors are of one process, and any of them ends its registration.
    fn unregister_all(&self, queue: usize) {
        for both in self.open.iter().filter(|both| both.queue == queue) {
            let _ = self.channels.cancel_notify(both.ours);
        }
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        for Both { ours, host, .. } in &self.open {
            let state = self.channels.attributes(*ours).expect("it is open");
            let made = state.attributes;
            let (room, size) = (made.messages_max, made.message_bytes);
            let ours = (state.is_nonblocking, room, size, state.messages);
            prop_assert_eq!(ours, host.attributes());
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), TestCaseError> {
        while !self.open.is_empty() {
            self.make(&Call::Close { at: 0 })?;
        }
        for name in 0..NAMES {
            self.make(&Call::Unlink { name })?;
        }
        prop_assert!(self.channels.is_empty());
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for name in 0..NAMES {
            let _ = Host::unlink(&self.name(name));
        }
    }
}

#[test]
fn queues_are_as_the_hosts() {
    if !has_queues("queues_are_as_the_hosts") {
        return;
    }
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(calls in vec(call(), 1..80))| {
        let mut world = World::new();
        for call in &calls {
            world.make(call)?;
        }
        world.end()?;
    });
}

#[test]
fn names_are_as_the_hosts() {
    if !has_queues("names_are_as_the_hosts") {
        return;
    }
    let channels = IpcChannels::new(Arc::new(Waits::new()));
    let how = |create| Opened {
        access: Access::Both,
        create,
        is_exclusive: false,
        is_nonblocking: true,
    };
    let own = prefix();
    let rest = |length: usize| format!("{own}{}", "x".repeat(length - own.len() + 1));
    let mut names: Vec<String> = ["", "a", "/", "//", "/.", "/..", "/a/", "//a", "/a/b", "a/b"]
        .map(String::from)
        .into();
    names.extend([255, 256, 4094, 4095, 4096].map(rest));
    names.push(format!("{}/{}", rest(256), rest(4000)));
    for name in &names {
        for create in [None, Some((1, 1))] {
            let theirs = Host::open(name, how(create)).map(|_| ());
            let ours = channels.open(name, options(how(create)));
            let ours = ours.and_then(|channel| channels.close(channel));
            assert_eq!(outcome(ours), theirs, "open {name:?} {create:?}");
        }
        let ours = outcome(channels.unlink(name));
        assert_eq!(ours, Host::unlink(name), "unlink {name:?}");
    }
    assert!(channels.is_empty());
}

/// Without attributes a queue gets the usual ones.
#[test]
fn the_usual_attributes_are_the_hosts() {
    let test = "the_usual_attributes_are_the_hosts";
    if !has_queues(test) {
        return;
    }
    let name = format!("{}usual", prefix());
    let made = Host::open_usual(&name).map(|host| host.attributes());
    let _ = Host::unlink(&name);
    // What the machine's owner has changed is no matter of ours.
    let usual = |file| std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{file}"));
    let of_host = (usual("msg_default"), usual("msgsize_default"));
    let (Ok(made), (Ok(messages), Ok(bytes))) = (made, of_host) else {
        return skip(test, "no such queue can be made");
    };
    if (messages.trim(), bytes.trim()) != ("10", "8192") {
        return skip(test, "they were changed");
    }
    let channels = IpcChannels::new(Arc::new(Waits::new()));
    let options = ChannelOptions::new(Access::Both).create(None);
    let channel = channels
        .open(&name, options)
        .expect("there is room for one");
    let ours = channels.attributes(channel).expect("it is open").attributes;
    assert_eq!((false, ours.messages_max, ours.message_bytes, 0), made);
}
