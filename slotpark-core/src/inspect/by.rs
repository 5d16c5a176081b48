//! Looks of what is made of a table, or of something that can be looked at.

/// Implements [`Inspect`](crate::Inspect) by a field's. For the crates of this workspace.
#[doc(hidden)]
#[macro_export]
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

            fn unlisted(&self) -> usize {
                $crate::Inspect::unlisted(&self.$($field).+)
            }
        }
    };
}

/// Gives a type the choice to show its keys, by a field's. For the crates of this workspace.
#[doc(hidden)]
#[macro_export]
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
