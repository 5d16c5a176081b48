//! The accounting of one key, or of several that exchange waiters: what wakes counted against what
//! waits returned.

use std::sync::atomic::{AtomicU64, Ordering};

/// All relaxed: the books are closed when every thread has come home, and ordered by that. They are
/// written after a call has returned, so that they fence nothing in it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sent: AtomicU64,
    received: AtomicU64,
    tokens_sent: AtomicU64,
    tokens_received: AtomicU64,
    /// Waits that were queued and did not tell how they ended, by a panic or since who waited went
    /// away: each may have spent a wake.
    spent: AtomicU64,
}

impl Ledger {
    /// A wake has returned `count`, and handed `token` to each.
    pub(super) fn sent(&self, count: usize, token: u64) {
        if count > 0 {
            let count = count as u64;
            self.sent.fetch_add(count, Ordering::Relaxed);
            self.tokens_sent
                .fetch_add(token.wrapping_mul(count), Ordering::Relaxed);
        }
    }

    /// A wait has returned Woken.
    pub(super) fn received(&self, token: u64) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.tokens_received.fetch_add(token, Ordering::Relaxed);
    }

    /// A wait has ended while it was queued, without telling how.
    pub(super) fn spent(&self) {
        self.spent.fetch_add(1, Ordering::Relaxed);
    }

    /// The sum of the wakes' counts.
    pub(super) fn total_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many waits may have spent a wake each.
    pub(super) fn total_spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    /// Closes the books; what is wrong with them, if anything is.
    pub(super) fn close(&self) -> Result<(), String> {
        let [sent, received, tokens_sent, tokens_received, spent] = [
            &self.sent,
            &self.received,
            &self.tokens_sent,
            &self.tokens_received,
            &self.spent,
        ]
        .map(|count| count.load(Ordering::Relaxed));
        if received > sent {
            return Err(format!(
                "wakes counted {sent} waiters, but {received} waits returned Woken"
            ));
        }
        if sent - received > spent {
            return Err(format!(
                "wakes counted {sent} waiters, but only {received} waits returned Woken \
                 (and {spent} went away)"
            ));
        }
        if spent == 0 && tokens_sent != tokens_received {
            return Err(format!(
                "{sent} waits were woken as counted, but their tokens are not those that were sent"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    #[test]
    fn books_balance_only_if_every_count_and_token_arrives() {
        let ledger = Ledger::default();
        ledger.sent(2, 7);
        ledger.sent(0, 9);
        assert!(ledger.close().unwrap_err().contains("only 0"));
        ledger.received(7);
        ledger.received(7);
        assert_eq!(ledger.close(), Ok(()));
        ledger.received(0);
        assert!(ledger.close().unwrap_err().contains("3 waits returned"));
        ledger.sent(1, 5);
        assert!(ledger.close().unwrap_err().contains("tokens"));
    }

    #[test]
    fn a_panicked_wait_may_have_spent_one_wake() {
        let ledger = Ledger::default();
        ledger.spent();
        assert_eq!(ledger.close(), Ok(()));
        ledger.sent(1, 3);
        assert_eq!(ledger.close(), Ok(()));
        ledger.sent(1, 3);
        assert!(ledger.close().is_err());
    }
}
