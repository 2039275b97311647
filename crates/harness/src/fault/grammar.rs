//! The grammar of `--fault`.
//!
//! It breaks nothing and knows no cluster: whether a schedule can be carried out is for
//! [`check`](super::check) to say. Invariant: what was read is written as people write it.

use serde::{Serialize, Serializer};
use ssmr_core::Micros;
use std::fmt;
use std::str::FromStr;

/// One item of a schedule. Times count from the start of measuring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Kill the leader of a group.
    KillLeader {
        /// The group's name.
        group: String,
        /// When.
        at: Micros,
        /// How much later it is back.
        back: Option<Micros>,
    },
    /// Kill a random replica each second.
    KillRandom,
    /// Stop the embedded cache.
    StopCache {
        /// When.
        at: Micros,
        /// For how long.
        length: Micros,
    },
    /// Cut a replica off from all others.
    Cut {
        /// The replica's name.
        replica: String,
        /// When.
        at: Micros,
        /// For how long.
        length: Micros,
    },
}

/// The name of the oracle group.
pub(crate) const ORACLE: &str = "oracle";

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
                "expected kill-leader:GROUP@TIME[+TIME], kill-oracle-leader@TIME[+TIME], \
                 kill-random, stop-cache@TIME+TIME or cut:REPLICA@TIME+TIME"
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
