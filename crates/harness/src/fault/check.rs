//! Which schedules cannot be carried out.
//!
//! Invariant: a schedule that got past [`check`] finds its targets, ends within the measured time,
//! and leaves every group able to go on once it is over.

use super::grammar::{Fault, ORACLE};
use super::target::{group, replica};
use crate::deploy::deployment::comes_back;
use crate::error::UsageError;
use crate::registry::info::{ClusterShape, StrategyInfo};
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
        let (at, length) = match fault {
            Fault::KillRandom => return self.survive(self.topology.groups().iter()),
            Fault::KillLeader {
                group: name,
                at,
                back,
            } => {
                self.kill_leader(name)?;
                (*at, back.unwrap_or(0))
            }
            Fault::StopCache { at, length } => {
                self.stop_cache()?;
                (*at, *length)
            }
            Fault::Cut {
                replica: name,
                at,
                length,
            } => {
                let found = replica(&self.topology, name);
                found.ok_or_else(|| format!("there is no replica {name}"))?;
                (*at, *length)
            }
        };
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

    fn stop_cache(&self) -> Result<(), String> {
        let runs = self.settings.strategies.iter().any(has_cache);
        if runs && self.settings.memcached.is_empty() {
            return Ok(());
        }
        let who = self.those(has_cache);
        Err(format!(
            "there is no embedded cache to stop: it is part of {who} without --memcached"
        ))
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
