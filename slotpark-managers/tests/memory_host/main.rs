//! Memory against the host's kernel: the same random calls in an area of this process, the same
//! errors and the same lines in `/proc/self/maps`.
//!
//! Nothing here touches the memory, and none of it is reserved: the kernel keeps regions apart that
//! it would make one otherwise, as the page of `MemoryRegions` says.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod calls;
#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod host;

use calls::{AREA, Call, call};
use common::{skip, watchdog};
use host::Host;
use proptest::collection::vec;
use proptest::prelude::*;
use slotpark::WaitDomain;
use slotpark_managers::{Errno, Mapping, MemoryRegions, Place, Protection};

type Memory = MemoryRegions<'static, u32>;

fn made_by(memory: &Memory, call: &Call) -> Result<u64, i32> {
    let result = match *call {
        Call::Map {
            start,
            length,
            protection,
            what,
            replaces,
        } => {
            let mapping = match what.object() {
                None => Mapping::anonymous(protection),
                Some((object, offset)) => Mapping::of(object, offset, protection),
            };
            let mapping = match what.is_shared() {
                true => mapping.shared(),
                false => mapping,
            };
            let mapping = match what.is_read_only() {
                true => mapping.protection_max(Protection::READ | Protection::EXEC),
                false => mapping,
            };
            let place = match replaces {
                true => Place::Fixed(start),
                false => Place::FixedNoReplace(start),
            };
            memory
                .map(place, length, mapping)
                .map(|mapped| mapped.address)
        }
        Call::Unmap { start, length } => memory.unmap(start, length).map(|_| 0),
        Call::Protect {
            start,
            length,
            protection,
        } => memory.protect(start, length, protection).map(|()| 0),
    };
    result.map_err(Errno::number)
}

/// Lines without what the host has beyond: numbers of devices and files, names.
fn lines(memory: &Memory) -> Vec<String> {
    let regions = memory.regions();
    let lines = regions.iter().map(|region| host::line(&region.to_string()));
    lines.collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn memory_is_as_the_hosts(calls in vec(call(), 1..60)) {
        let _watchdog = watchdog("memory_is_as_the_hosts");
        let Some(host) = Host::reserve(AREA) else {
            skip("memory_is_as_the_hosts", "its area is not free");
            return Ok(());
        };
        let memory = MemoryRegions::new(WaitDomain::new());
        for call in &calls {
            prop_assert_eq!(made_by(&memory, call), host.make(call), "{:?}", call);
            prop_assert_eq!(lines(&memory), host.lines(), "after {:?}", call);
        }
    }
}
