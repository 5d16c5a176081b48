//! Mailbox: values handed to threads and tasks, some of which give up. Each value is received once,
//! by a wait of its key, or ends with who gave up last; none is left.

mod receives;
mod relay;
mod value;

use std::sync::Arc;

use slotpark::Mailbox;
use slotpark::core::Inspect;

use super::{Scene, Setting, named};
use crate::stress::actor::Actor;
use crate::stress::ledger::Ledger;
use crate::stress::planned::Key;
use crate::stress::stage::Waiting;
use crate::stress::tables::{Numbers, Queue, Tables, Which};
use crate::stress::tally::Operation;
use value::{Census, Value, losses};

/// A key and the values that were sent to it. Those that ended with who gave up count as received.
struct Address {
    key: Key,
    ledger: Ledger,
}

struct Mail {
    index: usize,
    /// A table whose slots the keys have here, too.
    numbers: &'static Numbers,
    mailbox: Mailbox<Key, Value>,
    addresses: Vec<Address>,
    /// A key for each thread, which no other uses.
    private: Vec<Key>,
    closed: Ledger,
    census: Arc<Census>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let numbers = &tables.tasks;
    let mut keys = numbers.keys(7, setting.keys + setting.threads, setting.crowded);
    let private = keys.split_off(setting.keys);
    let address = |key| Address {
        key,
        ledger: Ledger::default(),
    };
    Box::new(Mail {
        index,
        numbers,
        mailbox: numbers.mailbox(),
        addresses: keys.into_iter().map(address).collect(),
        private,
        closed: Ledger::default(),
        census: Arc::default(),
    })
}

impl Mail {
    fn value(&self, actor: &mut Actor<'_>, key: Key) -> Value {
        Value::new(key, u64::from(actor.stamp()), Arc::clone(&self.census))
    }

    /// Delivers; whether somebody was there, or what is wrong.
    fn deliver(&self, value: Value) -> Result<bool, String> {
        let (key, serial) = (value.key(), value.serial());
        let (result, lost) = losses(|| self.mailbox.deliver(&key, value));
        if lost.count > 0 {
            return Err(format!("a value of {key:?} was dropped by its delivery"));
        }
        match result.map_err(|back| back.take(key)) {
            Ok(()) => Ok(true),
            Err(back) if back == Some(serial) => Ok(false),
            Err(_) => Err(format!("not the value of {key:?} was given back")),
        }
    }

    fn send(&self, actor: &mut Actor<'_>, number: usize) {
        let address = &self.addresses[number];
        let value = self.value(actor, address.key);
        let serial = value.serial();
        match self.deliver(value) {
            Ok(is_taken) => {
                address.ledger.sent(usize::from(is_taken), serial);
                let row = actor.tally.row(Operation::Deliver);
                row.calls += 1;
                row.woken += u64::from(is_taken);
                row.stale += u64::from(!is_taken);
            }
            Err(what) => actor.found(&what),
        }
    }

    fn close_key(&self, actor: &mut Actor<'_>, number: usize) {
        let key = self.addresses[number].key;
        let count = if actor.one_in(4) {
            self.mailbox.close_where(|other| *other == key)
        } else {
            self.mailbox.close_key(&key)
        };
        self.closed.sent(count, 0);
        actor.closed(Operation::MailboxClose, count);
    }
}

impl Scene for Mail {
    fn name(&self) -> &'static str {
        "mailbox"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let number = actor.target(self.index, self.addresses.len());
        match actor.below(0..16) {
            0..=7 => self.receive(actor, number),
            8 => self.relay(actor),
            9 if actor.one_in(4) => self.close_key(actor, number),
            _ => self.send(actor, number),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let addresses = self.addresses.iter().map(|address| &address.key);
        let queue = |key: &Key| {
            let waiters = self.mailbox.receivers(key);
            (waiters > 0).then(|| Queue {
                table: Which::Mailbox,
                key: format!("address {:#x}", key.0),
                slot: self.numbers.waits.slot_of(key),
                waiters,
            })
        };
        addresses.chain(&self.private).filter_map(queue).collect()
    }

    fn tables(&self) -> Vec<&dyn Inspect> {
        vec![&self.mailbox]
    }

    fn check_quiet(&self, _waits: &[Waiting]) -> Result<(), String> {
        Ok(())
    }

    fn release(&self) {
        self.closed.sent(self.mailbox.close(), 0);
    }

    fn check_books(&self) -> Result<(), String> {
        for Address { key, ledger } in &self.addresses {
            named(format_args!("values of {key:?} as wakes"), ledger.close())?;
        }
        named("closings of the mailbox as wakes", self.closed.close())?;
        let after = Value::new(self.private[0], 0, Arc::clone(&self.census));
        if self.deliver(after)? {
            return Err("a closed mailbox has taken a value".to_owned());
        }
        self.census.close()
    }

    fn sent(&self) -> (Which, u64) {
        (Which::Mailbox, 0)
    }
}
