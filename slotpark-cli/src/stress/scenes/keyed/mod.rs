//! Keyed locks: mutexes, read-write locks and semaphores. Threads and tasks hold keys, one or
//! several, more and less of them, wait for their conditions, and go away. Never more of a key is
//! held than there is, nobody waits for what is free, and no notification comes to nothing while
//! somebody waits for it.

mod books;
mod conditions;
mod holds;
mod relay;

use std::time::Duration;

use slotpark::DefaultPlatform;
use slotpark::core::{Condition, Holding, Inspect, KeyedLock, KeyedOptions, Preference, WhenFull};

use super::{Scene, Setting, named};
use crate::stress::actor::Actor;
use crate::stress::planned::Key;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Numbers, Queue, Tables, Which};
use books::{Books, Note};

type Guard<'l> = Holding<'l, Key, DefaultPlatform>;

const SITES_MAX: usize = 64;
/// Places for guards; who finds none allocates.
const POOL: usize = 8;
/// Looks at one who should go on, and may be about to.
const LOOKS: u32 = 1_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);
const KINDS: [(u32, Preference); 5] = [
    (1, Preference::Fifo),
    (1, Preference::Barging),
    (3, Preference::PhaseFair),
    (3, Preference::Fifo),
    (3, Preference::Barging),
];

/// One lock, whose keys are those of the sites of its number.
struct Locks {
    lock: KeyedLock<Key>,
    preference: Preference,
}

/// One key.
struct Site {
    key: Key,
    /// Index of its lock.
    lock: usize,
    books: Books,
}

struct Keyed {
    index: usize,
    numbers: &'static Numbers,
    locks: Vec<Locks>,
    sites: Vec<Site>,
    counted: Condition,
    all: Condition,
    /// One for each thread.
    notes: Vec<Note>,
    /// A key for each thread, which no other uses.
    private: Vec<Key>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let numbers = setting.numbers(tables).numbers;
    let options = KeyedOptions::new()
        .slots(numbers.waits.slots())
        .pool(POOL, WhenFull::Allocate);
    let locks = KINDS.iter().filter_map(|(capacity, preference)| {
        let lock = KeyedLock::with_options(*capacity, options.preference(*preference)).ok()?;
        let preference = *preference;
        Some(Locks {
            lock: lock.with_key_text(),
            preference,
        })
    });
    // Each lock has some, so that several of one can be held.
    let count = setting.keys.clamp(3 * KINDS.len(), SITES_MAX);
    let keys = numbers.keys(12, count, setting.crowded);
    let site = |(number, key): (usize, Key)| Site {
        key,
        lock: number % KINDS.len(),
        books: Books::default(),
    };
    Box::new(Keyed {
        index,
        numbers,
        locks: locks.collect(),
        sites: keys.into_iter().enumerate().map(site).collect(),
        counted: Condition::new(),
        all: Condition::new(),
        notes: (0..setting.threads).map(|_| Note::default()).collect(),
        private: numbers.keys(13, setting.threads, setting.crowded),
    })
}

impl Keyed {
    fn lock(&self, site: &Site) -> &KeyedLock<Key> {
        &self.locks[site.lock].lock
    }

    fn hash(&self, site: &Site) -> u64 {
        self.numbers.hash(site.key)
    }

    fn place(&self, number: usize) -> Place {
        Place {
            scene: self.index,
            key: number,
            ..Place::default()
        }
    }

    /// Counts what is held; a finding if it is more than there is.
    fn counts(&self, actor: &mut Actor<'_>, site: &Site, amount: u32) {
        let (capacity, spins) = (self.lock(site).capacity(), actor.below(0..64));
        if !site.books.hold(amount, capacity, spins) {
            let books = &site.books;
            actor.found(&format!("more is held than {capacity}: {books:?}"));
        }
    }

    /// Those who wait for the key, and for its conditions.
    fn waiters(&self, site: &Site) -> (usize, usize) {
        let (lock, hash) = (self.lock(site), self.hash(site));
        let conditions = [&self.counted, &self.all];
        let waiters = conditions.map(|each| lock.condition_waiters(hash, &site.key, each));
        (lock.waiters(hash, &site.key), waiters.iter().sum())
    }

    /// Nobody acts: nothing is held, and nobody waits for a key.
    fn check_site(&self, site: &Site) -> Result<(), String> {
        let look = || {
            let held = self.lock(site).held(self.hash(site), &site.key);
            (held, self.waiters(site).0)
        };
        let (mut held, mut waiters) = look();
        // Who has queued for a condition may be about to give its key up.
        for _ in 0..LOOKS {
            if (held, waiters) == (0, 0) {
                break;
            }
            std::thread::sleep(BETWEEN_LOOKS);
            (held, waiters) = look();
        }
        if waiters > 0 || held > 0 || site.books.held() > 0 {
            return Err(format!(
                "a key was lost: all is quiet, {held} are held (or {}), and {waiters} wait",
                site.books.held()
            ));
        }
        Ok(())
    }
}

impl Scene for Keyed {
    fn name(&self) -> &'static str {
        "keyed"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let number = actor.target(self.index, self.sites.len());
        match actor.below(0..16) {
            0..=5 => self.hold_and_change(actor, number),
            6 | 7 => self.with(actor, number),
            8 | 9 => self.many(actor, number),
            10..=12 => self.wait(actor, number),
            13 if actor.one_in(2) => self.relay(actor),
            13 => self.relay_key(actor),
            _ => self.notify(actor, number),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let queue = |(number, site): (usize, &Site)| {
            let (of_key, of_conditions) = self.waiters(site);
            let waiters = of_key + of_conditions;
            (waiters > 0).then(|| Queue {
                table: Which::Own,
                key: format!("key {number} of {:?}, {:?}", self.lock(site), site.books),
                slot: self.numbers.waits.slot_of(&site.key),
                waiters,
            })
        };
        self.sites.iter().enumerate().filter_map(queue).collect()
    }

    fn tables(&self) -> Vec<&dyn Inspect> {
        let locks = self.locks.iter();
        locks.map(|locks| &locks.lock as &dyn Inspect).collect()
    }

    fn check_quiet(&self, _waits: &[Waiting]) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            named(format_args!("key {number}"), self.check_site(site))?;
        }
        self.check_notes()
    }

    fn release(&self) {
        for site in &self.sites {
            self.notify_all(site, true);
            self.notify_all(site, false);
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            named(format_args!("key {number}"), self.check_site(site))?;
            named(format_args!("key {number}"), site.books.close())?;
        }
        for locks in &self.locks {
            let stats = locks.lock.pool_stats();
            if stats.taken > 0 {
                return Err(format!("nobody holds a key, and {stats:?}"));
            }
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        (Which::Own, 0)
    }
}
