//! Looks of what is made of a table, or of something that can be looked at.

/// Implements [`Inspect`](slotpark_core::Inspect) by a field's.
macro_rules! looks_by {
    ([$($generics:tt)*] $type:ty, $($field:ident).+) => {
        impl<$($generics)*> slotpark_core::Inspect for $type {
            fn slot_count(&self) -> usize {
                slotpark_core::Inspect::slot_count(&self.$($field).+)
            }

            fn slot_stats(&self, index: usize) -> slotpark_core::SlotStats {
                slotpark_core::Inspect::slot_stats(&self.$($field).+, index)
            }

            fn look(&self, index: usize, room: &mut [slotpark_core::Seen]) -> usize {
                slotpark_core::Inspect::look(&self.$($field).+, index, room)
            }

            fn table_id(&self) -> u64 {
                slotpark_core::Inspect::table_id(&self.$($field).+)
            }
        }
    };
}

pub(crate) use looks_by;
