//! What is measured of the managers, and beside whom.

use super::workloads::managers::{BlockedRead, PipeBlocks, PipeRoundTrip, Processes, Signals};
use crate::engines::managers::{
    CrossbeamChannel, KernelPipe, KernelSignals, MapAndWait, SlotparkPipe, SlotparkSignals,
};
use crate::measure::managers::{PipeEngine, SignalEngine, TaskPipeEngine};
use crate::measure::{Contest, Entrant};

/// Everything, in the order of the report.
pub(super) fn contests() -> Vec<Contest> {
    let mut contests: Vec<Contest> = PipeBlocks::ALL.map(blocks).into();
    let round_trip = vec![
        round_trip::<SlotparkPipe>(),
        round_trip::<KernelPipe>(),
        round_trip::<MapAndWait>(),
    ];
    contests.push(Contest::of_managers(PipeRoundTrip, round_trip));
    let blocked = vec![blocked_read::<SlotparkPipe>(), blocked_read::<MapAndWait>()];
    contests.push(Contest::of_managers(BlockedRead, blocked));
    let signals = vec![signals::<SlotparkSignals>(), signals::<KernelSignals>()];
    contests.push(Contest::of_managers(Signals, signals));
    contests.extend([Processes::Time, Processes::Bytes].map(|processes| {
        let alone = Entrant::sampled(SlotparkPipe::NAME, move |_| Ok(processes.sample()));
        Contest::of_managers(processes, vec![alone])
    }));
    contests
}

fn blocks(blocks: PipeBlocks) -> Contest {
    fn entrant<E: PipeEngine>(blocks: PipeBlocks) -> Entrant {
        Entrant::sampled(E::NAME, move |scale| blocks.sample::<E>(scale))
    }
    let entrants = vec![
        entrant::<SlotparkPipe>(blocks),
        entrant::<KernelPipe>(blocks),
        entrant::<CrossbeamChannel>(blocks),
    ];
    Contest::of_managers(blocks, entrants)
}

fn round_trip<E: PipeEngine>() -> Entrant {
    Entrant::sampled(E::NAME, PipeRoundTrip::sample::<E>)
}

fn blocked_read<E: TaskPipeEngine>() -> Entrant {
    Entrant::sampled(E::NAME, |scale| Ok(BlockedRead::sample::<E>(scale)))
}

fn signals<E: SignalEngine>() -> Entrant {
    Entrant::sampled(E::NAME, |scale| Ok(Signals::sample::<E>(scale)))
}
