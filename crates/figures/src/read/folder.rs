//! What a folder holds: the files of one run, of a sweep, or of a search for the highest
//! throughput.

use super::groups::{self, GroupInterval};
use super::intervals::{self, Interval};
use super::latencies;
use super::summary::{Key, Summary, Verdict};
use super::table::{Missing, Table};
use crate::error::ReadError;
use crate::style::looks;
use hdrhistogram::Histogram;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What kind of folder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// One run.
    Run,
    /// The runs of a sweep, in `cells`.
    Sweep,
    /// The runs of a search for the highest throughput, in `cells`.
    Peak,
}

/// The folder of a run, of a sweep or of a search for the highest throughput.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// What was varied; nothing in the folder of one run. Strategies and seeds are not among them:
    /// those are always told apart, these are repeats.
    pub(crate) keys: Vec<Key>,
    contents: Contents,
    /// Whether faults were varied, be they a key or not.
    pub(crate) varies_faults: bool,
    pub(crate) summary: Summary,
}

impl Folder {
    /// Opens a folder and reads its summary.
    ///
    /// # Errors
    /// If it is the folder of none of these, or a file is not what it should be.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let (mut summary, peak) = (path.join("summary.csv"), path.join("peak.csv"));
        let mut contents = Contents::Run;
        if !summary.is_file() && peak.is_file() {
            (summary, contents) = (peak, Contents::Peak);
        } else if !summary.is_file() {
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
        let (sweep, mut varied) = (path.join("sweep.json"), Vec::new());
        if sweep.is_file() {
            contents = Contents::Sweep;
            varied = axes(&sweep)?;
        } else if Table::read(&summary)?.has("point") {
            let problem = "has no sweep.json, which says what its summary.csv varies";
            return Err(ReadError::new(path, problem));
        }
        let mut flags = varied.iter().flat_map(|axis| axis.name.split(','));
        let varies_faults = flags.any(|flag| flag == FAULT);
        let mut keys: Vec<Key> = varied.into_iter().flat_map(telling).collect();
        keys.retain(|key| !NO_KEYS.contains(&&key.name[..]));
        Ok(Self {
            path: path.into(),
            summary: Summary::read(&summary, &keys)?,
            keys,
            contents,
            varies_faults,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What kind of folder it is.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// What was varied, but for strategies and seeds; nothing where it is no sweep.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The rows of `summary.csv`; of a search for the highest throughput those of `peak.csv`.
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

    /// The verdict on a history of this strategy if it is not `ok`.
    pub(crate) fn verdict(&self, strategy: &str) -> Option<&str> {
        let rows = self.summary.rows.iter();
        let mut own = rows.filter(|row| row.strategy == strategy);
        own.find_map(|row| match &row.verdict {
            Verdict::Other(verdict) => Some(&verdict[..]),
            Verdict::Ok => None,
        })
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

    /// The first run of each point of a sweep: the name of its folder within `cells`, where that
    /// is, and the point's values of the keys.
    pub(crate) fn first_runs(&self) -> Vec<(&str, PathBuf, &[String])> {
        let mut runs: Vec<(&str, PathBuf, &[String])> = Vec::new();
        for (row, measured) in self.summary().rows().zip(&self.summary.rows) {
            let id = row.text("run_id");
            let cell = id.rsplit_once('-').map_or(id, |(_, cell)| cell);
            if row.text("repeat") == "0" && runs.iter().all(|(known, ..)| *known != cell) {
                let path = self.path.join("cells").join(cell);
                runs.push((cell, path, &measured.values));
            }
        }
        runs
    }

    /// The time line of a run.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn intervals(&self) -> Result<Result<Vec<Interval>, Missing<'static>>, ReadError> {
        intervals::read(&self.path)
    }

    /// What each group of a run did over time.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn groups(&self) -> Result<Result<Vec<GroupInterval>, Missing<'static>>, ReadError> {
        groups::read(&self.path)
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

/// The flag that says what is broken.
pub(crate) const FAULT: &str = "fault";

/// Flags that are no keys: each row says its strategy, and seeds are repeats.
const NO_KEYS: [&str; 2] = ["strategy", "seed"];

/// The keys that flags make which were varied together: none if the strategies tell all values
/// apart; else the first flag that does; else those that tell more of them apart than those before
/// them.
fn telling(axis: Key) -> Vec<Key> {
    if !axis.name.contains(',') {
        return vec![axis];
    }
    let Key {
        name: names,
        values,
    } = &axis;
    let flags: Vec<(usize, &str)> = names.split(',').enumerate().collect();
    let flags = || flags.iter().filter(|(_, name)| !NO_KEYS.contains(name));
    let parts = |place: usize| {
        let part = move |value: &String| value.split(',').nth(place).unwrap_or_default().to_owned();
        values.iter().map(part).collect::<Vec<String>>()
    };
    let distinct = |places: &[usize]| {
        let columns: Vec<Vec<String>> = places.iter().map(|place| parts(*place)).collect();
        let rows = (0..values.len()).map(|row| columns.iter().map(move |it| &it[row]));
        let rows: BTreeSet<Vec<&String>> = rows.map(Iterator::collect).collect();
        rows.len()
    };
    let strategy = names.split(',').position(|name| name == "strategy");
    let is_one = |place: usize| parts(place).iter().all(|name| name != "all");
    let is_told = |place: usize| is_one(place) && distinct(&[place]) == values.len();
    if strategy.is_some_and(is_told) {
        return Vec::new();
    }
    let one = flags().find(|(place, _)| distinct(&[*place]) == values.len());
    let mut kept: Vec<usize> = one.iter().map(|(place, _)| *place).collect();
    for (place, _) in flags() {
        let more = [&kept[..], &[*place]].concat();
        if distinct(&more) > distinct(&kept) {
            kept = more;
        }
    }
    let keys = flags().filter(|(place, _)| kept.contains(place));
    let key = |(place, name): &(usize, &str)| {
        let mut seen = BTreeSet::new();
        let parts = parts(*place).into_iter();
        Key {
            name: (*name).into(),
            values: parts.filter(|part| seen.insert(part.clone())).collect(),
        }
    };
    keys.map(key).collect()
}

/// What a sweep varied: a flag, or several together, whose names and values commas separate.
fn axes(path: &Path) -> Result<Vec<Key>, ReadError> {
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
        let name = name.ok_or_else(problem)?.to_owned();
        Ok(Key { name, values })
    };
    vary.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_flags_that_were_varied_together_one_stands_for_all() {
        let keys = |names: &str, values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned());
            let axis = Key {
                name: names.into(),
                values: values.collect(),
            };
            let keys = telling(axis).into_iter();
            keys.map(|key| (key.name, key.values)).collect::<Vec<_>>()
        };
        let told = |name: &str, values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned());
            (name.to_owned(), values.collect::<Vec<_>>())
        };
        let rates = keys("seed,create,update", &["1,0,60", "1,5,55"]);
        assert_eq!(rates, [told("create", &["0", "5"])]);
        let one = keys("fault", &["kill-random,flush-cache@1s", ""]);
        assert_eq!(one, [told("fault", &["kill-random,flush-cache@1s", ""])]);
        let two = keys("a,b,c,d", &["1,1,3,2", "2,1,3,2", "2,5,3,4"]);
        assert_eq!(two, [told("a", &["1", "2"]), told("b", &["1", "5"])]);
        let strategies = keys("a,strategy", &["1,static", "1,broker", "2,broker"]);
        assert_eq!(strategies, [told("a", &["1", "2"])]);
        assert_eq!(keys("strategy,a", &["static,1", "broker,2"]), []);
        let all = keys("strategy,a", &["all,1", "broker,2"]);
        assert_eq!(all, [told("a", &["1", "2"])]);
        assert_eq!(keys("a,b", &["1,1", "1,1"]), []);
    }
}
