//! Places in documents that say what a record says, so that a script can fill them and a test can
//! tell when they are out of date.
//!
//! A place is a comment of HTML, which nobody sees, then the text, then `<!-- /bench -->`.
//!
//! **A figure**, inside a line: `bench:FILE WORKLOAD ENGINE METRIC [@AT] [median|spread]`. `ENGINE`
//! is a name, and the text the median; or `OF/TO`, and the text a ratio with its interval.
//! `spread` and `median` ask for the other form.
//!
//! **A table**: `bench-table:FILE` and further lines. `WORKLOAD METRIC [@AT] [= NAME]` is a line of
//! the table: the figure of the first engine and its ratios to the others. `to ENGINE, ENGINE`
//! chooses those. A last line `over WORKLOAD METRIC` is a table over the axis instead, with a
//! column for the first engine and each other one, or those that were chosen.

use crate::amount::{ratio, spread};
use crate::{Cell, Comparison, Grid, Metric, Report, Workload, amount, tables};

/// What a place asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    file: String,
    asks: Asks,
}

#[derive(Clone, Debug, PartialEq)]
enum Asks {
    Figure {
        of: Figure,
        engine: String,
        form: Form,
    },
    Rows {
        to: Vec<String>,
        rows: Vec<(Figure, Option<String>)>,
    },
    Over {
        to: Vec<String>,
        workload: String,
        metric: Metric,
    },
}

/// A figure of any engine.
#[derive(Clone, Debug, PartialEq)]
struct Figure {
    workload: String,
    metric: Metric,
    at: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A median alone, or a ratio with its interval.
    Usual,
    Median,
    Spread,
}

impl Place {
    /// What a comment asks for; `None` if it is none of ours. It is given without its ends `<!--`
    /// and `-->`.
    ///
    /// # Errors
    ///
    /// A sentence that says what is not understood.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::Place;
    ///
    /// assert_eq!(Place::parse(" any other comment "), Ok(None));
    /// let place = Place::parse(" bench:a/b.json wake_nobody slotpark time ").expect("understood");
    /// assert_eq!(place.expect("it is one of ours").file(), "a/b.json");
    /// assert!(Place::parse("bench:a/b.json wake_nobody").is_err());
    /// ```
    pub fn parse(comment: &str) -> Result<Option<Self>, String> {
        let comment = comment.trim();
        if let Some(rest) = comment.strip_prefix("bench:") {
            return Self::figure(rest).map(Some);
        }
        comment
            .strip_prefix("bench-table:")
            .map(Self::table)
            .transpose()
    }

    fn figure(text: &str) -> Result<Self, String> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let form = match words.last() {
            Some(&"median") => Form::Median,
            Some(&"spread") => Form::Spread,
            _ => Form::Usual,
        };
        if form != Form::Usual {
            words.pop();
        }
        let [file, workload, engine, figure @ ..] = &words[..] else {
            return Err("FILE WORKLOAD ENGINE METRIC [@AT] [median|spread] is asked".to_owned());
        };
        let of = Figure::parse(workload, figure)?;
        let (file, engine) = ((*file).to_owned(), (*engine).to_owned());
        Ok(Self {
            file,
            asks: Asks::Figure { of, engine, form },
        })
    }

    fn table(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let file = lines.next().unwrap_or_default().to_owned();
        if file.is_empty() || file.contains(' ') {
            return Err(format!("`{file}` is no name of a record"));
        }
        let (mut to, mut rows) = (Vec::new(), Vec::new());
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            match &words[..] {
                ["over", workload, metric] => {
                    let of = Figure::parse(workload, &[metric])?;
                    let Figure {
                        workload, metric, ..
                    } = of;
                    let asks = Asks::Over {
                        to,
                        workload,
                        metric,
                    };
                    return Ok(Self { file, asks });
                }
                ["to", ..] => {
                    let names = line["to".len()..].split(',').map(str::trim);
                    to.extend(names.map(str::to_owned));
                }
                _ => rows.push(row(line)?),
            }
        }
        if rows.is_empty() {
            return Err("a table has lines".to_owned());
        }
        Ok(Self {
            file,
            asks: Asks::Rows { to, rows },
        })
    }

    /// The record that it is about, as a path below `bench/record/`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use slotpark_report::Place;
    /// let place = Place::parse("bench-table:a/b.json\nover threads time").expect("understood");
    /// assert_eq!(place.expect("it is one of ours").file(), "a/b.json");
    /// ```
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether its text is a table, on lines of its own, and not a word inside a line.
    ///
    /// # Examples
    ///
    /// ```
    /// # use slotpark_report::Place;
    /// let place = Place::parse("bench-table:a/b.json\nover threads time").expect("understood");
    /// assert!(place.is_some_and(|place| place.is_table()));
    /// ```
    #[must_use]
    pub fn is_table(&self) -> bool {
        !matches!(self.asks, Asks::Figure { .. })
    }

    /// What stands there according to the record.
    ///
    /// # Errors
    ///
    /// A sentence that says what the record does not have.
    ///
    /// # Examples
    ///
    /// ```
    /// # use slotpark_report::{Place, Report};
    /// # let text =
    /// #     include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
    /// let report = Report::from_json(text).expect("the sample is a report");
    /// let place = Place::parse("bench:a/b.json wake_nobody slotpark time").expect("understood");
    /// let text = place.expect("it is one of ours").text(&report);
    /// assert_eq!(text.as_deref(), Ok("1.84 ns"));
    /// ```
    pub fn text(&self, report: &Report) -> Result<String, String> {
        match &self.asks {
            Asks::Figure { of, engine, form } => match engine.split_once('/') {
                Some((first, to)) => of.ratio_text(report, first, to, *form),
                None => of.figure_text(report, engine, *form),
            },
            Asks::Rows { to, rows } => rows_text(report, to, rows),
            Asks::Over {
                to,
                workload,
                metric,
            } => over_text(report, to, workload, *metric),
        }
    }
}

/// A line of a table, and what it is called.
fn row(line: &str) -> Result<(Figure, Option<String>), String> {
    let (what, name) = match line.split_once('=') {
        Some((what, name)) => (what, Some(name.trim().to_owned())),
        None => (line, None),
    };
    let words: Vec<&str> = what.split_whitespace().collect();
    let [workload, figure @ ..] = &words[..] else {
        return Err(format!("`{line}`: WORKLOAD METRIC [@AT] [= NAME] is asked"));
    };
    Ok((Figure::parse(workload, figure)?, name))
}

impl Figure {
    /// `METRIC [@AT]` of a workload.
    fn parse(workload: &str, words: &[&str]) -> Result<Self, String> {
        let (metric, at) = match words {
            [metric] => (metric, None),
            [metric, at] => (metric, Some(*at)),
            _ => return Err(format!("METRIC [@AT] is asked after `{workload}`")),
        };
        let found = Metric::from_name(metric).ok_or_else(|| format!("`{metric}` is no figure"))?;
        let at = at.map(|at| {
            let number = at.strip_prefix('@').and_then(|at| at.parse().ok());
            number.ok_or_else(|| format!("`{at}` is no place on an axis: @NUMBER"))
        });
        Ok(Self {
            workload: workload.to_owned(),
            metric: found,
            at: at.transpose()?,
        })
    }

    fn figure_text(&self, report: &Report, engine: &str, form: Form) -> Result<String, String> {
        let point = find(report, &self.workload)?.point(engine, self.at);
        let figure = point.and_then(|point| point.figures.get(&self.metric));
        let figure = figure.ok_or_else(|| format!("{self} was not measured of {engine}"))?;
        let unit = self.metric.unit();
        Ok(match form {
            Form::Spread => spread(figure, unit),
            Form::Usual | Form::Median => amount(figure.median, unit),
        })
    }

    fn ratio_text(
        &self,
        report: &Report,
        of: &str,
        to: &str,
        form: Form,
    ) -> Result<String, String> {
        let mut ratios = self
            .comparisons(report)
            .filter(|one| one.of == of && one.to == to);
        let found = ratios.find_map(|one| one.ratio);
        let found = found.ok_or_else(|| format!("{self} has no ratio of {of} to {to}"))?;
        Ok(match form {
            Form::Median => crate::short(found.median),
            Form::Usual | Form::Spread => ratio(&found),
        })
    }

    fn comparisons<'a>(&self, report: &'a Report) -> impl Iterator<Item = &'a Comparison> {
        report.comparisons.iter().filter(move |one| {
            (&one.workload, one.metric, one.at) == (&self.workload, self.metric, self.at)
                // Another point is meant where nothing else can be.
                && (one.to_at.is_none() || one.of == one.to)
        })
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.metric.name(), self.workload)?;
        match self.at {
            Some(at) => write!(f, " at {at}"),
            None => Ok(()),
        }
    }
}

fn find<'a>(report: &'a Report, workload: &str) -> Result<&'a Workload, String> {
    report
        .workload(workload)
        .ok_or_else(|| format!("the record has no workload `{workload}`"))
}

fn over_text(
    report: &Report,
    to: &[String],
    workload: &str,
    metric: Metric,
) -> Result<String, String> {
    let mut found = find(report, workload)?.clone();
    if found.axis.is_none() || !found.metrics().contains(&metric) {
        return Err(format!("{workload} has no axis, or no {}", metric.name()));
    }
    let is_there = |name: &&String| found.series.iter().any(|series| series.engine == **name);
    if let Some(unknown) = to.iter().find(|name| !is_there(name)) {
        return Err(format!("{workload} has no `{unknown}`"));
    }
    let ours = found.series.first().map(|series| series.engine.clone());
    let is_chosen =
        |name: &String| to.is_empty() || to.contains(name) || Some(name) == ours.as_ref();
    found.series.retain(|series| is_chosen(&series.engine));
    Ok(tables::by_place(&found, metric, true).to_markdown())
}

fn rows_text(
    report: &Report,
    to: &[String],
    rows: &[(Figure, Option<String>)],
) -> Result<String, String> {
    let mut columns: Vec<&str> = to.iter().map(String::as_str).collect();
    if columns.is_empty() {
        for one in rows
            .iter()
            .flat_map(|(figure, _)| figure.comparisons(report))
        {
            if !columns.contains(&one.to.as_str()) {
                columns.push(&one.to);
            }
        }
    }
    let (first, _) = &rows[0];
    let ours = find(report, &first.workload)?.series.first();
    let ours = ours.map_or("", |series| series.engine.as_str());
    let names = columns.iter().map(|name| format!("of {name}"));
    let head = [String::new(), ours.to_owned()].into_iter().chain(names);
    let mut grid = Grid::new(head);
    let is_known = |name: &&str| report.comparisons.iter().any(|one| one.to == **name);
    if let Some(unknown) = columns.iter().find(|name| !is_known(name)) {
        return Err(format!("nothing was compared with `{unknown}`"));
    }
    for (figure, name) in rows {
        let title = name.clone().unwrap_or_else(|| figure.to_string());
        let mut cells = vec![title, figure.figure_text(report, ours, Form::Median)?];
        for column in &columns {
            let text = figure.ratio_text(report, ours, column, Form::Usual);
            cells.push(text.unwrap_or_else(|_| "-".to_owned()));
        }
        grid.push(cells.into_iter().map(Cell::plain));
    }
    Ok(grid.to_markdown())
}
