//! From a key to the hash that leads to its slot.

use std::hash::{BuildHasher, Hash};
use std::hint::black_box;

use gungraun::prelude::*;
use slotpark::Seeded;
use slotpark::core::finalize;

use crate::fixture::{KEY, repeat, seeded};

fn hash<K: Hash + ?Sized>(seeded: &Seeded, key: &K) {
    repeat(|| {
        black_box(finalize(seeded.hash_one(black_box(key))));
    });
}

#[library_benchmark]
#[bench::key(seeded())]
fn u64(seeded: Seeded) -> Seeded {
    hash(&seeded, &KEY);
    seeded
}

#[library_benchmark]
#[bench::bytes_3("job", seeded())]
#[bench::bytes_40("tenants/4711/volumes/12/snapshots/000042", seeded())]
fn str(key: &str, seeded: Seeded) -> Seeded {
    hash(&seeded, key);
    seeded
}

library_benchmark_group!(name = hashes, benchmarks = [u64, str]);
