//! Looks of what is made of a table, or of something that can be looked at.

/// Implements [`Inspect`](crate::Inspect) by a field's.
#[cfg(feature = "alloc")]
macro_rules! looks_by {
    ([$($generics:tt)*] $type:ty, $($field:ident).+) => {
        impl<$($generics)*> $crate::Inspect for $type {
            fn slot_count(&self) -> usize {
                $crate::Inspect::slot_count(&self.$($field).+)
            }

            fn slot_stats(&self, index: usize) -> $crate::SlotStats {
                $crate::Inspect::slot_stats(&self.$($field).+, index)
            }

            fn look(&self, index: usize, room: &mut [$crate::Seen]) -> usize {
                $crate::Inspect::look(&self.$($field).+, index, room)
            }

            fn table_id(&self) -> u64 {
                $crate::Inspect::table_id(&self.$($field).+)
            }
        }
    };
}

#[cfg(feature = "alloc")]
pub(crate) use looks_by;
