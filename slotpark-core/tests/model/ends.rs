//! Interrupts and closings of a program, on the table and in the model.

use slotpark_core::Platform;

use crate::host::{self, Key};
use crate::lookout;
use crate::machine::Machine;
use crate::outcomes::Ended;
use crate::program::{ALL, End};
use crate::waits::catch;

impl<P: Platform> Machine<'_, P> {
    pub(crate) fn end_waits(&mut self, end: End, panicking: Option<u8>) {
        match end {
            End::Interrupt(which) => {
                let found = self.ground.interrupters[which].interrupt();
                assert_eq!(found, self.expected.interrupt(which), "interrupt {which}");
                let event = match found {
                    true => "an interrupt ended a wait",
                    false => "an interrupt came too early or too late",
                };
                self.seen.add(event, 1);
            }
            End::Clear(which) => {
                let found = self.ground.interrupters[which].clear();
                let pending = &mut self.expected.interrupters[which].is_pending;
                assert_eq!(found, std::mem::take(pending), "clear {which}");
                self.seen.when("an interrupt was forgotten", found);
            }
            End::CloseKey(key) => self.close_key(key, panicking),
            End::Seal(key) => self.seal(key, panicking),
            End::Unseal(which) => self.unseal(which, panicking),
            End::Where {
                is_close,
                mask,
                panics_at,
            } => self.end_where(is_close, mask, panics_at),
            End::Close => {
                let found = self.ground.table.close();
                // Slot by slot: its Wakers see others that wait.
                lookout::found();
                assert_eq!(found, self.expected.close(), "close");
                self.seen.add("a table was closed", 1);
                self.seen.add("a table was closed under waits", found);
            }
        }
    }

    fn close_key(&mut self, key: u64, panicking: Option<u8>) {
        let (table, hash) = (&self.ground.table, self.hash(key));
        let (found, panicked) =
            host::comparing(panicking, || catch(|| table.close_key(hash, &Key(key))));
        if panicked {
            return self.interrupted_close(key, found);
        }
        let expected = self.expected.close_key(key, ALL);
        assert_eq!(found, Some(expected), "close key {key}");
        self.seen.add("a key was closed under waits", expected);
    }

    fn seal(&mut self, key: u64, panicking: Option<u8>) {
        let mut seal = self.guests.seal(self.hash(key), key);
        let (found, panicked) = host::comparing(panicking, || catch(|| seal.as_mut().close()));
        if panicked {
            drop(seal);
            return self.interrupted_close(key, found);
        }
        assert_eq!(seal.as_mut().close(), 0, "it is closed");
        self.guests.seals.push(seal);
        let expected = self.expected.seal(key);
        assert_eq!(found, Some(expected), "seal {key}");
        self.seen.add("a key was sealed under waits", expected);
    }

    /// A comparison panicked: before the choice, or after it.
    fn interrupted_close(&mut self, key: u64, found: Option<usize>) {
        assert_eq!(found, None, "a comparison panicked");
        self.seen.add("a comparison panicked", 1);
        let slot = self.expected.slot(key);
        if self.stats(slot) != self.expected.stats[slot] {
            self.expected.close_key(key, ALL);
        }
    }

    /// Drops one that keeps a key closed.
    pub(crate) fn unseal(&mut self, which: usize, panicking: Option<u8>) {
        let count = self.guests.seals.len();
        if count == 0 {
            return;
        }
        let seal = self.guests.seals.remove(which % count);
        self.expected.seals.remove(which % count);
        let (dropped, _) = host::comparing(panicking, || catch(|| drop(seal)));
        assert_eq!(dropped, Some(()), "who is dropped knows its place");
        self.seen.add("a key was opened again", 1);
    }

    fn end_where(&mut self, is_close: bool, mask: u8, panics_at: Option<u8>) {
        let token = self.number();
        let table = &self.ground.table;
        let mut asked = Vec::new();
        let is_meant = |key: &Key| {
            asked.push(key.0);
            if panics_at.map(usize::from) == Some(asked.len() - 1) {
                host::panic();
            }
            mask & 1 << key.0 != 0
        };
        let (ended, found) = match is_close {
            true => (Ended::Closed, catch(|| table.close_where(is_meant))),
            false => (
                Ended::Woken(token),
                catch(|| table.unpark_where(is_meant, token)),
            ),
        };
        let expected = self.expected.end_where(ended, mask, panics_at);
        assert_eq!((found, asked), expected, "where {mask:b}");
        let (closed, woken) = if is_close {
            (found, None)
        } else {
            (None, found)
        };
        let seen = &mut *self.seen;
        seen.add("waits were closed where asked", closed.unwrap_or(0));
        seen.add("waits were woken where asked", woken.unwrap_or(0));
        seen.when("a question for keys panicked", found.is_none());
    }
}
