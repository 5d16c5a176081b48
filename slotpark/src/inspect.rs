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

/// Gives a type the choice to show its keys, by a field's.
macro_rules! keys_by {
    ($example:literal, [$($generics:tt)*] $type:ty, $($field:ident).+) => {
        impl<$($generics)*> $type {
            /// The same, whose looks show keys as their `Debug` writes them, up to 64 bytes. That
            /// runs under a slot lock, in looks only: it must not call a table.
            ///
            /// ```
            #[doc = concat!("let shown = ", $example, ".with_key_text();")]
            /// # drop(shown);
            /// ```
            #[must_use]
            pub fn with_key_text(mut self) -> Self {
                self.$($field).+ = self.$($field).+.with_key_text();
                self
            }
        }
    };
}

pub(crate) use keys_by;
