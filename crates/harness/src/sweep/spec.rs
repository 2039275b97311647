//! What a sweep is made from: the flags that all its runs have, those that are varied, and how
//! often each combination is run.
//!
//! Invariant: a specification is all that a sweep is a function of, so an equal one goes on where
//! another process stopped.

use crate::error::UsageError;
use serde::{Deserialize, Serialize};
use ssmr_core::{codec, id};
use std::path::Path;
use toml::Value;

/// The most cells that a sweep may have.
pub(crate) const MOST_CELLS: usize = 100_000;

/// A flag of `run` that all cells have: its name without dashes, and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    pub(crate) flag: String,
    pub(crate) value: String,
}

/// A flag of `run` that is varied; or several ones together, separated by commas, whose values are
/// then separated by commas, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Axis {
    pub(crate) flag: String,
    pub(crate) values: Vec<String>,
}

/// All that a sweep is a function of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SweepSpec {
    /// What all cells have in common.
    pub(crate) run: Vec<Setting>,
    /// What is varied: each combination is a point. The last one varies fastest.
    pub(crate) vary: Vec<Axis>,
    /// How many runs each point has, each with a seed of its own.
    pub(crate) repeat: u64,
}

/// The form of a sweep's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepFile {
    repeat: Option<u64>,
    #[serde(default)]
    run: toml::Table,
    #[serde(default)]
    vary: toml::Table,
}

impl Axis {
    /// The flags with this value.
    fn pairs<'a>(&'a self, value: &'a str) -> Vec<(&'a str, &'a str)> {
        match self.flag.contains(',') {
            true => self.flag.split(',').zip(value.split(',')).collect(),
            false => vec![(&self.flag, value)],
        }
    }

    /// Checks that each value has a part for each flag.
    ///
    /// # Errors
    /// The value that has not.
    fn check(&self) -> Result<(), String> {
        let flags = self.flag.split(',').count();
        let differs = |value: &&String| flags > 1 && value.split(',').count() != flags;
        match self.values.iter().find(differs) {
            Some(value) => Err(format!("{flags} values are needed, not {value:?}")),
            None => Ok(()),
        }
    }
}

impl SweepSpec {
    /// Reads a specification from a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(crate) fn read(path: &Path) -> Result<Self, UsageError> {
        let bad = |problem: String| UsageError::new(path.display().to_string(), problem);
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let file: SweepFile = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let setting = |(flag, value): (String, Value)| {
            let value = scalars(value).map_err(|what| bad(format!("[run] {flag}: {what}")))?;
            let value = value.join(",");
            Ok(Setting { flag, value })
        };
        let axis = |(flag, value): (String, Value)| {
            let values = match value {
                Value::Array(values) if !values.is_empty() => values,
                _ => return Err(bad(format!("[vary] {flag}: a list of values is needed"))),
            };
            let values = values
                .into_iter()
                .map(|value| Ok(scalars(value)?.join(",")));
            let values = values.collect::<Result<_, String>>();
            let values = values.map_err(|what| bad(format!("[vary] {flag}: {what}")))?;
            let axis = Axis { flag, values };
            let checked = axis.check();
            checked.map_err(|what| bad(format!("[vary] {}: {what}", axis.flag)))?;
            Ok(axis)
        };
        let spec = Self {
            run: file
                .run
                .into_iter()
                .map(setting)
                .collect::<Result<_, _>>()?,
            vary: file.vary.into_iter().map(axis).collect::<Result<_, _>>()?,
            repeat: file.repeat.unwrap_or(1),
        };
        if spec.repeat == 0 {
            return Err(bad("repeat: at least 1".into()));
        }
        if let Some(flag) = spec.varied_flags().find(|flag| spec.sets(flag)) {
            return Err(bad(format!("{flag} stands in [run] and in [vary]")));
        }
        Ok(spec)
    }

    fn sets(&self, flag: &str) -> bool {
        self.run.iter().any(|setting| setting.flag == flag)
    }

    /// Sets a flag for all cells, whatever was said of it before.
    pub(crate) fn set(&mut self, flag: &str, value: String) {
        self.forget(flag);
        let flag = flag.to_owned();
        self.run.push(Setting { flag, value });
    }

    /// Varies a flag, whatever was said of it before.
    pub(crate) fn vary(&mut self, axis: Axis) {
        self.forget(&axis.flag);
        self.vary.push(axis);
    }

    fn forget(&mut self, flag: &str) {
        let given: Vec<&str> = flag.split(',').collect();
        self.run
            .retain(|setting| !given.contains(&&setting.flag[..]));
        self.vary
            .retain(|axis| axis.flag.split(',').all(|varied| !given.contains(&varied)));
    }

    /// A hash of it.
    pub(crate) fn digest(&self) -> u64 {
        id::digest(&codec::encode(self))
    }

    /// How many points there are, if they can be counted.
    pub(crate) fn point_count(&self) -> Option<usize> {
        let lengths = self.vary.iter().map(|axis| axis.values.len());
        lengths.into_iter().try_fold(1, usize::checked_mul)
    }

    /// The values of the varied flags at a point, in the order of [`Self::vary`].
    pub(crate) fn point(&self, mut number: usize) -> Vec<&str> {
        let mut values: Vec<&str> = Vec::new();
        for axis in self.vary.iter().rev() {
            let count = axis.values.len();
            values.push(&axis.values[number % count]);
            number /= count;
        }
        values.reverse();
        values
    }

    /// What is varied at a point, each flag alone. Values that do not fit their flags are left out:
    /// see [`Axis::check`].
    pub(crate) fn varied(&self, point: usize) -> Vec<(&str, &str)> {
        let axes = self.vary.iter().zip(self.point(point));
        let pairs = axes.flat_map(|(axis, value)| axis.pairs(value));
        pairs.collect()
    }

    /// The flags that are varied, each alone.
    pub(crate) fn varied_flags(&self) -> impl Iterator<Item = &str> {
        self.vary.iter().flat_map(|axis| axis.flag.split(','))
    }

    /// A point in words, such as `partitions=2 clients=16`.
    pub(crate) fn told(&self, point: usize) -> String {
        let values = self.point(point);
        let pairs = self.vary.iter().zip(values);
        let pairs: Vec<String> = pairs
            .map(|(axis, value)| format!("{}={value}", axis.flag))
            .collect();
        pairs.join(" ")
    }
}

/// The texts of a value, or of the values of a list.
fn scalars(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(values) => values.into_iter().map(scalar).collect(),
        value => Ok(vec![scalar(value)?]),
    }
}

fn scalar(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(is_set) => Ok(is_set.to_string()),
        other => Err(format!("{other} is no value of a flag")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SweepSpec, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, text).unwrap();
        SweepSpec::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_what_is_common_and_what_is_varied() {
        let text = "repeat = 3\n[run]\nstrategy = ['static', 'broker']\naudit = true\n\
                    [vary]\npartitions = [1, 2, 4]\nfault = ['', 'kill-random']\n";
        let spec = read(text).unwrap();
        let run: Vec<_> = spec
            .run
            .iter()
            .map(|it| (&it.flag[..], &it.value[..]))
            .collect();
        assert_eq!(run, [("strategy", "static,broker"), ("audit", "true")]);
        assert_eq!((spec.point_count(), spec.repeat), (Some(6), 3));
        assert_eq!(spec.point(0), ["1", ""]);
        assert_eq!(spec.point(3), ["2", "kill-random"]);
        assert_eq!(spec.told(4), "partitions=4 fault=");
    }

    #[test]
    fn several_flags_are_varied_together() {
        let spec =
            read("[vary]\n'create,update' = [[0, 60], [5, 55]]\nclients = [1, 2]\n").unwrap();
        assert_eq!(spec.point_count(), Some(4));
        let told = [("create", "5"), ("update", "55"), ("clients", "1")];
        assert_eq!(spec.varied(2), told);
        assert_eq!(spec.told(2), "create,update=5,55 clients=1");
        // What is given for one of them takes all of them away.
        let mut other = spec.clone();
        other.set("update", "7".into());
        assert_eq!(other.varied_flags().collect::<Vec<_>>(), ["clients"]);
    }

    #[test]
    fn what_is_said_later_counts() {
        let mut spec = read("[run]\nkeys = 5\n[vary]\nclients = [1, 2]\n").unwrap();
        spec.set("clients", "7".into());
        spec.vary(Axis {
            flag: "keys".into(),
            values: vec!["8".into()],
        });
        assert_eq!(spec.run.len(), 1);
        assert_eq!(spec.told(0), "keys=8");
        assert_eq!(SweepSpec::default().point_count(), Some(1));
        assert_eq!(SweepSpec::default().point(0), Vec::<&str>::new());
    }

    #[test]
    fn what_is_no_sweep_is_refused_with_its_place() {
        for (text, told) in [
            ("[vary]\nclients = 5\n", "[vary] clients: a list"),
            ("[vary]\nclients = []\n", "[vary] clients: a list"),
            (
                "[run]\nclients = [[1], 2]\n",
                "[run] clients: [1] is no value",
            ),
            ("[run]\nkeys = 1\n[vary]\nkeys = [2]\n", "keys stands in"),
            ("[vary]\n'a,b' = [[1, 2], [3]]\n", "2 values are needed"),
            ("repeat = 0\n", "repeat: at least 1"),
            ("repeats = 2\n", "line 1"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(
                problem.contains(told) && problem.contains("s.toml"),
                "{problem}"
            );
        }
    }
}
