//! What a program consists of, and how programs are drawn.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

pub(crate) const KEYS: u64 = 4;
pub(crate) const ALL: usize = usize::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) shape: Shape,
    pub(crate) commands: Vec<Command>,
}

/// The slots of a table and the hash of each key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) slots: usize,
    pub(crate) hashes: [u64; KEYS as usize],
}

#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) step: Step,
    /// The comparison of two keys with this number, counted from 0, panics.
    pub(crate) panicking_comparison: Option<u8>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Park(Park),
    /// One of those who wait goes on. If it is past its deadline and woken, its sleep says which.
    Run {
        who: usize,
        says_timed_out: bool,
    },
    Pass {
        ns: u64,
    },
    Unpark {
        key: u64,
        count: usize,
    },
    UnparkBits {
        key: u64,
        count: usize,
        bits: u32,
    },
    UnparkFilter {
        key: u64,
        count: usize,
        verdicts: Vec<Verdict>,
    },
    UnparkWith {
        key: u64,
        count: usize,
        verdicts: Vec<Verdict>,
        policy_panics: bool,
    },
    Requeue {
        from: u64,
        to: u64,
        wake_max: usize,
        move_max: usize,
        answer: Answer,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Park {
    pub(crate) key: u64,
    pub(crate) bits: u32,
    /// Nanoseconds until its deadline.
    pub(crate) patience: Option<u64>,
    /// It says that it has validated before.
    pub(crate) validated: bool,
    pub(crate) answers: [Answer; 2],
    /// It stops between being linked and going to sleep.
    pub(crate) lingers: bool,
    pub(crate) before_sleep_panics: bool,
    pub(crate) on_leave_panics: bool,
}

/// Of a `validate`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Yes,
    No,
    Fails,
    Panics,
}

/// Of a filter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Unpark,
    Skip,
    Stop,
    Panics,
}

pub(crate) fn programs() -> impl Strategy<Value = Program> {
    (shape(), vec(command(), 1..60)).prop_map(|(shape, commands)| Program { shape, commands })
}

/// Programs that begin with many waits.
pub(crate) fn crowds() -> impl Strategy<Value = Program> {
    let waits = park().prop_map(|park| Command {
        step: Step::Park(Park {
            answers: [Answer::Yes; 2],
            ..park
        }),
        panicking_comparison: None,
    });
    let commands = (vec(waits, 70..90), vec(command(), 1..60));
    (shape(), commands).prop_map(|(shape, (mut commands, more))| {
        commands.extend(more);
        Program { shape, commands }
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    let shape = |slots, hashes| Just(Shape { slots, hashes });
    prop_oneof![
        shape(1, [0, 1, 2, 3]),
        shape(1, [7, 7, 7, 7]),
        shape(2, [0, 1, 2, 3]),
        shape(2, [1, 1, 0, 0]),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    (step(), weighted(0.05, 0..4_u8)).prop_map(|(step, panicking_comparison)| Command {
        step,
        panicking_comparison,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let run = (any::<usize>(), any::<bool>());
    let pass = (1..4_u64).prop_map(|ns| Step::Pass { ns });
    let unpark = (key(), count()).prop_map(|(key, count)| Step::Unpark { key, count });
    let bits = (key(), count(), 1..4_u32);
    let filter = (key(), count(), vec(verdict(), 1..5));
    let with = (
        key(),
        count(),
        vec(verdict(), 1..5),
        weighted(0.1, Just(())),
    );
    let requeue = (key(), key(), 0..3_usize, count(), answer());
    prop_oneof![
        10 => park().prop_map(Step::Park),
        8 => run.prop_map(|(who, says_timed_out)| Step::Run { who, says_timed_out }),
        2 => pass,
        3 => unpark,
        2 => bits.prop_map(|(key, count, bits)| Step::UnparkBits { key, count, bits }),
        2 => filter.prop_map(|(key, count, verdicts)| Step::UnparkFilter { key, count, verdicts }),
        2 => with.prop_map(|(key, count, verdicts, panics)| {
            Step::UnparkWith { key, count, verdicts, policy_panics: panics.is_some() }
        }),
        5 => requeue.prop_map(|(from, to, wake_max, move_max, answer)| {
            Step::Requeue { from, to, wake_max, move_max, answer }
        }),
    ]
}

fn park() -> impl Strategy<Value = Park> {
    let panics = || weighted(0.05, Just(())).prop_map(|panics| panics.is_some());
    (
        key(),
        1..4_u32,
        weighted(0.5, 0..6_u64),
        any::<bool>(),
        [answer(), answer()],
        any::<bool>(),
        panics(),
        panics(),
    )
        .prop_map(
            |(key, bits, patience, validated, answers, lingers, before_sleep, on_leave)| Park {
                key,
                bits,
                patience,
                validated,
                answers,
                lingers,
                before_sleep_panics: before_sleep,
                on_leave_panics: on_leave,
            },
        )
}

fn key() -> impl Strategy<Value = u64> {
    0..KEYS
}

fn count() -> impl Strategy<Value = usize> {
    prop_oneof![1 => Just(0), 6 => Just(1), 2 => Just(2), 2 => Just(3), 2 => Just(ALL)]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        20 => Just(Answer::Yes),
        1 => Just(Answer::No),
        1 => Just(Answer::Fails),
        1 => Just(Answer::Panics),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        6 => Just(Verdict::Unpark),
        5 => Just(Verdict::Skip),
        1 => Just(Verdict::Stop),
        1 => Just(Verdict::Panics),
    ]
}
