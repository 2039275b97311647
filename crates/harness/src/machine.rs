//! What this machine is and what it can carry.
//!
//! Descriptions go into `run.json` and are missing where the system does not give them. Limits are
//! checked before a cluster is started, because a cluster that runs out of files or threads half
//! way tells nobody why.

use crate::error::UsageError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use ssmr_core::{GroupId, Topology};
use std::fs;
use std::process::Command;

/// The machine and the program, for `run.json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// The version of the harness.
    version: &'static str,
    /// The commit that was checked out when the run began.
    commit: Option<String>,
    /// Whether files differed from it.
    dirty: Option<bool>,
    /// Whether the program was compiled without optimisation.
    debug_build: bool,
    cpu: Option<String>,
    cores: usize,
    memory: Option<String>,
    os: &'static str,
    kernel: Option<String>,
}

/// How many processors this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Machine {
    /// This machine, now.
    pub(crate) fn describe() -> Self {
        let line = |path, name| line_of(&fs::read_to_string(path).ok()?, name);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: git(&["rev-parse", "HEAD"]),
            dirty: git(&["status", "--porcelain"]).map(|changes| !changes.is_empty()),
            debug_build: cfg!(debug_assertions),
            cpu: line("/proc/cpuinfo", "model name"),
            cores: cores(),
            memory: line("/proc/meminfo", "MemTotal"),
            os: std::env::consts::OS,
            kernel: kernel.ok().map(|text| text.trim().into()),
        }
    }
}

/// The value of the first line `name : value`.
fn line_of(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().into())
}

/// What git says of the folder that the program was compiled from.
fn git(arguments: &[&str]) -> Option<String> {
    let folder = env!("CARGO_MANIFEST_DIR");
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().into())
}

/// What a cluster with its clients takes of this process: an upper bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Needs {
    files: u64,
    threads: u64,
}

impl Needs {
    fn of(topology: &Topology, clients: u64) -> Self {
        let groups = topology.groups().len() as u64;
        let replicas = topology.replicas().count() as u64;
        let within: u64 = topology
            .groups()
            .iter()
            .map(|group: GroupId| {
                let members = u64::from(topology.replica_count(group));
                members * (members - 1)
            })
            .sum();
        // Leaders talk to the leaders of other groups, in both directions, and to a former one now
        // and then.
        let between = 2 * groups * (groups - 1);
        // Both ends of a connection are in this process.
        let connections = within + between + clients * (groups + 1);
        Self {
            files: 64 + 8 * replicas + 2 * connections,
            threads: 16 + replicas,
        }
    }
}

/// Checks that this process may open as many files and start as many threads as a cluster with its
/// clients needs, and raises its own limit of files where the system lets it.
///
/// # Errors
/// If it may not; the error names `--partitions`, or `--clients` where fewer of these would do.
pub(crate) fn carries(topology: &Topology, clients: u64) -> Result<(), UsageError> {
    let needs = Needs::of(topology, clients);
    let files = getrlimit(Resource::Nofile);
    if let Some(most) = files.maximum.filter(|most| *most < needs.files) {
        let few_clients = Needs::of(topology, 1).files <= most;
        let flag = if few_clients {
            "--clients"
        } else {
            "--partitions"
        };
        let problem = format!(
            "{} open files are needed, this machine's limit is {most}",
            needs.files
        );
        return Err(UsageError::new(flag, problem));
    }
    if files.current.is_some_and(|current| current < needs.files) {
        let raised = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: files.maximum,
                ..files
            },
        );
        raised.map_err(|error| {
            UsageError::new(
                "--partitions",
                format!("{} open files are needed: {error}", needs.files),
            )
        })?;
    }
    let kernel = fs::read_to_string("/proc/sys/kernel/threads-max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let threads = [getrlimit(Resource::Nproc).current, kernel];
    if let Some(most) = threads
        .into_iter()
        .flatten()
        .min()
        .filter(|most| *most < needs.threads)
    {
        let problem = format!(
            "{} threads are needed, this machine's limit is {most}",
            needs.threads
        );
        return Err(UsageError::new("--partitions", problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_clusters_fit_and_huge_ones_are_refused_by_the_right_flag() {
        let topology = |partitions, replicas| Topology::new(partitions, replicas).unwrap();
        assert!(carries(&topology(2, 3), 16).is_ok());
        let needs = Needs::of(&topology(255, 255), 1);
        assert!(
            needs.files > 30_000_000 && needs.threads > 65_000,
            "{needs:?}"
        );
    }

    #[test]
    fn lines_of_proc_are_found() {
        let text = "processor : 0\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(line_of(text, "model name"), Some("Some CPU @ 2 GHz".into()));
        assert_eq!(line_of(text, "nothing"), None);
    }
}
