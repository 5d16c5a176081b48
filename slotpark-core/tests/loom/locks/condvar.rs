//! The condition variable: no notification is lost, and who is moved is woken by the mutex.

use super::Site;
use crate::scene::{SOON, explore};

impl Site {
    /// With the mutex locked.
    fn wait(&self, deadline: Option<slotpark_core::Deadline>) -> bool {
        let place = (&self.mutex, self.at());
        // SAFETY: the condition variable is used at one place of this table.
        unsafe { self.condvar.wait_at(self.condvar_at(), place, deadline) }
    }

    fn notify(&self, count: usize) -> usize {
        // SAFETY: the condition variable is used at one place of this table.
        unsafe {
            self.condvar
                .notify_at(self.condvar_at(), count, |_| self.at())
        }
    }

    fn assert_over(&self) {
        self.assert_empty();
        assert!(self.mutex.try_lock());
        self.unlock();
        assert_eq!(self.notify(1), 0);
        assert!(format!("{:?}", self.condvar).contains("false"));
    }
}

/// Waits until the number is not 0.
fn wait_for_it(site: &Site) -> usize {
    site.lock();
    let mut waits = 0;
    while site.read() == 0 {
        assert!(site.wait(None));
        waits += 1;
    }
    site.unlock();
    waits
}

/// The number is changed under the mutex; the notification comes under it or after it.
fn change(site: &Site, count: usize, inside: bool) -> usize {
    site.lock();
    site.add();
    let inner = if inside { site.notify(count) } else { 0 };
    site.unlock();
    if inside { inner } else { site.notify(count) }
}

/// The waiter goes to the condition variable, or sees the change.
#[test]
fn no_notification_is_lost() {
    for slots in [1, 2] {
        for inside in [false, true] {
            explore([(0, 0), (1, 1)], move || {
                let site = Site::with_slots(slots);
                let other = site.spawn(move |site| change(site, 1, inside));
                let waits = wait_for_it(&site);
                let notified = other.join().unwrap();
                site.assert_over();
                (waits, notified)
            });
        }
    }
}

/// Two wait: all of them are notified, and each is woken when it can go on.
#[test]
fn two_are_notified_at_once() {
    explore([(0, 0), (1, 1), (2, 2)], || {
        let site = Site::with_slots(2);
        let others = [site.spawn(wait_for_it), site.spawn(wait_for_it)];
        let notified = change(&site, usize::MAX, true);
        let waits = others.map(|other| other.join().unwrap());
        site.assert_over();
        (waits[0] + waits[1], notified)
    });
}

/// A deadline against a notification: who was counted says so, also when the deadline ends its wait
/// for the mutex.
#[test]
fn a_deadline_against_a_notification() {
    for inside in [false, true] {
        explore([(false, 0), (true, 1)], move || {
            let site = Site::with_slots(2);
            site.lock();
            let other = site.spawn(move |site| change(site, 1, inside));
            let is_notified = site.wait(SOON);
            site.unlock();
            let notified = other.join().unwrap();
            site.assert_over();
            (is_notified, notified)
        });
    }
}

/// Of two who wait one leaves by its deadline while one is notified: that is either of them, and
/// never nobody.
#[test]
fn one_of_two_leaves() {
    explore([(false, 0), (false, 1), (true, 1)], || {
        let site = Site::with_slots(2);
        site.lock();
        let other = site.spawn(|site| {
            site.lock();
            assert!(site.wait(None));
            site.unlock();
        });
        let notifier = site.spawn(|site| site.notify(1));
        let is_notified = site.wait(SOON);
        site.unlock();
        let notified = notifier.join().unwrap();
        // The other was not there yet, or the first was notified.
        let mut rest = notified - usize::from(is_notified);
        while rest == 0 {
            rest += site.notify(1);
            loom::thread::yield_now();
        }
        other.join().unwrap();
        site.assert_over();
        (is_notified, notified)
    });
}
