//! Two threads and a pipe: blocks in one direction, or one byte there and back.

use crate::compare::workloads::pairs::{Pair, measure};
use crate::measure::locks::Plan;
use crate::measure::managers::PipeEngine;
use crate::measure::{Hung, Row, Sample, Scale, Unit};

fn time_and_cpu([time, cpu]: [&'static str; 2]) -> Vec<Row> {
    let row = |name| Row {
        name,
        unit: Unit::Ns,
    };
    vec![row(time), row(cpu)]
}

/// One thread writes blocks of one size, another one reads them: for each block that has arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PipeBlocks {
    bytes: usize,
    rows: [&'static str; 2],
}

impl PipeBlocks {
    pub(crate) const ALL: [Self; 3] = [
        Self::of(64, ["pipe_64_bytes", "pipe_64_bytes_cpu"]),
        Self::of(4096, ["pipe_4096_bytes", "pipe_4096_bytes_cpu"]),
        Self::of(65536, ["pipe_65536_bytes", "pipe_65536_bytes_cpu"]),
    ];

    const fn of(bytes: usize, rows: [&'static str; 2]) -> Self {
        Self { bytes, rows }
    }

    /// One sample of one engine. Threads are left behind.
    pub(crate) fn sample<E: PipeEngine>(self, scale: &Scale) -> Result<Sample, Hung> {
        let [pipe] = E::several(self.bytes);
        let pipe: &'static E = Box::leak(Box::new(pipe));
        let play = move |pair: &Pair, player| match player {
            0 => read_blocks(pipe, self.bytes, pair),
            _ => write_blocks(pipe, self.bytes),
        };
        let per_block = measure(1, play, [scale.warm_up, scale.window * 2])?;
        Ok(Sample::new(per_block))
    }
}

impl Plan for PipeBlocks {
    fn rows(&self) -> Vec<Row> {
        time_and_cpu(self.rows)
    }
}

fn write_blocks<E: PipeEngine>(pipe: &E, bytes: usize) {
    let block = vec![1; bytes];
    loop {
        pipe.write(&block);
    }
}

fn read_blocks<E: PipeEngine>(pipe: &E, bytes: usize, pair: &Pair) {
    let (mut block, mut read, mut blocks) = (vec![0; bytes], 0, 0);
    loop {
        // At most a block, so that there is at most one more.
        read += pipe.read(&mut block);
        if read >= bytes {
            read -= bytes;
            blocks += 1;
            pair.made(blocks);
        }
    }
}

/// One byte there by one pipe, and back by another: both threads block in each trip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PipeRoundTrip;

impl PipeRoundTrip {
    /// One sample of one engine. Threads are left behind.
    pub(crate) fn sample<E: PipeEngine>(scale: &Scale) -> Result<Sample, Hung> {
        let pipes: &'static [E; 2] = Box::leak(Box::new(E::several(1)));
        let play = move |pair: &Pair, player| match player {
            0 => ping(pipes, pair),
            _ => pong(pipes),
        };
        let per_trip = measure(1, play, [scale.warm_up * 3, scale.window])?;
        Ok(Sample::new(per_trip))
    }
}

impl Plan for PipeRoundTrip {
    fn rows(&self) -> Vec<Row> {
        time_and_cpu(["pipe_round_trip", "pipe_round_trip_cpu"])
    }
}

fn ping<E: PipeEngine>([there, back]: &[E; 2], pair: &Pair) {
    let mut byte = [1];
    for trip in 1.. {
        there.write(&byte);
        back.read(&mut byte);
        pair.made(trip);
    }
}

fn pong<E: PipeEngine>([there, back]: &[E; 2]) {
    let mut byte = [0];
    loop {
        there.read(&mut byte);
        back.write(&byte);
    }
}
