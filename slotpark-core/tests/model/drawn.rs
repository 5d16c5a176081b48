//! Programs drawn at random, so that a failing one can be shrunk.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use slotpark_core::Order;

use crate::host::Resume;
use crate::program::{
    ALL, Answer, BELLS, Command, End, INTERRUPTERS, KEYS, Manner, Plan, Program, SHAPES, Shape,
    Step, Then, Touch, Verdict,
};
use crate::words::{Act, PLACES, What, Words};

/// One in seven is closed, shortly before its end.
pub(crate) fn programs() -> impl Strategy<Value = Program> {
    let close = Just(Command {
        step: Step::End(End::Close),
        panicking_comparison: None,
    });
    let closed = weighted(0.15, (close, vec(command(), 0..10)));
    (shape(), vec(command(), 1..60), closed).prop_map(|(shape, mut commands, closed)| {
        if let Some((close, more)) = closed {
            commands.push(close);
            commands.extend(more);
        }
        Program { shape, commands }
    })
}

/// Programs that begin with many waits, of threads and tasks, of all keys or of one.
pub(crate) fn crowds() -> impl Strategy<Value = Program> {
    let manner = prop_oneof![3 => parking(0.2), 2 => first_touch().prop_map(Manner::Task)];
    let plan = (manner, common()).prop_map(|(manner, plan)| Plan {
        manner,
        answers: Vec::new(),
        ..plan
    });
    let commands = vec(command(), 1..60);
    (shape(), vec(plan, 100..140), weighted(0.3, key()), commands).prop_map(
        |(shape, plans, key, more)| {
            let waits = plans.into_iter().map(|plan| Command {
                step: Step::Wait(Plan {
                    keys: key.map_or_else(|| plan.keys.clone(), |key| vec![key]),
                    ..plan
                }),
                panicking_comparison: None,
            });
            let commands = waits.chain(more).collect();
            Program { shape, commands }
        },
    )
}

/// Of one semaphore and one event counter.
pub(crate) fn words() -> impl Strategy<Value = Words> {
    let head = (any::<bool>(), 0..4_usize, select(&PLACES[..]));
    let closed = weighted(0.2, vec(act(), 0..10));
    (head, vec(act(), 1..60), closed).prop_map(|((is_barging, permits, place), mut acts, more)| {
        if let Some(more) = more {
            acts.push(Act::CloseSemaphore);
            acts.extend(more);
        }
        let (slots, hashes) = place;
        Words {
            is_barging,
            permits,
            slots,
            hashes,
            acts,
        }
    })
}

fn act() -> impl Strategy<Value = Act> {
    let what = || {
        prop_oneof![
            3 => (0..4_usize).prop_map(What::Permits),
            1 => (0..4_u64).prop_map(What::Events),
        ]
    };
    let patience = weighted(0.5, 0..6_u64);
    let run = (any::<usize>(), any::<bool>());
    let poll = (any::<usize>(), 0..BELLS);
    prop_oneof![
        6 => (what(), patience).prop_map(|(what, patience)| Act::Thread { what, patience }),
        5 => (what(), 0..BELLS).prop_map(|(what, bell)| Act::Task { what, bell }),
        1 => (0..4_usize).prop_map(|count| Act::Try { count }),
        5 => (0..4_usize).prop_map(|count| Act::Release { count }),
        1 => (0..3_usize).prop_map(|count| Act::Forget { count }),
        2 => (0..3_u64).prop_map(|events| Act::Advance { events }),
        6 => run.prop_map(|(who, says_timed_out)| Act::Run { who, says_timed_out }),
        5 => poll.prop_map(|(who, bell)| Act::Poll { who, bell }),
        3 => any::<usize>().prop_map(|who| Act::Drop { who }),
        2 => (1..4_u64).prop_map(|ns| Act::Pass { ns }),
        1 => Just(Act::CloseEvents),
    ]
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
    let run = (any::<usize>(), any::<bool>(), proptest::bool::weighted(0.3));
    let touch = (any::<usize>(), touch());
    let pass = (1..4_u64).prop_map(|ns| Step::Pass { ns });
    let unpark = (key(), count()).prop_map(|(key, count)| Step::Unpark { key, count });
    let last = key().prop_map(|key| Step::UnparkLast { key });
    let bits = (key(), count(), 1..4_u32);
    let filter = (key(), count(), vec(verdict(), 1..5));
    let with = (key(), count(), vec(verdict(), 1..5), panics());
    let requeue = (key(), key(), 0..3_usize, count(), answer());
    prop_oneof![
        16 => plan().prop_map(Step::Wait),
        8 => run.prop_map(|(who, says_timed_out, is_signal)| {
            Step::Run { who, resume: Resume { says_timed_out, is_signal } }
        }),
        8 => touch.prop_map(|(who, touch)| Step::Touch { who, touch }),
        2 => pass,
        4 => unpark,
        2 => last,
        3 => bits.prop_map(|(key, count, bits)| Step::UnparkBits { key, count, bits }),
        2 => filter.prop_map(|(key, count, verdicts)| Step::UnparkFilter { key, count, verdicts }),
        2 => with.prop_map(|(key, count, verdicts, policy_panics)| {
            Step::UnparkWith { key, count, verdicts, policy_panics }
        }),
        5 => requeue.prop_map(|(from, to, wake_max, move_max, answer)| {
            Step::Requeue { from, to, wake_max, move_max, answer }
        }),
        6 => end().prop_map(Step::End),
    ]
}

fn end() -> impl Strategy<Value = End> {
    let places = (any::<bool>(), any::<u8>(), weighted(0.1, 0..3_u8));
    prop_oneof![
        6 => (0..INTERRUPTERS).prop_map(End::Interrupt),
        1 => (0..INTERRUPTERS).prop_map(End::Clear),
        2 => key().prop_map(End::CloseKey),
        2 => key().prop_map(End::Seal),
        4 => any::<usize>().prop_map(End::Unseal),
        2 => places.prop_map(|(is_close, mask, panics_at)| {
            End::Where { is_close, mask, panics_at }
        }),
    ]
}

/// Of any manner.
fn plan() -> impl Strategy<Value = Plan> {
    let one = prop_oneof![
        4 => parking(0.5),
        1 => (any::<bool>(), then()).prop_map(|(lingers, then)| Manner::Prepare { lingers, then }),
        3 => first_touch().prop_map(Manner::Task),
    ];
    let one = (one, common()).prop_map(|(manner, plan)| Plan { manner, ..plan });
    let thread = (Just(Manner::Any), vec(key(), 1..5));
    let task = (first_touch().prop_map(Manner::TaskAny), vec(key(), 1..4));
    let manner = prop_oneof![3 => thread, 3 => task];
    let interrupter = weighted(0.5, 0..INTERRUPTERS);
    let any = (manner, common(), vec(answer(), 0..8), interrupter).prop_map(
        |((manner, keys), plan, answers, interrupter)| Plan {
            manner,
            keys,
            answers,
            interrupter,
            ..plan
        },
    );
    prop_oneof![8 => one, 6 => any]
}

fn parking(lingering: f64) -> impl Strategy<Value = Manner> {
    let lingers = weighted(lingering, Just(())).prop_map(|lingers| lingers.is_some());
    (lingers, panics(), panics()).prop_map(|(lingers, before_sleep_panics, on_leave_panics)| {
        Manner::Park {
            lingers,
            before_sleep_panics,
            on_leave_panics,
        }
    })
}

/// On one key, of some manner.
fn common() -> impl Strategy<Value = Plan> {
    let patience = weighted(0.5, 0..6_u64);
    let answers = vec(answer(), 2..3);
    let bits = prop_oneof![9 => 1..4_u32, 1 => Just(0)];
    let flags = (any::<bool>(), any::<bool>());
    (key(), bits, order(), patience, flags, answers).prop_map(
        |(key, bits, order, patience, (validated, until_signal), answers)| Plan {
            manner: Manner::Any,
            keys: vec![key],
            bits,
            order,
            patience,
            validated,
            until_signal,
            answers,
            interrupter: None,
        },
    )
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        5 => Just(Order::Fifo),
        2 => Just(Order::Lifo),
        3 => (0..4_u32).prop_map(Order::Priority),
    ]
}

fn then() -> impl Strategy<Value = Then> {
    select(vec![Then::Waits, Then::Waits, Then::Leaves, Then::Panics])
}

fn first_touch() -> impl Strategy<Value = Touch> {
    prop_oneof![
        4 => (0..BELLS).prop_map(Touch::Poll),
        1 => Just(Touch::Enable),
    ]
}

fn touch() -> impl Strategy<Value = Touch> {
    prop_oneof![
        4 => (0..BELLS).prop_map(Touch::Poll),
        1 => Just(Touch::Enable),
        1 => Just(Touch::TimeOut),
        3 => Just(Touch::Drop),
    ]
}

fn key() -> impl Strategy<Value = u64> {
    0..KEYS
}

fn panics() -> impl Strategy<Value = bool> {
    weighted(0.05, Just(())).prop_map(|panics| panics.is_some())
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
