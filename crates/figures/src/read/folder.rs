//! What a folder holds: the files of one run, or of a sweep.

use super::groups::{self, GroupInterval};
use super::intervals::{self, Interval};
use super::latencies;
use super::summary::{Key, Summary};
use super::table::Table;
use crate::error::ReadError;
use crate::style::looks;
use hdrhistogram::Histogram;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of a run or of a sweep.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// What was varied; nothing in the folder of one run. Strategies and seeds are not among them:
    /// those are always told apart, these are repeats.
    pub(crate) keys: Vec<Key>,
    pub(crate) is_sweep: bool,
    pub(crate) summary: Summary,
}

impl Folder {
    /// Opens a folder and reads its summary.
    ///
    /// # Errors
    /// If it is the folder neither of a run nor of a sweep, or a file is not what it should be.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let summary = path.join("summary.csv");
        if !summary.is_file() {
            let problem = match path {
                path if !path.exists() => "there is no such folder",
                path if !path.is_dir() => "is no folder",
                path if path.join("latest").join("summary.csv").is_file() => {
                    "holds the folders of runs: name one of them, such as its `latest`"
                }
                _ => "has no summary.csv: it is the folder neither of a run nor of a sweep",
            };
            return Err(ReadError::new(path, problem));
        }
        let sweep = path.join("sweep.json");
        let is_sweep = sweep.is_file();
        if !is_sweep && Table::read(&summary)?.has("point") {
            let problem = "has no sweep.json, which says what its summary.csv varies";
            return Err(ReadError::new(path, problem));
        }
        let mut keys = if is_sweep { keys(&sweep)? } else { Vec::new() };
        keys.retain(|key| !["strategy", "seed"].contains(&&key.name[..]));
        Ok(Self {
            path: path.into(),
            summary: Summary::read(&summary, &keys)?,
            keys,
            is_sweep,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is the folder of a sweep.
    pub fn is_sweep(&self) -> bool {
        self.is_sweep
    }

    /// What was varied, but for strategies and seeds; nothing in a run.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The rows of `summary.csv`.
    pub fn summary(&self) -> &Table {
        &self.summary.table
    }

    /// The kinds of operations, in the order of the summary; `all` for all together.
    pub fn operations(&self) -> Vec<&str> {
        let mut ops: Vec<&str> = Vec::new();
        for row in &self.summary.rows {
            if !ops.contains(&&row.op[..]) {
                ops.push(&row.op);
            }
        }
        ops
    }

    /// The strategies, in the order of the summary.
    pub fn strategies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.summary.rows {
            if !names.contains(&&row.strategy[..]) {
                names.push(&row.strategy);
            }
        }
        names
    }

    /// The strategies with the colour that each has in all figures, as `#rrggbb`.
    pub fn colours(&self) -> Vec<(&str, String)> {
        let strategies = self.strategies();
        let looks = looks(&strategies).into_iter();
        let hex = |(r, g, b): (u8, u8, u8)| format!("#{r:02x}{g:02x}{b:02x}");
        let colours: Vec<String> = looks.map(|look| hex(look.colour)).collect();
        strategies.into_iter().zip(colours).collect()
    }

    /// Refuses a kind of operation of which there is nothing.
    ///
    /// # Errors
    /// If there is nothing of it.
    pub(crate) fn check_op(&self, op: &str) -> Result<(), ReadError> {
        let problem = match &self.operations()[..] {
            [] => "has no rows yet".into(),
            ops if !ops.contains(&op) => {
                format!("has nothing of operation {op:?}, but of {}", ops.join(", "))
            }
            _ => return Ok(()),
        };
        Err(ReadError::new(&self.path.join("summary.csv"), problem))
    }

    /// The time line of a run; nothing if it has none; within, the columns that it lacks.
    ///
    /// # Errors
    /// If the file cannot be read.
    #[allow(
        clippy::type_complexity,
        reason = "three answers, each told differently"
    )]
    pub(crate) fn intervals(
        &self,
    ) -> Result<Option<Result<Vec<Interval>, Vec<&'static str>>>, ReadError> {
        let path = self.path.join("intervals.csv");
        path.is_file().then(|| intervals::read(&path)).transpose()
    }

    /// What each group of a run did over time; nothing if it does not say; within, the columns that
    /// are lacking.
    ///
    /// # Errors
    /// If the file cannot be read.
    #[allow(
        clippy::type_complexity,
        reason = "three answers, each told differently"
    )]
    pub(crate) fn groups(
        &self,
    ) -> Result<Option<Result<Vec<GroupInterval>, Vec<&'static str>>>, ReadError> {
        let path = self.path.join("partitions.csv");
        path.is_file().then(|| groups::read(&path)).transpose()
    }

    /// The latencies of a strategy's commands of one kind; nothing if they were not kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn latencies(
        &self,
        strategy: &str,
        op: &str,
    ) -> Result<Option<Histogram<u64>>, ReadError> {
        let path = self
            .path
            .join("histograms")
            .join(format!("{strategy}.hlog"));
        match path.is_file() {
            true => latencies::read(&path, op),
            false => Ok(None),
        }
    }
}

/// Of flags that were varied together, the first one that tells all values apart stands for all.
fn one_flag(names: &str, values: Vec<String>) -> Key {
    let parts = |place: usize| -> Vec<String> {
        let part = |value: &String| value.split(',').nth(place).unwrap_or_default().to_owned();
        values.iter().map(part).collect()
    };
    let mut flags = names.split(',').enumerate().filter(|_| names.contains(','));
    let telling = flags.find_map(|(place, name)| {
        let values = parts(place);
        let distinct: BTreeSet<&String> = values.iter().collect();
        (distinct.len() == values.len()).then(|| Key {
            name: name.into(),
            values,
        })
    });
    telling.unwrap_or_else(|| Key {
        name: names.into(),
        values,
    })
}

/// What a sweep varied.
fn keys(path: &Path) -> Result<Vec<Key>, ReadError> {
    let bad = ReadError::from_cause(path);
    let text = fs::read_to_string(path).map_err(|error| bad(&error))?;
    let sweep: Value = serde_json::from_str(&text).map_err(|error| bad(&error))?;
    // `[{"flag": NAME, "values": [..]}]`.
    let vary = sweep.get("vary").and_then(Value::as_array);
    let vary = vary.ok_or_else(|| ReadError::new(path, "has no list \"vary\""))?;
    let key = |axis: &Value| {
        let problem = || {
            let problem = format!("\"vary\": expected a flag and a list of its values, not {axis}");
            ReadError::new(path, problem)
        };
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(problem()),
        };
        let name = axis.get("flag").and_then(Value::as_str);
        let values = axis.get("values").and_then(Value::as_array);
        let values = values.ok_or_else(problem)?.iter().map(text);
        let values = values.collect::<Result<Vec<String>, _>>()?;
        Ok(one_flag(name.ok_or_else(problem)?, values))
    };
    vary.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_flags_that_were_varied_together_one_stands_for_all() {
        let key = |names, values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned());
            let key = one_flag(names, values.collect());
            (key.name, key.values)
        };
        let told = |name: &str, values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned());
            (name.to_owned(), values.collect::<Vec<_>>())
        };
        let rates = key("seed,create,update", &["1,0,60", "1,5,55"]);
        assert_eq!(rates, told("create", &["0", "5"]));
        let one = key("fault", &["kill-random,flush-cache@1s", ""]);
        assert_eq!(one, told("fault", &["kill-random,flush-cache@1s", ""]));
        let none = key("a,b", &["1,1", "1,1"]);
        assert_eq!(none, told("a,b", &["1,1", "1,1"]));
    }
}
