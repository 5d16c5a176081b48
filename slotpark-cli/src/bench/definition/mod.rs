//! A workload's file: what it may say, and what is wrong with it if it says something else.

#[cfg(test)]
mod tests;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use slotpark_report::{Axis, Metric};

use crate::bench::pace::Pace;
use crate::bench::registry;
use crate::bench::shape::Shape;
use crate::measure::threads;

/// A workload as its file defines it, checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) shape: String,
    #[serde(default)]
    pub(crate) parameters: toml::Table,
    #[serde(default)]
    pub(crate) pace: Pace,
    #[serde(default)]
    pub(crate) latency: bool,
    axis: Option<AxisFile>,
    pub(crate) engines: Vec<String>,
    #[serde(default = "rounds")]
    pub(crate) rounds: Scaled<usize>,
    #[serde(default = "window_ms")]
    pub(crate) window_ms: Scaled<u64>,
    #[serde(default = "warm_up_ms")]
    pub(crate) warm_up_ms: Scaled<u64>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    pub(crate) limits: Vec<Limit>,
}

/// One value for a full run, another for a quick one.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scaled<T> {
    full: T,
    quick: T,
}

impl<T: Copy> Scaled<T> {
    pub(crate) fn pick(&self, quick: bool) -> T {
        if quick { self.quick } else { self.full }
    }
}

fn rounds() -> Scaled<usize> {
    Scaled { full: 11, quick: 3 }
}

fn window_ms() -> Scaled<u64> {
    Scaled {
        full: 60,
        quick: 10,
    }
}

fn warm_up_ms() -> Scaled<u64> {
    Scaled {
        full: 30,
        quick: 10,
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AxisFile {
    name: String,
    parameter: String,
    #[serde(default)]
    logarithmic: bool,
    points: Vec<u64>,
    quick: Vec<u64>,
    /// Points above so many times the number of cores are left out.
    max_per_core: Option<u64>,
}

/// What a ratio should be at most.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) of: Option<String>,
    pub(crate) to: Vec<String>,
    #[serde(default = "time")]
    pub(crate) metric: Metric,
    pub(crate) at: Option<f64>,
    /// The other's point, where it is another one.
    pub(crate) to_at: Option<f64>,
    pub(crate) ratio_max: f64,
}

/// What a figure should be at most.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    pub(crate) engine: String,
    pub(crate) metric: Metric,
    pub(crate) at: Option<f64>,
    pub(crate) max: f64,
}

fn time() -> Metric {
    Metric::Time
}

impl Definition {
    /// From the text of a file; errors name the file and the field.
    pub(crate) fn parse(file: &str, text: &str) -> anyhow::Result<Self> {
        let definition = Self::read(text).with_context(|| format!("the workload {file}"))?;
        let checked = definition.check();
        checked.with_context(|| format!("the workload {file}"))?;
        Ok(definition)
    }

    fn read(text: &str) -> anyhow::Result<Self> {
        let value: toml::Table = toml::from_str(text).context("it is not TOML")?;
        from_path("", value)
    }

    fn check(&self) -> anyhow::Result<()> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        ensure!(
            !self.name.is_empty() && self.name.chars().all(plain),
            "`name` is `{}`; allowed are a-z, 0-9 and _",
            self.name
        );
        ensure!(!self.engines.is_empty(), "`engines` is empty");
        for (index, name) in self.engines.iter().enumerate() {
            let unknown = || {
                format!(
                    "`engines`: no engine `{name}`; there are: {}",
                    registry::names()
                )
            };
            registry::find(name).with_context(unknown)?;
            ensure!(
                !self.engines[..index].contains(name),
                "`engines` names `{name}` twice"
            );
        }
        for quick in [false, true] {
            ensure!(self.rounds.pick(quick) > 0, "`rounds` is 0");
            ensure!(self.window_ms.pick(quick) > 0, "`window_ms` is 0");
            for point in self.points(quick) {
                let shape = self.shape_at(point)?;
                self.check_shape(&shape)?;
            }
        }
        self.check_goals()
    }

    fn check_shape(&self, shape: &Shape) -> anyhow::Result<()> {
        shape.check()?;
        if let Pace::Open {
            operations_per_second: rate,
            ..
        } = self.pace
        {
            ensure!(
                rate > 0.0 && rate <= 1e7,
                "`pace.operations_per_second` is {rate}; allowed is more than 0, up to 10 million"
            );
            ensure!(
                shape.may_be_open(),
                "`pace`: open is for the shapes round_trip, locks and permits"
            );
        }
        ensure!(
            !self.latency || shape.has_latency(),
            "`latency`: the shape `{}` records no single operations",
            self.shape
        );
        Ok(())
    }

    fn check_goals(&self) -> anyhow::Result<()> {
        let goals = self.targets.iter().flat_map(|target| {
            let names = target.to.iter().chain(&target.of);
            names.map(move |name| ("targets", name, [target.at, target.to_at]))
        });
        let limits = self.limits.iter();
        let limits = limits.map(|limit| ("limits", &limit.engine, [limit.at, None]));
        for (field, name, points) in goals.chain(limits) {
            ensure!(
                self.engines.contains(name),
                "`{field}` names `{name}`, which is none of `engines`"
            );
            for point in points.into_iter().flatten() {
                ensure!(
                    self.has_point(point),
                    "`{field}` is at {point}, which is none of `axis.points`"
                );
            }
        }
        Ok(())
    }

    /// The points of the axis, in order, or one without a place.
    pub(crate) fn points(&self, quick: bool) -> Vec<Option<f64>> {
        let Some(axis) = &self.axis else {
            return vec![None];
        };
        let cores = threads::cores() as u64;
        let max = axis
            .max_per_core
            .map_or(u64::MAX, |per_core| per_core * cores);
        let points = if quick { &axis.quick } else { &axis.points };
        let mut points: Vec<u64> = points
            .iter()
            .copied()
            .filter(|&point| point <= max)
            .collect();
        points.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        points.into_iter().map(|point| Some(point as f64)).collect()
    }

    /// Whether the axis goes there, if on larger machines only.
    fn has_point(&self, at: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let is_there = |&point: &u64| point as f64 == at;
        self.axis
            .as_ref()
            .is_some_and(|axis| axis.points.iter().any(is_there))
    }

    /// Whether its figures are of what is kept.
    pub(crate) fn is_of_memory(&self) -> bool {
        matches!(&*self.shape, "wait_memory" | "lock_memory")
    }

    pub(crate) fn axis(&self) -> Option<Axis> {
        self.axis.as_ref().map(|axis| Axis {
            name: axis.name.clone(),
            logarithmic: axis.logarithmic,
        })
    }

    /// The program with its parameters at this point.
    pub(crate) fn shape_at(&self, point: Option<f64>) -> anyhow::Result<Shape> {
        let mut parameters = self.parameters.clone();
        if let (Some(axis), Some(point)) = (&self.axis, point) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it comes from a whole number"
            )]
            let value = toml::Value::Integer(point as i64);
            parameters.insert(axis.parameter.clone(), value);
        }
        shape(&self.shape, parameters)
    }
}

/// The program of this name; what is wrong with its parameters is said under their names.
fn shape(name: &str, parameters: toml::Table) -> anyhow::Result<Shape> {
    fn of<T: DeserializeOwned>(parameters: toml::Table) -> anyhow::Result<T> {
        from_path("parameters", parameters)
    }
    Ok(match name {
        "calls" => Shape::Calls(of(parameters)?),
        "round_trip" => Shape::RoundTrip(of(parameters)?),
        "storm" => Shape::Storm(of(parameters)?),
        "wake_all" => Shape::WakeAll(of(parameters)?),
        "regime" => Shape::Regime(of(parameters)?),
        "wait_memory" => Shape::WaitMemory(of(parameters)?),
        "polled" => Shape::Polled(of(parameters)?),
        "wake_tasks" => Shape::WakeTasks(of(parameters)?),
        "locks" => Shape::Locks(of(parameters)?),
        "locks_polled" => Shape::LocksPolled(of(parameters)?),
        "lock_memory" => Shape::LockMemory(of(parameters)?),
        "permits" => Shape::Permits(of(parameters)?),
        "flight" => Shape::Flight(of(parameters)?),
        _ => bail!(
            "`shape`: no shape `{name}`; there are: {}",
            Shape::NAMES.join(", ")
        ),
    })
}

/// Reads a table of this name, and says at which field it fails.
fn from_path<T: DeserializeOwned>(name: &str, table: toml::Table) -> anyhow::Result<T> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        let fields = [name, &path].into_iter();
        let fields: Vec<&str> = fields.filter(|field| !["", "."].contains(field)).collect();
        let at = match fields.join(".") {
            none if none.is_empty() => none,
            path => format!("`{path}`: "),
        };
        anyhow::anyhow!("{at}{}", message.trim())
    })
}
