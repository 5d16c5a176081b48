//! A snapshot for the program's recorder of metrics.

use metrics::{Label, counter, gauge};

use crate::Snapshot;
use crate::gauges::{Values, measures};

/// Tells the recorder of the facade `metrics` what can be counted in a snapshot. To be called now
/// and then, by whoever takes snapshots anyway. Its labels are names of tables, of which the first
/// 64 have their own, and kinds: never keys or parties.
///
/// ```
/// use slotpark_inspect::{Snapshot, record_metrics};
/// record_metrics(&Snapshot::take());
/// ```
pub fn record_metrics(snapshot: &Snapshot) {
    for measure in measures(snapshot) {
        let name = measure.name;
        match measure.values {
            Values::Gauge(values) => {
                for ((table, kind), value) in values {
                    gauge!(name, labels(table, kind)).set(value);
                }
            }
            Values::Counter(values) => {
                for ((table, kind), value) in values {
                    counter!(name, labels(table, kind)).absolute(value);
                }
            }
        }
    }
}

fn labels(table: String, kind: Option<&'static str>) -> Vec<Label> {
    let kind = kind.map(|kind| Label::from_static_parts("kind", kind));
    [Label::new("table", table)]
        .into_iter()
        .chain(kind)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Slot, Table};
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    #[test]
    fn the_recorder_is_told() {
        let slot = Slot {
            wakes: 3,
            ..Slot::default()
        };
        let table = Table {
            name: "t".into(),
            slot_count: 8,
            slots: vec![slot],
            ..Table::default()
        };
        let snapshot = Snapshot {
            tables: vec![table],
            ..Snapshot::default()
        };
        let recorder = DebuggingRecorder::new();
        let told = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || record_metrics(&snapshot));
        let told = told.snapshot().into_vec();
        let value = |name: &str| {
            let found = told.iter().find(|told| told.0.key().name() == name);
            found.map(|told| format!("{:?} {:?}", told.0.key().labels().count(), told.3))
        };
        let gauge = DebugValue::Gauge(8.0.into());
        assert_eq!(value("slotpark_slots"), Some(format!("1 {gauge:?}")));
        let counter = DebugValue::Counter(3);
        assert_eq!(value("slotpark_wakes"), Some(format!("1 {counter:?}")));
    }
}
