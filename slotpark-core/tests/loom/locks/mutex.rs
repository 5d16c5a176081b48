//! The mutex.

use super::Site;
use crate::scene::{SOON, explore};

impl Site {
    pub(super) fn lock(&self) {
        assert!(self.mutex.lock_at(self.at(), None));
    }

    pub(super) fn unlock(&self) {
        self.mutex.unlock_at(self.at());
    }

    /// The mutex is free, and no flag was left that would keep somebody out.
    fn assert_free(&self) {
        self.assert_empty();
        assert!(self.mutex.try_lock());
        self.unlock();
        assert!(!self.mutex.is_locked());
    }
}

fn add(site: &Site) {
    site.lock();
    site.add();
    site.unlock();
}

/// What one owner wrote is seen by the next, whether it waits or not.
#[test]
fn pair_mutex() {
    explore([2], || {
        let site = Site::new();
        let other = site.spawn(add);
        add(&site);
        other.join().unwrap();
        site.assert_free();
        site.read()
    });
}

/// Three, so that one is woken while another barges and a third is queued.
#[test]
fn three_add() {
    explore([3], || {
        let site = Site::new();
        let others = [site.spawn(add), site.spawn(add)];
        add(&site);
        for other in others {
            other.join().unwrap();
        }
        site.assert_free();
        site.read()
    });
}

/// A fair unlock against one who comes: it finds the lock free, or is handed it.
#[test]
fn a_lock_against_a_fair_unlock() {
    explore([2], || {
        let site = Site::new();
        site.lock();
        let other = site.spawn(add);
        site.add();
        site.mutex.unlock_fair_at(site.at());
        other.join().unwrap();
        site.assert_free();
        site.read()
    });
}

/// A deadline against an unlock: locked, or not, and free afterwards in both cases.
#[test]
fn a_deadline_against_an_unlock() {
    for is_fair in [false, true] {
        explore([false, true], move || {
            let site = Site::new();
            site.lock();
            let other = site.spawn(|site| {
                let is_locked = site.mutex.lock_at(site.at(), SOON);
                if is_locked {
                    site.add();
                    site.unlock();
                }
                is_locked
            });
            site.add();
            if is_fair {
                site.mutex.unlock_fair_at(site.at());
            } else {
                site.unlock();
            }
            let is_locked = other.join().unwrap();
            site.assert_free();
            is_locked
        });
    }
}

/// One of two who wait gives up: the other is not forgotten.
#[test]
fn one_of_two_gives_up() {
    explore([false, true], || {
        let site = Site::new();
        site.lock();
        let first = site.spawn(|site| {
            let is_locked = site.mutex.lock_at(site.at(), SOON);
            if is_locked {
                site.unlock();
            }
            is_locked
        });
        let second = site.spawn(add);
        site.unlock();
        let is_locked = first.join().unwrap();
        second.join().unwrap();
        site.assert_free();
        assert_eq!(site.read(), 1);
        is_locked
    });
}
