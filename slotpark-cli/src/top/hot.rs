//! What a table's numbers say at a glance: values by slot, and the busiest keys.

use std::collections::HashMap;

use slotpark_inspect::Table;

use super::state::Heat;
use crate::shown;

/// One value per slot, also of those in which nothing ever happened.
pub(crate) fn values(table: &Table, heat: Heat) -> Vec<u64> {
    let mut values = vec![0; table.slot_count];
    for slot in &table.slots {
        if let Some(value) = values.get_mut(slot.index) {
            *value = heat.of(slot);
        }
    }
    values
}

/// A key and its waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hot {
    pub(crate) key: String,
    pub(crate) waits: u64,
}

/// The busiest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct HotKeys {
    /// The waits were counted; else they are those of now.
    pub(crate) is_counted: bool,
    pub(crate) rows: Vec<Hot>,
}

pub(crate) fn keys(table: &Table) -> HotKeys {
    let is_counted = !table.top_keys.is_empty();
    let mut rows: Vec<Hot> = if is_counted {
        let hot = |top: &slotpark_inspect::TopKey| Hot {
            key: shown::key(&top.key),
            waits: top.waits,
        };
        table.top_keys.iter().map(hot).collect()
    } else {
        let mut now = HashMap::new();
        for wait in &table.waits {
            *now.entry(&wait.key).or_insert(0_u64) += 1;
        }
        let hot = |(key, waits)| Hot {
            key: shown::key(key),
            waits,
        };
        now.into_iter().map(hot).collect()
    };
    rows.sort_by(|one, other| (other.waits, &one.key).cmp(&(one.waits, &other.key)));
    HotKeys { is_counted, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::fixture;

    #[test]
    fn slots_without_events_count() {
        let table = &fixture::deadlocked().tables[0];
        let parks = values(table, Heat::Parks);
        assert_eq!((parks.len(), parks[9], parks[8]), (64, 900, 0));
        assert_eq!(values(table, Heat::Collisions)[9], 40);
        assert_eq!(values(table, Heat::Waiting)[9], 2);
    }

    #[test]
    fn keys_are_counted_now_where_nothing_was_counted() {
        let busy = keys(&fixture::busy().tables[0]);
        assert!(!busy.is_counted);
        assert_eq!((busy.rows.len(), busy.rows[0].waits), (40, 5));
        let counted = keys(&fixture::deadlocked().tables[0]);
        assert!(counted.is_counted);
        assert_eq!(counted.rows[0].key, "account 9");
    }
}
