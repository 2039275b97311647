//! The number that tells a process from others that were started by the same command line.

use crate::error::NetError;
use std::fmt;

/// Where engines tell each process its number: Kubernetes in the pods of an indexed job, Slurm in
/// the tasks of a step.
const VARIABLES: [&str; 2] = ["JOB_COMPLETION_INDEX", "SLURM_PROCID"];

/// The number of a process among those that were started alike, from 0, and who says it. Its text
/// names the source: `SLURM_PROCID=3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordinal {
    number: usize,
    source: String,
}

impl Ordinal {
    /// That of this process: the value of `JOB_COMPLETION_INDEX` (Kubernetes, indexed jobs) or
    /// `SLURM_PROCID` (Slurm), or else the number at the end of its host's name (`things-2`, as the
    /// pods of a stateful set are called).
    ///
    /// # Errors
    /// If none of them says a number.
    pub fn of_process() -> Result<Self, NetError> {
        let uname = rustix::system::uname();
        let host = uname.nodename().to_string_lossy();
        Self::of(|name| std::env::var(name).ok(), &host)
    }

    /// That of a process with these variables on this host.
    pub(crate) fn of(
        variable: impl Fn(&str) -> Option<String>,
        host: &str,
    ) -> Result<Self, NetError> {
        for name in VARIABLES {
            if let Some(value) = variable(name) {
                let source = format!("{name}={value}");
                let number = value.trim().parse();
                let bad = |_| NetError::WhichReplica(format!("{source}: it is no number"));
                let number = number.map_err(bad)?;
                return Ok(Self { number, source });
            }
        }
        let number = host.rsplit_once('-').and_then(|(_, end)| end.parse().ok());
        let source = format!("the host's name {host}");
        let none = || {
            let names = VARIABLES.join(" and ");
            let why = format!(
                "it is not said, {names} are not set, and {source} does not end with -NUMBER"
            );
            NetError::WhichReplica(why)
        };
        let number = number.ok_or_else(none)?;
        Ok(Self { number, source })
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }
}

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
