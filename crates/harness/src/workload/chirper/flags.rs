//! The flags of workload `chirper`.

use super::service::TIMELINE;
use super::settings::{Behaviour, Chirper, MAX_FOLLOWERS, POST};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use crate::workload::graph::edge_list::{EdgeList, GraphError};
use crate::workload::graph::network::{Graph, Hubs};
use crate::workload::knobs::Knob;
use crate::workload::popularity::Popularity;
use crate::workload::random::{OF_NO_CLIENT, stream};
use clap::Args;
use serde::Serialize;
use ssmr_core::limits::MAX_VALUE;
use std::path::PathBuf;
use std::sync::Arc;

/// The size of the made-up graph: that of SNAP's ego-Facebook.
const USERS: u64 = 4_039;

/// How many pairs of them follow each other.
const FRIENDSHIPS: u64 = 88_234;

/// After how many commands of a client celebrities change.
const SHIFT: u64 = 2_000;

/// How many bytes a post takes besides its text, and a timeline besides its posts.
const OVERHEAD: usize = 32;

/// Flags of workload chirper.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct ChirperFlags {
    /// What the users do
    #[arg(long, default_value = "mix", value_name = "NAME")]
    mix: Behaviour,

    /// With --mix celebrity: after so many commands of a client other users are the popular ones;
    /// else after 2000
    #[arg(long, value_name = "N")]
    shift_at: Option<u64>,

    /// Who follows whom: an edge list, two integers a line, as of SNAP, KONECT or networkx; else a
    /// made-up graph of 4,039 users
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,

    /// An edge `a b` means that a follows b; else the two follow each other
    #[arg(long)]
    directed: bool,

    /// Leave a user with more followers so many of them, drawn at random
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=MAX_FOLLOWERS as u64)
    )]
    max_degree: Option<u64>,
}

impl ChirperFlags {
    /// The graph, whose users have no more followers than a post may name.
    fn graph(&self, seed: u64) -> Result<Graph, UsageError> {
        let mut rng = stream(seed, OF_NO_CLIENT);
        let Some(file) = &self.graph else {
            let mut graph = Graph::made_up(USERS, FRIENDSHIPS, self.directed, &mut rng);
            graph.sample_followers(self.most_followers(), &mut rng);
            return Ok(graph);
        };
        let problem = |problem: &dyn std::fmt::Display| {
            UsageError::new("--graph", format!("{}: {problem}", file.display()))
        };
        let read = |file| -> Result<Graph, GraphError> {
            Graph::of_file(EdgeList::read(file)?, self.directed)
        };
        let mut graph = read(file).map_err(|error| problem(&error))?;
        if let (None, Some(hubs)) = (self.max_degree, graph.hubs(MAX_FOLLOWERS)) {
            let Hubs {
                count,
                greatest,
                degree,
            } = hubs;
            let others = match count {
                1 => String::new(),
                _ => format!(" ({} more have too many)", count - 1),
            };
            let told = format!(
                "vertex {greatest} has {degree} followers{others}, a post can name \
                 {MAX_FOLLOWERS}; --max-degree {MAX_FOLLOWERS} would draw so many of them"
            );
            return Err(problem(&told));
        }
        graph.sample_followers(self.most_followers(), &mut rng);
        Ok(graph)
    }

    /// After which command popularity shifts, if it does.
    fn shift(&self, popularity: Popularity) -> Result<Option<u64>, UsageError> {
        let bad = |flag, problem| Err(UsageError::new(flag, problem));
        if self.mix != Behaviour::Celebrity {
            return match self.shift_at {
                Some(_) => bad("--shift-at", "only --mix celebrity shifts"),
                None => Ok(None),
            };
        }
        match popularity {
            Popularity::Uniform => bad("--popularity", "where all are alike nobody is a celebrity"),
            _ => Ok(Some(self.shift_at.unwrap_or(SHIFT))),
        }
    }

    fn most_followers(&self) -> usize {
        self.max_degree.map_or(MAX_FOLLOWERS, |most| most as usize)
    }
}

impl WorkloadFlags for ChirperFlags {
    type Workload = Chirper;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "chirper",
        about: "A social network",
    }];

    fn knobs(_: &str) -> &'static [Knob] {
        &[Knob::Popularity, Knob::ValueSize]
    }

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Chirper, UsageError> {
        let graph = self.graph(shape.seed)?;
        if shape.clients > graph.vertex_count() {
            let problem = format!(
                "{} clients for {} users: each needs one to post for",
                shape.clients,
                graph.vertex_count()
            );
            return Err(UsageError::new("--clients", problem));
        }
        let popularity = shape.knobs.popularity.unwrap_or(self.mix.popularity());
        let post_size = shape.knobs.value_size.unwrap_or(POST);
        let timeline = (post_size.largest() + OVERHEAD) * TIMELINE;
        if timeline > MAX_VALUE {
            let problem = format!("a timeline of {timeline} bytes is larger than {MAX_VALUE}");
            return Err(UsageError::new("--value-size", problem));
        }
        Ok(Chirper {
            seed: shape.seed,
            clients: shape.clients,
            run: shape.run,
            mix: self.mix,
            popularity,
            shift_at: self.shift(popularity)?,
            post_size,
            facts: graph.facts().clone(),
            graph: Arc::new(graph),
        })
    }
}
