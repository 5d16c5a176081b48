//! Values handed over, and gates, where nobody is in the way.

use std::hint::black_box;
use std::pin::pin;
use std::task::Poll;

use gungraun::prelude::*;
use slotpark::{Latch, Mailbox, SingleFlight};

use crate::fixture::{KEY, poll, repeat, seeded};

fn mailbox() -> Mailbox<u64, u64> {
    Mailbox::from_engine(slotpark::core::Mailbox::new(), seeded())
}

#[library_benchmark]
#[bench::nobody(mailbox())]
fn deliver(mailbox: Mailbox<u64, u64>) -> Mailbox<u64, u64> {
    repeat(|| assert!(black_box(&mailbox).deliver(black_box(&KEY), 1).is_err()));
    mailbox
}

// A task subscribes, a value is delivered, and the task has it.
#[library_benchmark]
#[bench::to_task(mailbox())]
fn deliver_and_receive(mailbox: Mailbox<u64, u64>) -> Mailbox<u64, u64> {
    repeat(|| {
        let mut receive = pin!(black_box(&mailbox).receive_async(black_box(KEY)));
        assert!(poll(receive.as_mut()).is_pending());
        assert!(mailbox.deliver(black_box(&KEY), 1).is_ok());
        assert!(poll(receive.as_mut()) == Poll::Ready(Ok(1)));
    });
    mailbox
}

#[library_benchmark]
#[bench::alone(SingleFlight::from_engine(slotpark::core::SingleFlight::new(), seeded()))]
fn flight(flights: SingleFlight<u64, u64>) -> SingleFlight<u64, u64> {
    repeat(|| assert!(black_box(&flights).run(black_box(&KEY), || black_box(1)) == 1));
    flights
}

// Armed and opened; nobody waits.
#[library_benchmark]
#[bench::armed(Latch::from_engine(slotpark::core::Latch::new(), seeded()))]
fn latch(latch: Latch<u64>) -> Latch<u64> {
    repeat(|| {
        let armed = black_box(&latch).arm(black_box(KEY), 1);
        assert!(latch.count_down(black_box(&KEY), 1) == Some(0));
        drop(armed);
    });
    latch
}

library_benchmark_group!(
    name = values,
    benchmarks = [deliver, deliver_and_receive, flight, latch]
);
