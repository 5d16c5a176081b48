//! Pipes and FIFOs against the host's kernel: the same random calls, the same results.
//!
//! One restriction: two kinds of calls are edges for Linux with nothing new (the page of
//! `PipeManager` names them). After one nobody compares the edges that were due by then.
#![cfg(target_os = "linux")]

mod calls;
#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
#[path = "../host/mod.rs"]
mod host;

use std::io::{IoSlice, IoSliceMut};
use std::path::PathBuf;
use std::sync::Arc;

use calls::{Call, of_a_name, of_an_end};
use host::outcome;
use host::pipes::{self, HostEnd};
use proptest::collection::vec;
use proptest::prelude::*;
use slotpark_managers::{Block, Errno, PipeEnd, PipeManager, PipePoll, Readiness, Waits};

/// An end here, and the same on the host.
struct Both {
    ours: PipeEnd,
    edges: PipePoll,
    host: HostEnd,
}

struct World {
    pipes: PipeManager,
    ends: Vec<Both>,
    folder: PathBuf,
    /// What the next byte written is.
    byte: u8,
}

const INTEREST: u32 = (libc::EPOLLIN | libc::EPOLLOUT) as u32;

fn both_ways() -> Readiness {
    Readiness::IN | Readiness::OUT
}

impl World {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let name = format!("slotpark-fifos-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder for FIFOs");
        Self {
            pipes: PipeManager::new(Arc::new(Waits::new())),
            ends: Vec::new(),
            folder,
            byte: 0,
        }
    }

    fn add(&mut self, ours: PipeEnd, host: HostEnd) {
        let edges = PipePoll::edge(ours, both_ways());
        self.ends.push(Both { ours, edges, host });
    }

    fn make(&mut self, call: &Call) -> Result<(), TestCaseError> {
        match *call {
            Call::Pipe => {
                let (reader, writer) = self.pipes.pipe();
                let hosts = pipes::pipe(INTEREST);
                self.add(reader, hosts.0);
                self.add(writer, hosts.1);
            }
            Call::Mkfifo { name } => {
                let path = self.path(name);
                let ours = outcome(self.pipes.mkfifo(name.to_string()));
                prop_assert_eq!(ours.map(|()| 0), pipes::mkfifo(&path));
            }
            Call::Unlink { name } => {
                let theirs = std::fs::remove_file(self.path(name));
                let ours = outcome(self.pipes.unlink_fifo(name.to_string()));
                prop_assert_eq!(ours, theirs.map_err(|error| host::number(&error)));
            }
            Call::Open { name, access } => {
                let theirs = pipes::open(&self.path(name), access, INTEREST);
                let ours = self.pipes.open_fifo(name.to_string(), access, Block::NO);
                match (ours, theirs) {
                    (Ok(ours), Ok(theirs)) => self.add(ours, theirs),
                    (ours, theirs) => {
                        prop_assert_eq!(outcome(ours).map(|_| 0), theirs.map(|_| 0));
                    }
                }
            }
            _ if self.ends.is_empty() => {}
            _ => self.make_of_an_end(call)?,
        }
        self.compare_levels()
    }

    fn path(&self, name: usize) -> PathBuf {
        self.folder.join(name.to_string())
    }

    fn make_of_an_end(&mut self, call: &Call) -> Result<(), TestCaseError> {
        let count = self.ends.len();
        match *call {
            Call::Write { at, ref sizes } => self.write(at % count, sizes)?,
            Call::Read { at, ref sizes } => self.read(at % count, sizes)?,
            Call::Dup { at } => {
                let both = &self.ends[at % count];
                let ours = self.pipes.dup(both.ours).expect("it is open");
                let theirs = both.host.dup(INTEREST);
                self.add(ours, theirs);
            }
            Call::Close { at } => self.close(at % count)?,
            Call::SetCapacity { at, bytes } => {
                let both = &self.ends[at % count];
                let ours = self.pipes.set_capacity(both.ours, bytes as usize);
                prop_assert_eq!(outcome(ours), both.host.set_capacity(bytes));
            }
            Call::Edges { at } => self.compare_edges(at % count)?,
            _ => unreachable!("it is of no end"),
        }
        Ok(())
    }

    fn write(&mut self, at: usize, sizes: &[usize]) -> Result<(), TestCaseError> {
        let mut next = || {
            self.byte = self.byte.wrapping_add(1);
            self.byte
        };
        let parts: Vec<Vec<u8>> = sizes
            .iter()
            .map(|size| (0..*size).map(|_| next()).collect())
            .collect();
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let both = &self.ends[at];
        let theirs = both.host.write(&slices);
        let ours = self.pipes.write_vectored(both.ours, &slices, Block::NO);
        prop_assert_eq!(outcome(ours), theirs);
        if ours == Err(Errno::Again) {
            self.forget_edges()?;
        }
        Ok(())
    }

    fn close(&mut self, at: usize) -> Result<(), TestCaseError> {
        let both = self.ends.swap_remove(at);
        let access = self.pipes.access(both.ours).expect("it is open");
        let (readers, writers) = self.pipes.sides(both.ours).expect("it is open");
        prop_assert_eq!(self.pipes.close(both.ours), Ok(()));
        drop(both);
        let left = (
            readers - u32::from(access.reads()),
            writers - u32::from(access.writes()),
        );
        let is_half = (left.0 == 0) != (left.1 == 0);
        let was_half = (readers == 0) != (writers == 0);
        if is_half && was_half {
            self.forget_edges()?;
        }
        Ok(())
    }

    fn forget_edges(&mut self) -> Result<(), TestCaseError> {
        for both in &mut self.ends {
            let _ = both.host.edges();
            let polls = std::slice::from_mut(&mut both.edges);
            prop_assert!(self.pipes.poll(polls, Block::NO).is_ok());
        }
        Ok(())
    }

    fn read(&mut self, at: usize, sizes: &[usize]) -> Result<(), TestCaseError> {
        let parts: Vec<Vec<u8>> = sizes.iter().map(|size| vec![0; *size]).collect();
        let (mut ours, mut theirs) = (parts.clone(), parts);
        let slices = |parts: &mut Vec<Vec<u8>>, read: &mut dyn FnMut(&mut [IoSliceMut<'_>])| {
            let mut slices: Vec<_> = parts.iter_mut().map(|part| IoSliceMut::new(part)).collect();
            read(&mut slices);
        };
        let both = &self.ends[at];
        let (mut here, mut there) = (Ok(0), Ok(0));
        slices(&mut theirs, &mut |slices| there = both.host.read(slices));
        slices(&mut ours, &mut |slices| {
            here = self.pipes.read_vectored(both.ours, slices, Block::NO);
        });
        prop_assert_eq!(outcome(here), there);
        prop_assert!(ours == theirs, "other bytes");
        Ok(())
    }

    fn compare_edges(&mut self, at: usize) -> Result<(), TestCaseError> {
        let both = &mut self.ends[at];
        let ready = self
            .pipes
            .poll(std::slice::from_mut(&mut both.edges), Block::NO);
        let theirs = both.host.edges();
        prop_assert_eq!(
            both.edges.ready().bits(),
            theirs as u16,
            "edges of {:?}",
            both.ours
        );
        prop_assert_eq!(ready, Ok(usize::from(theirs != 0)));
        Ok(())
    }

    /// What every end is ready for, and how much there is.
    fn compare_levels(&self) -> Result<(), TestCaseError> {
        for Both { ours, host, .. } in &self.ends {
            let ready = self.pipes.readiness(*ours).map(Readiness::bits);
            prop_assert_eq!(ready, Ok(host.poll()), "levels of {:?}", ours);
            prop_assert_eq!(outcome(self.pipes.unread(*ours)), host.unread());
            prop_assert_eq!(outcome(self.pipes.capacity(*ours)), host.capacity());
        }
        Ok(())
    }

    /// Closes what is open, and sees that nothing stays.
    fn end(mut self, names: usize) -> Result<(), TestCaseError> {
        while !self.ends.is_empty() {
            self.make(&Call::Close { at: 0 })?;
        }
        for name in 0..names {
            self.make(&Call::Unlink { name })?;
        }
        prop_assert!(self.pipes.is_empty());
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn pipes_are_as_the_hosts(calls in vec(of_an_end(), 1..60)) {
        let mut world = World::new();
        world.make(&Call::Pipe)?;
        for call in &calls {
            world.make(call)?;
        }
        world.end(0)?;
    }

    #[test]
    fn fifos_are_as_the_hosts(
        calls in vec(prop_oneof![2 => of_an_end(), 1 => of_a_name()], 1..60),
    ) {
        let mut world = World::new();
        world.make(&Call::Mkfifo { name: 0 })?;
        world.make(&Call::Pipe)?;
        for call in &calls {
            world.make(call)?;
        }
        world.end(2)?;
    }
}
