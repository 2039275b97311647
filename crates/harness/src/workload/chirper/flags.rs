//! The flags of workload `chirper`.

use super::settings::{Behaviour, Chirper, MAX_FOLLOWERS};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use crate::workload::graph::Graph;
use crate::workload::random::{OF_NO_CLIENT, stream};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The size of the made-up graph: that of SNAP's ego-Facebook.
const USERS: u64 = 4_039;
/// How many pairs of them follow each other.
const FRIENDSHIPS: u64 = 88_234;

/// Flags of workload chirper.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct ChirperFlags {
    /// What the users do: growing is mix with 5 % of signups
    #[arg(long, default_value = "mix", value_name = "NAME")]
    mix: Behaviour,

    /// Who follows whom: an edge list, two integers a line; else a made-up graph of 4,039 users
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
}

impl WorkloadFlags for ChirperFlags {
    type Workload = Chirper;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "chirper",
        about: "A social network",
    }];

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Chirper, UsageError> {
        let graph = match &self.graph {
            None => Graph::scale_free(USERS, FRIENDSHIPS, &mut stream(shape.seed, OF_NO_CLIENT)),
            Some(file) => read(file)?,
        };
        if shape.clients > graph.vertex_count() {
            let problem = format!(
                "{} clients for {} users: each needs one to post for",
                shape.clients,
                graph.vertex_count()
            );
            return Err(UsageError::new("--clients", problem));
        }
        Ok(Chirper {
            seed: shape.seed,
            clients: shape.clients,
            mix: self.mix,
            graph: Arc::new(graph),
        })
    }

    fn check_unused(&self) -> Result<(), UsageError> {
        let problem = "only workload chirper has a graph";
        match self.graph {
            Some(_) => Err(UsageError::new("--graph", problem)),
            None => Ok(()),
        }
    }
}

/// Reads a graph whose users have no more followers than a post may name.
fn read(file: &Path) -> Result<Graph, UsageError> {
    let problem = |problem: &dyn std::fmt::Display| {
        UsageError::new("--graph", format!("{}: {problem}", file.display()))
    };
    let graph = Graph::read(file).map_err(|error| problem(&error))?;
    let most = graph.greatest_degree();
    if most > MAX_FOLLOWERS {
        let told = format!("a vertex has {most} neighbours, the limit is {MAX_FOLLOWERS}");
        return Err(problem(&told));
    }
    Ok(graph)
}
