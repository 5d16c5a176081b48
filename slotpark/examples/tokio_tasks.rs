//! 10,000 tasks of a multi-thread tokio runtime wait on 10,000 keys while threads wake them, in 512
//! slots; then the same with tokio's timer as their deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use slotpark::{ShardedWait, WhileOutcome};

const KEYS: u32 = 10_000;
const WAKERS: u32 = 2;

struct World {
    waits: ShardedWait<u32>,
    ready: Vec<AtomicU32>,
}

fn main() {
    let world = Arc::new(World {
        waits: ShardedWait::new(),
        ready: (0..KEYS).map(|_| AtomicU32::new(0)).collect(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..KEYS)
            .map(|key| tokio::spawn(wait_for(Arc::clone(&world), key)))
            .collect();
        let wakers: Vec<_> = (0..WAKERS)
            .map(|first| {
                let world = Arc::clone(&world);
                std::thread::spawn(move || wake_every_other(&world, first))
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.expect("no task panics"), WhileOutcome::Met);
        }
        let woken: usize = wakers
            .into_iter()
            .map(|waker| waker.join().expect("no waker panics"))
            .sum();
        let linked: u64 = (0..world.waits.slots())
            .map(|slot| u64::from(world.waits.slot_stats(slot).parks))
            .sum();
        assert_eq!(woken as u64, linked, "each wait that was queued was woken");
        println!("{KEYS} tasks are ready; {woken} were queued, and woken once each");

        // load: this is the deadline that is shown
        let sleep = tokio::time::sleep(Duration::from_millis(5));
        let outcome = world.waits.wait_while_until_async(0, || true, sleep).await;
        assert_eq!(outcome, WhileOutcome::TimedOut);
        println!("a deadline is tokio's: {outcome:?}");
    });
}

async fn wait_for(world: Arc<World>, key: u32) -> WhileOutcome {
    let ready = &world.ready[key as usize];
    let waiting = || ready.load(Ordering::Relaxed) == 0;
    world.waits.wait_while_async(key, waiting).await
}

fn wake_every_other(world: &World, first: u32) -> usize {
    let keys = (first..KEYS).step_by(WAKERS as usize);
    keys.map(|key| {
        world.ready[key as usize].store(1, Ordering::Relaxed);
        world.waits.wake_all(&key)
    })
    .sum()
}
