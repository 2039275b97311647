//! What has been simulated so far, kept in a file so that an interrupted command goes on where it
//! stopped.
//!
//! Invariant: the file says exactly which simulations are in its sums, so none counts twice or is
//! left out.

use crate::error::UsageError;
use crate::settings::sim::SimSettings;
use crate::time;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use ssmr_core::Micros;
use ssmr_sim::{Failure, InvariantViolation, Profile, SimulationReport};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How many failures of a strategy are kept: those with the least numbers.
const KEPT: usize = 10;
/// How often the file is written.
const INTERVAL: Micros = 5_000_000;

/// A failed simulation: its number, and the violation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failed {
    number: u64,
    violation: Box<InvariantViolation>,
}

impl Failed {
    /// The same with what it takes to see it again.
    pub(super) fn of(&self, strategy: &'static str, settings: &SimSettings) -> Failure {
        let (seed, options) = settings.place(self.number);
        Failure {
            strategy,
            seed,
            options,
            violation: self.violation.clone(),
        }
    }
}

/// What came of some simulations.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) simulations: u64,
    pub(super) failed: u64,
    /// Of those that did not fail.
    pub(super) report: SimulationReport,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.simulations += other.simulations;
        self.failed += other.failed;
        self.report.add(other.report);
    }
}

/// What has been done of one strategy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Done {
    /// All simulations with lesser numbers.
    before: u64,
    /// And these.
    beyond: BTreeSet<u64>,
    /// By fault profile.
    pub(super) profiles: BTreeMap<String, Tally>,
    pub(super) failures: Vec<Failed>,
}

impl Done {
    /// Of all profiles.
    pub(super) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.profiles.values().for_each(|tally| sum.add(*tally));
        sum
    }

    pub(super) fn count(&self) -> u64 {
        self.before + self.beyond.len() as u64
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        number < self.before || self.beyond.contains(&number)
    }

    fn add(&mut self, number: u64, profile: Profile, result: Result<SimulationReport, Failure>) {
        self.beyond.insert(number);
        while self.beyond.remove(&self.before) {
            self.before += 1;
        }
        let tally = self.profiles.entry(profile.to_string()).or_default();
        tally.simulations += 1;
        match result {
            Ok(report) => tally.report.add(report),
            Err(Failure { violation, .. }) => {
                tally.failed += 1;
                self.failures.push(Failed { number, violation });
                self.failures.sort_by_key(|failed| failed.number);
                self.failures.truncate(KEPT);
            }
        }
    }
}

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// What the simulations are a function of, by flag.
    settings: BTreeMap<String, String>,
    /// By strategy.
    done: BTreeMap<String, Done>,
}

/// What has been simulated so far, and where that is kept, if anywhere.
#[derive(Debug)]
pub(super) struct Record {
    content: Content,
    file: Option<PathBuf>,
    saved: Micros,
}

impl Record {
    /// Goes on with what the file says, if there is one.
    ///
    /// # Errors
    /// If the file is of other settings or cannot be read.
    pub(super) fn open(settings: &SimSettings) -> anyhow::Result<Self> {
        let file = settings.resume.clone();
        let kept = file.as_deref().map(read).transpose()?.flatten();
        let identity = settings.identity();
        let content = kept.unwrap_or_else(|| Content {
            settings: identity.clone(),
            done: BTreeMap::new(),
        });
        let name = file.as_deref().unwrap_or(Path::new("")).display();
        for (flag, value) in identity {
            let other = content.settings.get(&flag);
            if other != Some(&value) {
                let other = other.map_or("another version", String::as_str);
                let problem = format!("{name} is of {flag} {other}, not {value}");
                return Err(UsageError::new("--resume", problem).into());
            }
        }
        let record = Self {
            content,
            file,
            saved: time::elapsed_us(),
        };
        // What cannot be written is to be known before hours are spent.
        record.save()?;
        Ok(record)
    }

    pub(super) fn done(&self, label: &str) -> Done {
        self.content.done.get(label).cloned().unwrap_or_default()
    }

    /// A simulation is done. Returns how many are.
    pub(super) fn add(
        &mut self,
        label: &str,
        number: u64,
        profile: Profile,
        result: Result<SimulationReport, Failure>,
    ) -> u64 {
        let done = self.content.done.entry(label.to_owned()).or_default();
        done.add(number, profile, result);
        done.count()
    }

    /// Writes the file if that is due.
    pub(super) fn save_now_and_then(&mut self) -> anyhow::Result<()> {
        let now = time::elapsed_us();
        if now < self.saved + INTERVAL {
            return Ok(());
        }
        self.saved = now;
        self.save()
    }

    /// Writes the file: at no time is there half of one.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut next = file.clone().into_os_string();
        next.push(".new");
        let text = serde_json::to_vec_pretty(&self.content)?;
        let written = fs::write(&next, text).and_then(|()| fs::rename(&next, file));
        written.with_context(|| format!("cannot write {}", file.display()))
    }
}

/// The content of a file, if there is one.
fn read(file: &Path) -> anyhow::Result<Option<Content>> {
    let problem = |error: &dyn std::fmt::Display| {
        let text = format!("{}: {error}", file.display());
        UsageError::new("--resume", text)
    };
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(problem(&error).into()),
    };
    Ok(Some(
        serde_json::from_slice(&text).map_err(|error| problem(&error))?,
    ))
}

/// Reads a file's text and writes it again; `None` if it is none.
#[cfg(feature = "fuzzing")]
pub(crate) fn rewrite(text: &[u8]) -> Option<Vec<u8>> {
    let content: Content = serde_json::from_slice(text).ok()?;
    serde_json::to_vec_pretty(&content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_out_of_order_counts_once() {
        let mut done = Done::default();
        for number in [1, 2, 4] {
            done.add(number, Profile::Calm, Ok(SimulationReport::default()));
        }
        assert_eq!((done.before, done.count()), (0, 3));
        done.add(0, Profile::Storm, Ok(SimulationReport::default()));
        assert_eq!((done.before, done.count()), (3, 4));
        assert!(done.contains(4) && !done.contains(3));
        assert_eq!(
            (done.tally().simulations, done.profiles["calm"].simulations),
            (4, 3)
        );
    }
}
