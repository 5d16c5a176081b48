//! Random calls of a few processes about each other: forks, ends, stops, waits, groups, sessions.
//! After each call all of them are at rest, and the whole tree is compared.

mod guest;
mod host;
mod rest;
pub(super) mod serve;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The process at this place of the list, in the order of their forks; 0 is the one that begins.
type At = usize;

/// A call, and who makes it.
#[derive(Clone, Copy, Debug)]
enum Call {
    Fork(At),
    Exit(At, u8),
    Kill(At, To, i32),
    Wait(At, Of, u8),
    SetGroup(At, Option<At>, Option<At>),
    BeginSession(At),
    Group(At, At),
    Session(At, At),
    /// What it does about SIGCHLD.
    OnChild(At, OnChild),
    /// Whether SIGCHLD is pending, which all of them block; takes it.
    TakeChild(At),
    Subreaper(At, bool),
    Exec(At),
}

#[derive(Clone, Copy, Debug)]
enum To {
    Process(At),
    Group(At),
    Own,
}

#[derive(Clone, Copy, Debug)]
enum Of {
    Any,
    One(At),
    Group(At),
    Own,
}

#[derive(Clone, Copy, Debug)]
enum OnChild {
    Default,
    Ignore,
    NoZombies,
    Handle,
    HandleEnds,
}

/// What of `Call::Wait` is asked for.
const EXITED: u8 = 1;
const STOPPED: u8 = 2;
const CONTINUED: u8 = 4;
const KEEP: u8 = 8;

/// Beside the one that begins.
const CHILDREN_MAX: usize = 7;

pub(super) fn random_calls() {
    let config = Config {
        failure_persistence: None,
        // Of one that hangs, each try takes its time.
        max_shrink_time: 120_000,
        max_shrink_iters: 1_000,
        ..Config::with_cases(150)
    };
    let script = prop::collection::vec(call(), 1..50);
    let result = TestRunner::new(config).run(&script, |script| {
        let (calls, expected) = guest::run(script);
        let story = host::run(&calls);
        let differs = expected
            .iter()
            .zip(&story)
            .position(|(ours, theirs)| ours != theirs);
        let at = differs.unwrap_or(expected.len().min(story.len()));
        prop_assert_eq!(
            expected.get(at),
            story.get(at),
            "call {} of {:?}",
            at,
            calls
        );
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    eprintln!("processes_host: processes: 150 scripts are the same");
}

fn at() -> impl Strategy<Value = At> {
    0..=CHILDREN_MAX
}

fn call() -> impl Strategy<Value = Call> {
    let signal = prop_oneof![
        3 => prop::sample::select(vec![19, 20, 18]),
        2 => prop::sample::select(vec![15, 9, 1]),
        1 => prop::sample::select(vec![0, 17, 21, 22]),
    ];
    let to = prop_oneof![
        4 => at().prop_map(To::Process),
        2 => at().prop_map(To::Group),
        1 => Just(To::Own),
    ];
    let of = prop_oneof![
        4 => Just(Of::Any),
        2 => at().prop_map(Of::One),
        2 => at().prop_map(Of::Group),
        1 => Just(Of::Own),
    ];
    let wanted = prop_oneof![4 => 1..8_u8, 1 => 0..16_u8];
    let on_child = prop::sample::select(vec![
        OnChild::Default,
        OnChild::Ignore,
        OnChild::NoZombies,
        OnChild::Handle,
        OnChild::HandleEnds,
    ]);
    let some = || prop::option::of(at());
    prop_oneof![
        8 => at().prop_map(Call::Fork),
        3 => (at(), any::<u8>()).prop_map(|(at, code)| Call::Exit(at, code)),
        8 => (at(), to, signal).prop_map(|(at, to, signal)| Call::Kill(at, to, signal)),
        8 => (at(), of, wanted).prop_map(|(at, of, wanted)| Call::Wait(at, of, wanted)),
        6 => (at(), some(), some()).prop_map(|(at, pid, group)| Call::SetGroup(at, pid, group)),
        2 => at().prop_map(Call::BeginSession),
        1 => (at(), at()).prop_map(|(at, of)| Call::Group(at, of)),
        1 => (at(), at()).prop_map(|(at, of)| Call::Session(at, of)),
        2 => (at(), on_child).prop_map(|(at, action)| Call::OnChild(at, action)),
        3 => at().prop_map(Call::TakeChild),
        1 => (at(), any::<bool>()).prop_map(|(at, is)| Call::Subreaper(at, is)),
        1 => at().prop_map(Call::Exec),
    ]
}

impl Call {
    /// With other places.
    fn placed(self, place: impl Fn(At) -> At) -> Self {
        let to = |to| match to {
            To::Process(at) => To::Process(place(at)),
            To::Group(at) => To::Group(place(at)),
            To::Own => To::Own,
        };
        let of = |of| match of {
            Of::One(at) => Of::One(place(at)),
            Of::Group(at) => Of::Group(place(at)),
            Of::Any | Of::Own => of,
        };
        let some = |at: Option<At>| at.map(&place);
        match self {
            Self::Fork(at) => Self::Fork(place(at)),
            Self::Exit(at, code) => Self::Exit(place(at), code),
            Self::Kill(at, whom, signal) => Self::Kill(place(at), to(whom), signal),
            Self::Wait(at, whom, wanted) => Self::Wait(place(at), of(whom), wanted),
            Self::SetGroup(at, pid, group) => Self::SetGroup(place(at), some(pid), some(group)),
            Self::BeginSession(at) => Self::BeginSession(place(at)),
            Self::Group(at, whom) => Self::Group(place(at), place(whom)),
            Self::Session(at, whom) => Self::Session(place(at), place(whom)),
            Self::OnChild(at, action) => Self::OnChild(place(at), action),
            Self::TakeChild(at) => Self::TakeChild(place(at)),
            Self::Subreaper(at, is) => Self::Subreaper(place(at), is),
            Self::Exec(at) => Self::Exec(place(at)),
        }
    }

    fn caller(self) -> At {
        match self {
            Self::Fork(at)
            | Self::Exit(at, _)
            | Self::Kill(at, ..)
            | Self::Wait(at, ..)
            | Self::SetGroup(at, ..)
            | Self::BeginSession(at)
            | Self::Group(at, _)
            | Self::Session(at, _)
            | Self::OnChild(at, _)
            | Self::TakeChild(at)
            | Self::Subreaper(at, _)
            | Self::Exec(at) => at,
        }
    }
}
