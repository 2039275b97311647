//! `cluster job`: one command line for all processes of a job that is a cluster and its load.
//!
//! Engines that start many processes alike tell each its number. Number 0 makes the load, number 1
//! is the first replica, and so on. Invariant: what is wrong with the flags is told by each of
//! them, before anything is started.

use super::values::positive_time;
use super::{Request, parse};
use crate::described;
use crate::error::UsageError;
use crate::program;
use crate::registry::info::StrategyInfo;
use crate::registry::workloads::Workloads;
use crate::settings::cluster::StartSettings;
use crate::settings::node::NodeSettings;
use clap::{Args, Command};
use ssmr_net::{Ordinal, WhichReplica};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What each process does, and what comes of it.
pub(super) const EXAMPLES: &str = "\
All processes of the job have this command line, and one is needed more than there are replicas. The
number of each is the value of JOB_COMPLETION_INDEX (Kubernetes, an Indexed Job) or SLURM_PROCID
(Slurm), or else the number at the end of the host's name. Number 0 waits for the replicas, founds
the cluster if it is new, waits until each replica takes part, and does `run --deploy FILE` with the
flags behind `--`. Its exit status is that of `run`. Number 1 is the first replica (those of p0 come
first, those of the oracle last), and so on: they run until they are ended, which is no success, for
only number 0 knows when the job is done.

Example:
  PROGRAM cluster job /etc/things/cluster.toml -- --duration 60s --out /results";

/// Which cluster, and what to do with it.
#[derive(Clone, Debug, Args)]
pub(super) struct JobArgs {
    /// The cluster's file, FILE.toml
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// How long number 0 waits for the replicas, e.g. 5m
    #[arg(
        long,
        default_value = "5m",
        value_name = "TIME",
        allow_hyphen_values = true,
        value_parser = positive_time
    )]
    timeout: Duration,

    /// Flags of `run`
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<OsString>,
}

impl JobArgs {
    /// What this process is to do.
    ///
    /// # Errors
    /// What is wrong with the form of the flags of `run`; within, if they or the file are of no
    /// use, or this process has no number or too high a one.
    pub(super) fn request<W: Workloads>(
        &self,
        command: &Command,
        registered: &[StrategyInfo],
    ) -> Result<anyhow::Result<Request<W>>, clap::Error> {
        let line = [program::name().into(), "run".into(), "--deploy".into()];
        let line = line.into_iter().chain([self.file.clone().into()]);
        let run = parse::<W>(command, line.chain(self.flags.clone()), registered)?;
        Ok(run.and_then(|run| self.part(run, registered)))
    }

    fn part<W: Workloads>(
        &self,
        run: Request<W>,
        registered: &[StrategyInfo],
    ) -> anyhow::Result<Request<W>> {
        let Request::Run(settings, flags) = run else {
            unreachable!("the command is `run`")
        };
        let file = described::read::<W>("FILE", &self.file, registered)?;
        let ordinal = Ordinal::of_process();
        let ordinal = ordinal.map_err(|error| UsageError::new("cluster job", error.to_string()))?;
        let mut replicas = file.config.topology.replicas();
        let Some(place) = ordinal.number().checked_sub(1) else {
            let founding = StartSettings {
                file: self.file.clone(),
                timeout: self.timeout,
            };
            return Ok(Request::Load(founding, settings, flags));
        };
        let Some(id) = replicas.nth(place) else {
            let count = file.config.topology.replicas().count();
            let problem = format!(
                "{}: {count} replicas and number 0, which makes the load, are processes 0 to \
                 {count}; this is another one ({ordinal})",
                self.file.display()
            );
            return Err(UsageError::new("FILE", problem).into());
        };
        Ok(Request::Node(NodeSettings {
            cluster: self.file.clone(),
            replica: WhichReplica::Named(id),
            insecure: false,
            takes_orders: false,
            is_of_job: true,
            #[cfg(feature = "metrics")]
            metrics: None,
        }))
    }
}
