//! Which schedules cannot be carried out.
//!
//! Invariant: a schedule that got past [`check`] finds its targets, ends within the measured time,
//! and leaves every group able to go on once it is over.

use super::grammar::{Fault, ORACLE, Strike};
use super::target::{group, replica};
use super::word::{Takes, Word};
use crate::deploy::deployment::comes_back;
use crate::error::UsageError;
use crate::registry::info::{ClusterShape, StrategyInfo};
use crate::settings::deploy::Deploy;
use crate::settings::memcached::Memcached;
use crate::settings::names::DurabilityName;
use crate::settings::run::RunSettings;
use ssmr_core::{GroupId, Micros, Needs, Topology};

/// Checks that a schedule can be carried out. `all` are the registered strategies, whether they
/// run or not.
///
/// # Errors
/// If a target is not there, a time is beyond the end, or a group would be lost.
pub(crate) fn check(
    settings: &RunSettings,
    all: &[StrategyInfo],
    shape: &ClusterShape,
) -> Result<(), UsageError> {
    let check = Check {
        settings,
        all,
        topology: shape.topology(Needs {
            oracle_group: settings.strategies.iter().any(has_oracle),
            ..Needs::default()
        }),
    };
    for fault in &settings.fault {
        let bad = |problem: String| UsageError::new("--fault", format!("{fault}: {problem}"));
        check.fault(fault).map_err(bad)?;
    }
    Ok(())
}

fn has_oracle(strategy: &StrategyInfo) -> bool {
    strategy.needs.oracle_group
}

fn has_cache(strategy: &StrategyInfo) -> bool {
    strategy.needs.shared_cache
}

/// What schedules are checked against.
struct Check<'a> {
    settings: &'a RunSettings,
    all: &'a [StrategyInfo],
    /// With an oracle group if any strategy that runs has one.
    topology: Topology,
}

impl Check<'_> {
    fn fault(&self, fault: &Fault) -> Result<(), String> {
        match fault {
            Fault::Random(words) => words.iter().try_for_each(|word| self.word(*word)),
            Fault::At(strike) => {
                self.word(strike.word)?;
                self.target(strike)?;
                self.ends(strike.at, strike.length.unwrap_or(0))
            }
        }
    }

    /// Whether a word means something in this run.
    fn word(&self, word: Word) -> Result<(), String> {
        match word {
            Word::Kill => self.survive(self.topology.groups().iter()),
            Word::Pause if self.settings.deploy == Deploy::Threads => {
                Err("a thread cannot be paused: give --deploy processes".into())
            }
            Word::FullDisk if self.settings.durability == DurabilityName::Memory => {
                Err("nothing is on disk: give --durability sync or async".into())
            }
            word if word.is_of_caches() => self.cache(word),
            _ => Ok(()),
        }
    }

    /// Whether there is such a target, and what it costs it can be borne.
    fn target(&self, strike: &Strike) -> Result<(), String> {
        let name = &strike.target;
        match strike.word.takes() {
            Takes::Nothing if strike.word == Word::KillOracleLeader => self.kill_leader(ORACLE),
            Takes::Nothing => Ok(()),
            Takes::Group => self.kill_leader(name),
            Takes::Replica => {
                let found = replica(&self.topology, name);
                let found = found.ok_or_else(|| format!("there is no replica {name}"))?;
                match strike.word {
                    Word::Kill => self.survive(std::iter::once(found.group)),
                    _ => Ok(()),
                }
            }
            Takes::Server => {
                let count = self.settings.memcached.local_count();
                match name.parse::<usize>() {
                    Ok(number) if number < count => Ok(()),
                    _ => Err(format!(
                        "there is no server {name}: they are 0 to {}",
                        count.saturating_sub(1)
                    )),
                }
            }
        }
    }

    /// Whether it is over by the end.
    fn ends(&self, at: Micros, length: Micros) -> Result<(), String> {
        let duration = self.settings.duration;
        let end = duration.as_micros() as Micros;
        if at >= end || at.saturating_add(length) > end {
            let duration = humantime::format_duration(duration);
            return Err(format!(
                "it would not be over after {duration} (see --duration)"
            ));
        }
        Ok(())
    }

    fn kill_leader(&self, name: &str) -> Result<(), String> {
        if name == ORACLE && !self.settings.strategies.iter().any(has_oracle) {
            let who = self.those(has_oracle);
            return Err(format!("only {who} has an oracle (see --strategy)"));
        }
        let group = group(&self.topology, name);
        let group = group.ok_or_else(|| format!("there is no group {name}"))?;
        self.survive(std::iter::once(group))
    }

    fn cache(&self, word: Word) -> Result<(), String> {
        let memcached = &self.settings.memcached;
        let runs = self.settings.strategies.iter().any(has_cache);
        let who = self.those(has_cache);
        let (there, what) = match word {
            Word::StopCache => (
                *memcached == Memcached::Embedded,
                format!(
                    "there is no embedded cache to stop: it is part of {who} without --memcached"
                ),
            ),
            Word::KillCache | Word::FreezeCache | Word::CutCache => (
                memcached.local_count() > 0,
                format!("that can happen to servers of --memcached local:N, and {who} has them"),
            ),
            _ => (
                !matches!(memcached, Memcached::Servers(_)),
                format!("only caches of this run's own are flushed, and {who} has them"),
            ),
        };
        if runs && there { Ok(()) } else { Err(what) }
    }

    /// The registered strategies of some kind, as a text.
    fn those(&self, kind: impl Fn(&StrategyInfo) -> bool) -> String {
        let names = self.all.iter().filter(|strategy| kind(strategy));
        let names: Vec<&str> = names.map(|strategy| strategy.name).collect();
        match names[..] {
            [] => "another program's strategy".into(),
            _ => format!("strategy {}", names.join(" or ")),
        }
    }

    /// Whether each of these groups keeps a copy when one of its replicas is killed.
    fn survive(&self, mut groups: impl Iterator<Item = GroupId>) -> Result<(), String> {
        let durability = self.settings.durability;
        let lost = |group: &GroupId| !comes_back(durability, self.topology.replica_count(*group));
        groups.find(lost).map_or(Ok(()), |group| {
            Err(format!(
                "{group} would lose its last copy, which is in memory: give --durability async \
                 or sync, or more replicas"
            ))
        })
    }
}
