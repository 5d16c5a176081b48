//! The committed records, as documents and checks read them: each is parsed once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use slotpark_report::Report;

use crate::instructions;
use crate::tidy::tree::Tree;

/// Where records of benchmarks lie, a folder for each machine.
pub(crate) const RECORDS: &str = "bench/record";

/// The records of a tree.
pub(crate) struct Records<'tree> {
    tree: &'tree Tree,
    reports: RefCell<BTreeMap<String, Rc<Report>>>,
}

impl<'tree> Records<'tree> {
    pub(crate) fn new(tree: &'tree Tree) -> Self {
        let reports = RefCell::default();
        Self { tree, reports }
    }

    /// By its path below [`RECORDS`].
    pub(crate) fn report(&self, file: &str) -> Result<Rc<Report>, String> {
        if let Some(report) = self.reports.borrow().get(file) {
            return Ok(report.clone());
        }
        let path = format!("{RECORDS}/{file}");
        let report = Report::from_json(self.text(&path)?);
        let report = Rc::new(report.map_err(|error| format!("`{path}`: {error}"))?);
        let mut reports = self.reports.borrow_mut();
        reports.insert(file.to_owned(), report.clone());
        Ok(report)
    }

    /// How many instructions an operation of a hot path is, by the record of that name.
    pub(crate) fn instructions(&self, name: &str, path: &str) -> Result<String, String> {
        let file = format!("{}/{name}.toml", instructions::FOLDER);
        let each = instructions::of_one(self.text(&file)?, path);
        let each = each.map_err(|error| format!("`{file}`: {error:#}"))?;
        Ok(each
            .ok_or_else(|| format!("`{name}` has no `{path}`"))?
            .to_string())
    }

    fn text(&self, path: &str) -> Result<&'tree str, String> {
        let text = self.tree.text(path);
        text.ok_or_else(|| format!("`{path}` is not committed"))
    }
}
