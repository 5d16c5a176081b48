//! A snapshot as Prometheus's text.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;

use crate::gauges::{Measure, TABLES_MAX, Values, measures};
use crate::{Snapshot, Spread};

/// What can be counted in a snapshot, as Prometheus's text (`text/plain; version=0.0.4`). Its
/// labels are names of tables, of which the first 64 have their own, and kinds: never keys or
/// parties.
///
/// ```
/// use slotpark_inspect::{Snapshot, prometheus};
/// let text = prometheus(&Snapshot::take());
/// assert!(text.contains("\nslotpark_slots{table=\"process\"} 512"));
/// ```
#[must_use]
pub fn prometheus(snapshot: &Snapshot) -> String {
    let spreads = snapshot.tables.iter().take(TABLES_MAX).flat_map(|table| {
        let spreads = table.histograms.iter();
        spreads.map(|spread| (table.name.clone(), spread.clone()))
    });
    let collected = Collected {
        measures: measures(snapshot),
        spreads: spreads.collect(),
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collected));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry).expect("writing to a `String` does not fail");
    text
}

#[derive(Debug)]
struct Collected {
    measures: Vec<Measure>,
    spreads: Vec<(String, Spread)>,
}

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for measure in &self.measures {
            measured(&mut encoder, measure)?;
        }
        let mut names = self
            .spreads
            .iter()
            .map(|(_, spread)| &spread.of)
            .collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        for of in names {
            let name = format!("slotpark_{of}_seconds");
            let kind = MetricType::Histogram;
            let help = "How long it took, where it is recorded";
            let mut metric = encoder.encode_descriptor(&name, help, None, kind)?;
            for (table, spread) in self.spreads.iter().filter(|(_, spread)| spread.of == *of) {
                spread_of(&mut metric, table, spread)?;
            }
        }
        Ok(())
    }
}

fn measured(encoder: &mut DescriptorEncoder<'_>, measure: &Measure) -> fmt::Result {
    let kind = match measure.values {
        Values::Gauge(_) => MetricType::Gauge,
        Values::Counter(_) => MetricType::Counter,
    };
    let mut metric = encoder.encode_descriptor(measure.name, measure.help, None, kind)?;
    match &measure.values {
        Values::Gauge(values) => {
            for ((table, kind), value) in values {
                let labels = labels(table, *kind);
                metric.encode_family(&labels)?.encode_gauge(value)?;
            }
        }
        Values::Counter(values) => {
            for ((table, kind), value) in values {
                let labels = labels(table, *kind);
                let none = None::<&Exemplar<[(&str, &str); 0], u64>>;
                metric.encode_family(&labels)?.encode_counter(value, none)?;
            }
        }
    }
    Ok(())
}

fn labels<'l>(table: &'l str, kind: Option<&'l str>) -> Vec<(&'l str, &'l str)> {
    let kind = kind.map(|kind| ("kind", kind));
    [("table", table)].into_iter().chain(kind).collect()
}

fn spread_of(metric: &mut MetricEncoder<'_>, table: &str, spread: &Spread) -> fmt::Result {
    #[allow(clippy::cast_precision_loss, reason = "seconds are told in 52 bits")]
    let seconds = |ns: u64| ns as f64 / 1e9;
    let buckets = spread
        .buckets
        .iter()
        .map(|(end, count)| (seconds(*end), *count));
    let buckets = buckets.collect::<Vec<_>>();
    let none = None::<&std::collections::HashMap<usize, Exemplar<[(&str, &str); 0], f64>>>;
    let labels = labels(table, None);
    let mut metric = metric.encode_family(&labels)?;
    metric.encode_histogram(seconds(spread.sum_ns), spread.count, &buckets, none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Slot, Table, Wait};

    #[test]
    fn what_is_counted_stands_there_with_its_labels() {
        let wait = Wait {
            kind: Kind::Lock,
            since_ns: Some(0),
            ..Wait::default()
        };
        let slot = Slot {
            parks: 7,
            keys: 1,
            longest: 2,
            ..Slot::default()
        };
        let spread = Spread {
            of: "wait".into(),
            count: 3,
            sum_ns: 4_500_000_000,
            buckets: vec![(1_000_000_000, 2), (4_000_000_000, 1)],
            ..Spread::default()
        };
        let table = Table {
            name: "a\"b".into(),
            waits: vec![wait.clone(), wait],
            slots: vec![slot, slot],
            histograms: vec![spread],
            ..Table::default()
        };
        let text = prometheus(&Snapshot {
            at_ns: 1_500_000_000,
            tables: vec![table],
            ..Snapshot::default()
        });
        for line in [
            "# TYPE slotpark_waiting gauge",
            r#"slotpark_waiting{table="a\"b",kind="lock"} 2.0"#,
            r#"slotpark_waiting{table="a\"b",kind="read"} 0.0"#,
            r#"slotpark_wait_longest_seconds{table="a\"b"} 1.5"#,
            r#"slotpark_queue_longest{table="a\"b"} 2.0"#,
            r#"slotpark_parks_total{table="a\"b"} 14"#,
            r#"slotpark_wait_seconds_bucket{table="a\"b",le="1"} 2"#,
            r#"slotpark_wait_seconds_sum{table="a\"b"} 4.5"#,
            r#"slotpark_wait_seconds_count{table="a\"b"} 3"#,
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
    }
}
