//! The grammar of `--fault`, and which schedules cannot be carried out.
//!
//! It breaks nothing. Invariant: a schedule that got past [`check`] finds its targets, ends within the measured time, and
//! leaves every group able to go on once it is over.

use crate::cli::{RunArgs, UsageError};
use crate::deploy::comes_back;
use crate::registry::Parts;
use serde::{Serialize, Serializer};
use ssmr_core::{GroupId, Micros, ReplicaId, Topology};
use std::fmt;
use std::str::FromStr;

/// One item of a schedule. Times count from the start of measuring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Kill the leader of a group.
    KillLeader {
        group: String,
        at: Micros,
        /// How much later it is back.
        back: Option<Micros>,
    },
    /// Kill a random replica each second.
    KillRandom,
    /// Stop the embedded cache.
    StopCache { at: Micros, length: Micros },
    /// Cut a replica off from all others.
    Cut {
        replica: String,
        at: Micros,
        length: Micros,
    },
}

const ORACLE: &str = "oracle";

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, time) = match text.split_once('@') {
            Some((what, time)) => (what, Some(moment(time)?)),
            None => (text, None),
        };
        let (name, target) = what.split_once(':').unwrap_or((what, ""));
        match (name, target, time) {
            ("kill-random", "", None) => Ok(Self::KillRandom),
            ("kill-leader", group, Some((at, back))) if !group.is_empty() => Ok(Self::KillLeader {
                group: group.into(),
                at,
                back,
            }),
            ("kill-oracle-leader", "", Some((at, back))) => Ok(Self::KillLeader {
                group: ORACLE.into(),
                at,
                back,
            }),
            ("stop-cache", "", Some((at, Some(length)))) => Ok(Self::StopCache { at, length }),
            ("cut", replica, Some((at, Some(length)))) if !replica.is_empty() => Ok(Self::Cut {
                replica: replica.into(),
                at,
                length,
            }),
            _ => Err(
                "expected kill-leader:GROUP@TIME[+TIME], kill-oracle-leader@TIME[+TIME], kill-random, \
                 stop-cache@TIME+TIME or cut:REPLICA@TIME+TIME"
                    .into(),
            ),
        }
    }
}

/// `3s` or `3s+2s`.
fn moment(text: &str) -> Result<(Micros, Option<Micros>), String> {
    let time = |text: &str| {
        let time = humantime::parse_duration(text).map_err(|error| format!("{text:?}: {error}"))?;
        Ok::<_, String>(time.as_micros() as Micros)
    };
    match text.split_once('+') {
        None => Ok((time(text)?, None)),
        Some((at, length)) => match time(length)? {
            0 => Err("a fault must be longer than 0".into()),
            length => Ok((time(at)?, Some(length))),
        },
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |micros| humantime::format_duration(std::time::Duration::from_micros(micros));
        match self {
            Self::KillLeader { group, at, back } => {
                match &group[..] {
                    ORACLE => write!(f, "kill-oracle-leader@{}", time(*at))?,
                    _ => write!(f, "kill-leader:{group}@{}", time(*at))?,
                }
                back.map_or(Ok(()), |back| write!(f, "+{}", time(back)))
            }
            Self::KillRandom => f.write_str("kill-random"),
            Self::StopCache { at, length } => {
                write!(f, "stop-cache@{}+{}", time(*at), time(*length))
            }
            Self::Cut {
                replica,
                at,
                length,
            } => {
                write!(f, "cut:{replica}@{}+{}", time(*at), time(*length))
            }
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// The group of this name in a topology.
pub(super) fn group(topology: &Topology, name: &str) -> Option<GroupId> {
    let mut groups = topology.groups().iter();
    groups.find(|group| group.to_string() == name)
}

/// The replica of this name in a topology.
pub(super) fn replica(topology: &Topology, name: &str) -> Option<ReplicaId> {
    let mut replicas = topology.replicas();
    replicas.find(|replica| replica.to_string() == name)
}

/// Checks that a schedule can be carried out.
///
/// # Errors
/// If a target is not there, a time is beyond the end, or a group would be lost.
pub(crate) fn check(args: &RunArgs, parts: &Parts) -> Result<(), UsageError> {
    for fault in &args.fault {
        let bad = |problem: String| UsageError::new("--fault", format!("{fault}: {problem}"));
        check_one(fault, args, parts).map_err(bad)?;
    }
    Ok(())
}

/// Whether each of these groups keeps a copy when one of its replicas is killed.
fn survive(
    args: &RunArgs,
    topology: &Topology,
    groups: impl Iterator<Item = GroupId>,
) -> Result<(), String> {
    let lost = |group: &GroupId| !comes_back(args.durability, topology.replica_count(*group));
    let mut groups = groups.filter(lost);
    groups.next().map_or(Ok(()), |group| {
        Err(format!(
            "{group} would lose its last copy, which is in memory: give --durability async or sync, or more replicas"
        ))
    })
}

fn check_one(fault: &Fault, args: &RunArgs, parts: &Parts) -> Result<(), String> {
    let runs = |strategy| args.strategies().contains(&strategy);
    // The oracle is there under broker only.
    let topology = if runs("broker") {
        parts.with_oracle
    } else {
        parts.topology
    };
    let (at, length) = match fault {
        Fault::KillRandom => return survive(args, &topology, topology.groups().iter()),
        Fault::KillLeader {
            group: name,
            at,
            back,
        } => {
            if name == ORACLE && !runs("broker") {
                return Err("only strategy broker has an oracle (see --strategy)".into());
            }
            let group =
                group(&topology, name).ok_or_else(|| format!("there is no group {name}"))?;
            survive(args, &topology, std::iter::once(group))?;
            (*at, back.unwrap_or(0))
        }
        Fault::StopCache { at, length } => {
            if !runs("cache") || !args.memcached.is_empty() {
                return Err("there is no embedded cache to stop: it is part of strategy cache without --memcached".into());
            }
            (*at, *length)
        }
        Fault::Cut {
            replica: name,
            at,
            length,
        } => {
            replica(&topology, name).ok_or_else(|| format!("there is no replica {name}"))?;
            (*at, *length)
        }
    };
    let duration = args.duration.as_micros() as Micros;
    if at >= duration || at.saturating_add(length) > duration {
        let duration = humantime::format_duration(args.duration);
        return Err(format!(
            "it would not be over after {duration} (see --duration)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_and_written_as_people_write_them() {
        for text in [
            "kill-leader:p0@3s",
            "kill-leader:p12@500ms+2s",
            "kill-oracle-leader@3s",
            "kill-oracle-leader@1s+1s",
            "kill-random",
            "stop-cache@3s+2s",
            "cut:p0r1@3s+2s",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        let fault: Fault = "cut:p0r1@1500ms+1m".parse().unwrap();
        let expected = Fault::Cut {
            replica: "p0r1".into(),
            at: 1_500_000,
            length: 60_000_000,
        };
        assert_eq!(fault, expected);
    }

    #[test]
    fn what_is_incomplete_is_refused() {
        for text in [
            "",
            "kill",
            "kill-leader@3s",
            "kill-leader:p0",
            "kill-leader:p0@",
            "kill-leader:p0@3",
            "kill-oracle-leader:p0@3s",
            "kill-random@3s",
            "stop-cache@3s",
            "cut:p0r1@3s",
            "cut:p0r1@3s+0s",
            "cut@3s+2s",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text:?}");
        }
    }
}
