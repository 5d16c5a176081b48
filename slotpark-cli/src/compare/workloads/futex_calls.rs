//! Calls by the futex's numbers that neither block nor wake, beside those that engines have too.

use std::hint::black_box;

use rustix::time::Timespec;

use super::calls::time;
use super::default_engine;
use crate::measure::futex::{FutexEngine, WORDS};
use crate::measure::locks::Plan;
use crate::measure::{Outcome, Row, Sample, Scale, Unit, Word};

/// Which call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FutexCalls {
    /// FUTEX_WAIT with a timeout, on a word whose value has changed.
    WaitStaleTimed,
    /// FUTEX_CMP_REQUEUE of a word on which nobody waits.
    CmpRequeueNone,
    /// FUTEX_WAKE_OP of two such words.
    WakeOpNone,
    /// `futex_waitv` on words of which the last one's value has changed.
    WaitvStale,
}

impl FutexCalls {
    pub(crate) const ALL: [Self; 4] = [
        Self::WaitStaleTimed,
        Self::CmpRequeueNone,
        Self::WakeOpNone,
        Self::WaitvStale,
    ];

    /// One sample of one engine; no figure where the kernel has no such call.
    pub(crate) fn sample<E: FutexEngine>(self, scale: &Scale) -> Sample {
        let engine = default_engine::<E>();
        let other = Word::default();
        let time = match self {
            Self::WaitStaleTimed => {
                let second = Timespec {
                    tv_sec: 1,
                    tv_nsec: 0,
                };
                time(scale, |at| {
                    black_box(engine.wait_for(at.word, 1, &second));
                })
            }
            Self::CmpRequeueNone => time(scale, |at| {
                black_box(engine.cmp_requeue([at.word, &other], 0));
            }),
            Self::WakeOpNone => time(scale, |at| {
                black_box(engine.wake_op([at.word, &other]));
            }),
            Self::WaitvStale => {
                let words: [Word; WORDS] = Default::default();
                words[WORDS - 1].set(1);
                let entries = E::entries(words.each_ref().map(|word| (word, 0)));
                if engine.waitv(&entries) != Outcome::Stale {
                    return Sample {
                        values: vec![None],
                        ..Sample::default()
                    };
                }
                time(scale, |_| {
                    black_box(engine.waitv(black_box(&entries)));
                })
            }
        };
        Sample::new([time])
    }
}

impl Plan for FutexCalls {
    fn rows(&self) -> Vec<Row> {
        let name = match self {
            Self::WaitStaleTimed => "futex_wait_stale_timed",
            Self::CmpRequeueNone => "futex_cmp_requeue_none",
            Self::WakeOpNone => "futex_wake_op_none",
            Self::WaitvStale => "futex_waitv_8_stale",
        };
        vec![Row {
            name,
            unit: Unit::Ns,
        }]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(5, 11)
    }
}
