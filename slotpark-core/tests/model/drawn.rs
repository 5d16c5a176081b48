//! Programs drawn at random, so that a failing one can be shrunk.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use crate::program::{ALL, Answer, Command, KEYS, Park, Program, SHAPES, Shape, Step, Verdict};

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
    select(&SHAPES[..])
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
