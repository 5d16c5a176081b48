//! The reader-writer lock.

use super::Site;
use crate::scene::{SOON, explore};

impl Site {
    fn assert_unlocked(&self) {
        self.assert_empty();
        assert!(self.rwlock.try_write(), "no flag was left");
        self.rwlock.unlock_write_at(self.at());
        assert!(!self.rwlock.is_locked());
    }
}

fn write(site: &Site) {
    assert!(site.rwlock.write_at(site.at(), None));
    site.add();
    site.rwlock.unlock_write_at(site.at());
}

fn read(site: &Site) -> u32 {
    assert!(site.rwlock.read_at(site.at(), None));
    let number = site.read();
    site.rwlock.unlock_read_at(site.at());
    number
}

/// What a writer wrote is seen by a reader and by the next writer; what a reader read is read
/// before the next writer writes.
#[test]
fn pair_rwlock() {
    explore([(0, 2), (1, 2), (2, 2)], || {
        let site = Site::new();
        let writer = site.spawn(write);
        let reader = site.spawn(read);
        write(&site);
        let seen = reader.join().unwrap();
        writer.join().unwrap();
        site.assert_unlocked();
        (seen, site.read())
    });
}

/// Two readers and a writer who waits for both.
#[test]
fn a_writer_waits_for_two_readers() {
    explore([(0, 0), (0, 1), (1, 0), (1, 1)], || {
        let site = Site::new();
        let readers = [site.spawn(read), site.spawn(read)];
        write(&site);
        let [first, second] = readers.map(|reader| reader.join().unwrap());
        site.assert_unlocked();
        (first, second)
    });
}

/// A writer gives up: the readers behind it go in beside the one that is there.
#[test]
fn a_writer_that_gives_up_lets_readers_through() {
    explore([false, true], || {
        let site = Site::new();
        assert!(site.rwlock.read_at(site.at(), None));
        let writer = site.spawn(|site| {
            let is_locked = site.rwlock.write_at(site.at(), SOON);
            if is_locked {
                site.rwlock.unlock_write_at(site.at());
            }
            is_locked
        });
        let reader = site.spawn(read);
        // This reader stays until the other has come and gone; a writer that is still queued leaves
        // by its deadline.
        reader.join().unwrap();
        site.rwlock.unlock_read_at(site.at());
        let is_locked = writer.join().unwrap();
        site.assert_unlocked();
        is_locked
    });
}

/// One who may upgrade does, once the reader has gone; a writer who waits comes after it.
#[test]
fn an_upgrade_against_a_reader_and_a_writer() {
    explore([(0, 2), (1, 2), (2, 2)], || {
        let site = Site::new();
        assert!(site.rwlock.upgradable_at(site.at(), None));
        let reader = site.spawn(read);
        let writer = site.spawn(write);
        assert_eq!(site.read(), 0);
        assert!(site.rwlock.upgrade_at(site.at(), None));
        assert_eq!(site.add(), 0, "nobody wrote in between");
        site.rwlock.unlock_write_at(site.at());
        let seen = reader.join().unwrap();
        writer.join().unwrap();
        site.assert_unlocked();
        (seen, site.read())
    });
}

/// An upgrade gives up: it reads on, and readers behind it go in.
#[test]
fn an_upgrade_that_gives_up() {
    explore([false, true], || {
        let site = Site::new();
        assert!(site.rwlock.upgradable_at(site.at(), None));
        let reader = site.spawn(read);
        let is_upgraded = site.rwlock.upgrade_at(site.at(), SOON);
        if is_upgraded {
            site.rwlock.downgrade_to_upgradable_at(site.at());
        }
        reader.join().unwrap();
        site.rwlock.unlock_upgradable_at(site.at());
        site.assert_unlocked();
        is_upgraded
    });
}

/// A writer goes on as a reader: the reader who waits goes in, the writer who waits does not.
#[test]
fn a_downgrade_against_a_reader_and_a_writer() {
    explore([(1, 1), (1, 2)], || {
        let site = Site::new();
        assert!(site.rwlock.write_at(site.at(), None));
        let reader = site.spawn(read);
        let writer = site.spawn(write);
        site.add();
        site.rwlock.downgrade_at(site.at());
        let mine = site.read();
        site.rwlock.unlock_read_at(site.at());
        let theirs = reader.join().unwrap();
        writer.join().unwrap();
        site.assert_unlocked();
        (mine, theirs)
    });
}

/// A writer is handed the lock by a fair release, or comes when it is free.
#[test]
fn a_writer_against_fair_releases() {
    explore([2], || {
        let site = Site::new();
        assert!(site.rwlock.write_at(site.at(), None));
        let writer = site.spawn(write);
        site.add();
        site.rwlock.unlock_write_fair_at(site.at());
        assert!(site.rwlock.read_at(site.at(), None));
        site.rwlock.unlock_read_fair_at(site.at());
        writer.join().unwrap();
        site.assert_unlocked();
        site.read()
    });
}
