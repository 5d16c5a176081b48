//! The report of a run: its JSON form, which is stable under the number of its schema.

use serde::{Serialize, Serializer};

use super::machine::Machine;
use super::rounds::Gathered;
use super::statistics::Spread;
use super::{Row, Side, Unit};

/// The number of the JSON form.
const SCHEMA: u32 = 1;

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    schema: u32,
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Figures>,
    pub(crate) ratios: Vec<Ratio>,
    /// Remarks for the reader of the table.
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
}

/// One row of one engine.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) row: &'static str,
    pub(crate) engine: &'static str,
    pub(crate) unit: Unit,
    pub(crate) median: Number,
    pub(crate) min: Number,
    pub(crate) max: Number,
    /// The rounds that were cut off; they enter at the cut-off time.
    pub(crate) hung: usize,
    #[serde(skip)]
    pub(crate) rounds: usize,
    #[serde(skip)]
    pub(crate) side: Side,
}

/// One row of the first engine against that of another: of / to.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) row: &'static str,
    pub(crate) of: &'static str,
    pub(crate) to: &'static str,
    pub(crate) median: Number,
    pub(crate) lo: Number,
    pub(crate) hi: Number,
    /// What it should be at most; absent where nothing was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<f64>,
    #[serde(skip)]
    pub(crate) verdict: &'static str,
    #[serde(skip)]
    pub(crate) side: Side,
}

/// A figure, or none; written without a fraction where it has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number(pub(crate) Option<f64>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            None => serializer.serialize_none(),
            // Below 2^53 every whole number is exact.
            Some(value) if value.fract() == 0.0 && value.abs() < 9e15 =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "it is whole and small enough"
                )]
                serializer.serialize_i64(value as i64)
            }
            Some(value) => serializer.serialize_f64(value),
        }
    }
}

impl Report {
    /// Sums up what was gathered; the first engine of each contest is compared with the others.
    pub(crate) fn new(machine: Machine, gathered: &[Gathered]) -> Self {
        let mut report = Self {
            schema: SCHEMA,
            machine,
            rows: Vec::new(),
            ratios: Vec::new(),
            notes: Vec::new(),
        };
        for contest in gathered {
            for (index, row) in contest.rows.iter().enumerate() {
                report.add_row(contest, index, *row);
            }
            for taken in &contest.entrants {
                let name = contest.rows[0].name;
                let notes = taken.notes();
                report.notes.extend(
                    notes
                        .iter()
                        .map(|note| format!("{name}, {}: {note}", taken.engine)),
                );
            }
        }
        report
    }

    fn add_row(&mut self, contest: &Gathered, index: usize, row: Row) {
        for taken in &contest.entrants {
            let spread = Spread::of(taken.figures(index).into_iter().flatten());
            self.rows.push(Figures {
                row: row.name,
                engine: taken.engine,
                unit: row.unit,
                median: Number(spread.map(|spread| spread.median)),
                min: Number(spread.map(|spread| spread.min)),
                max: Number(spread.map(|spread| spread.max)),
                hung: taken.hung(),
                rounds: taken.samples.len(),
                side: contest.side,
            });
        }
        let Some((of, others)) = contest.entrants.split_first() else {
            return;
        };
        for to in others {
            let spread = Spread::of_ratios(&of.figures(index), &to.figures(index));
            self.ratios.push(Ratio {
                row: row.name,
                of: of.engine,
                to: to.engine,
                median: Number(spread.map(|spread| spread.median)),
                lo: Number(spread.map(|spread| spread.min)),
                hi: Number(spread.map(|spread| spread.max)),
                target: contest
                    .targets
                    .iter()
                    .find(|target| index == 0 && target.to == to.engine)
                    .map(|target| target.ratio_max),
                side: contest.side,
                verdict: match spread {
                    Some(_) if to.hung() > of.hung() => "the other hung",
                    Some(spread) => spread.verdict(row.unit),
                    None => "",
                },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Sample;
    use crate::measure::rounds::Taken;
    use crate::measure::workload::Target;

    fn taken(engine: &'static str, values: &[Option<f64>]) -> Taken {
        let sample = |&value| Sample {
            values: vec![value],
            ..Sample::default()
        };
        Taken {
            engine,
            samples: values.iter().map(sample).collect(),
        }
    }

    #[test]
    fn json_has_the_documented_shape() {
        let mut hanging = taken("b", &[Some(5e9), Some(3.0)]);
        hanging.samples[0].hung = true;
        let contest = Gathered {
            rows: vec![Row {
                name: "row",
                unit: Unit::Ns,
            }],
            entrants: vec![
                taken("a", &[Some(1.5), Some(1.5)]),
                hanging,
                taken("c", &[None, None]),
            ],
            targets: vec![Target {
                to: "c",
                ratio_max: 1.05,
            }],
            ..Gathered::default()
        };
        let report = Report::new(Machine::default(), &[contest]);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["schema"], 1);
        let row = serde_json::json!({"row": "row", "engine": "b", "unit": "ns",
            "median": 2_500_000_001.5, "min": 3, "max": 5_000_000_000_u64, "hung": 1});
        assert_eq!(json["rows"][1], row);
        assert_eq!(json["rows"][2]["median"], serde_json::Value::Null);
        let ratio = serde_json::json!({"row": "row", "of": "a", "to": "b",
            "median": 0.25 + 1.5e-10, "lo": 3e-10, "hi": 0.5});
        assert_eq!(json["ratios"][0], ratio);
        assert_eq!(json["ratios"][1]["hi"], serde_json::Value::Null);
        assert_eq!(json["ratios"][1]["target"], 1.05);
        assert_eq!(json.as_object().unwrap().len(), 4);
    }

    #[test]
    fn whole_numbers_have_no_fraction() {
        let text = |value| serde_json::to_string(&Number(value)).unwrap();
        assert_eq!(text(Some(32768.0)), "32768");
        assert_eq!(text(Some(0.0)), "0");
        assert_eq!(text(Some(0.5)), "0.5");
        assert_eq!(text(None), "null");
    }
}
