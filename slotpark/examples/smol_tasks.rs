//! Tasks of smol wait on keys and wake each other; async-io's timer is a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use slotpark::{ShardedWait, WaitOutcome, WhileOutcome};

const TURNS: u32 = 1_000;

fn main() {
    smol::block_on(async {
        let waits = Arc::new(ShardedWait::<&'static str>::new());
        let turn = Arc::new(AtomicU32::new(0));
        // Two tasks take turns: one moves the count from even to odd, the other from odd to even.
        let players: Vec<_> = [("ping", "pong", 0), ("pong", "ping", 1)]
            .into_iter()
            .map(|(own, other, parity)| {
                let (waits, turn) = (Arc::clone(&waits), Arc::clone(&turn));
                smol::spawn(async move {
                    for _ in 0..TURNS {
                        let is_others = || turn.load(Ordering::Relaxed) % 2 != parity;
                        let outcome = waits.wait_while_async(own, is_others).await;
                        assert_eq!(outcome, WhileOutcome::Met);
                        turn.fetch_add(1, Ordering::Relaxed);
                        let _woken = waits.wake_all(other);
                    }
                })
            })
            .collect();
        for player in players {
            player.await;
        }
        println!("{} turns were taken", turn.load(Ordering::Relaxed));

        let timer = async {
            smol::Timer::after(Duration::from_millis(5)).await;
        };
        let outcome = waits.wait_until_async("nobody", || true, timer).await;
        assert_eq!(outcome, WaitOutcome::TimedOut);
        println!("a deadline is async-io's: {outcome:?}");
    });
}
