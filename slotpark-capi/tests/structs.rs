//! Structs of other versions.

use std::mem::offset_of;
use std::ptr::null_mut;

use slotpark_capi::{SlotTableStats, slot_stats, slot_table_create, slot_table_destroy};

const EINVAL: i32 = 22;

/// A program that was built for an earlier header has a shorter struct; one for a later header has
/// a longer one, of which it is told how much is filled in.
#[test]
fn a_struct_of_another_version_is_filled_as_far_as_both_know_it() {
    let mut table = null_mut();
    // SAFETY: the pointer is writable.
    assert_eq!(unsafe { slot_table_create(&raw mut table, 64, 0) }, 0);
    let words = size_of::<SlotTableStats>() / 8;
    for known in 0..words + 3 {
        const UNTOUCHED: u64 = 0x5555_5555_5555_5555;
        let mut buffer = vec![UNTOUCHED; words + 3];
        // A size that ends inside of a field is that of the whole ones.
        for odd in [0, 7] {
            buffer[0] = known as u64 * 8 + odd;
            // SAFETY: the table lives, and the buffer has room for what it says and more.
            let told = unsafe { slot_stats(table, buffer.as_mut_ptr().cast()) };
            if known < 2 {
                assert_eq!(told, -EINVAL, "{known}");
                continue;
            }
            assert_eq!(told, 0, "{known}");
            let filled = known.min(words);
            assert_eq!(buffer[0], filled as u64 * 8);
            assert_eq!(buffer[offset_of!(SlotTableStats, slots) / 8], 64);
            assert!(buffer[1..filled].iter().all(|&field| field != UNTOUCHED));
            assert!(buffer[filled..].iter().all(|&field| field == UNTOUCHED));
        }
    }
    // SAFETY: the table lives, and is not used any more.
    assert_eq!(unsafe { slot_table_destroy(table) }, 0);
}
