//! What the folder of a run, a sweep or a search for the highest throughput holds, and what it
//! lacks.

use serde_json::Value;
use ssmr_figures::{Contents, Folder, ReadError, Table};
use std::fs;
use std::path::Path;

/// The files.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) folder: Folder,
    /// `run.json` of a run; that of the first cell of several.
    pub(crate) run: Option<Value>,
    /// `sweep.json` of a sweep.
    pub(crate) sweep: Option<Value>,
    /// `peak.json` of a search for the highest throughput.
    pub(crate) peak: Option<Value>,
    /// The runs of several that are done: the name of each and its `run.json`.
    pub(crate) cells: Vec<(String, Value)>,
    /// `points.csv` of a sweep.
    pub(crate) points: Option<Table>,
    /// What is not there that could be, in sentences.
    pub(crate) missing: Vec<String>,
}

impl Source {
    /// Reads all but what figures alone need.
    ///
    /// # Errors
    /// If it is the folder of none, or its summary cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        let mut source = Self {
            folder: Folder::open(path)?,
            run: None,
            sweep: None,
            peak: None,
            cells: Vec::new(),
            points: None,
            missing: Vec::new(),
        };
        match source.folder.contents() {
            Contents::Run => source.read_run(path),
            Contents::Sweep => source.read_sweep(path),
            Contents::Peak => {
                source.peak = source.json(&path.join("peak.json"));
                source.read_cells(path);
            }
        }
        Ok(source)
    }

    fn read_run(&mut self, path: &Path) {
        self.run = self.json(&path.join("run.json"));
        if self.run.is_none() {
            let lost = "so settings, machine, commit and command line are not known";
            self.missing
                .push(format!("There is no usable run.json, {lost}."));
        }
    }

    fn read_sweep(&mut self, path: &Path) {
        self.sweep = self.json(&path.join("sweep.json"));
        let points = path.join("points.csv");
        match Table::read(&points) {
            Ok(table) => self.points = Some(table),
            Err(_) if !points.exists() => {
                let how = "`sweep --merge` writes it";
                self.missing.push(format!("There is no points.csv: {how}."));
            }
            Err(error) => self.missing.push(format!("{error}.")),
        }
        self.read_cells(path);
    }

    fn read_cells(&mut self, path: &Path) {
        let entries = fs::read_dir(path.join("cells")).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        // Those that are not done have an ending.
        let is_done = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        let mut names: Vec<String> = names.filter(is_done).collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        for name in names {
            if let Some(run) = self.json(&path.join("cells").join(&name).join("run.json")) {
                self.cells.push((name, run));
            }
        }
        self.run = self.cells.first().map(|(_, run)| run.clone());
        if self.run.is_none() {
            let lost = "so machine, commit and all defaults of settings are not known";
            let told = format!("There is no cells/NUMBER/run.json, {lost}.");
            self.missing.push(told);
        }
    }

    /// A JSON file; one that is broken is told.
    fn json(&mut self, path: &Path) -> Option<Value> {
        let text = fs::read_to_string(path).ok()?;
        let value = serde_json::from_str(&text);
        let told = |error| format!("{}: {error}.", path.display());
        value.map_err(|error| self.missing.push(told(error))).ok()
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        let told = match (&self.sweep, self.peak.as_ref().or(self.run.as_ref())) {
            (Some(sweep), _) => crate::json::text(sweep, &["sweep_id"]),
            (None, Some(run)) => crate::json::text(run, &["run_id"]),
            (None, None) => None,
        };
        let path = || {
            self.folder
                .path()
                .file_name()
                .map(|name| name.to_string_lossy().into())
        };
        told.or_else(path).unwrap_or_default()
    }
}
