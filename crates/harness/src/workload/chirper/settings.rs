//! What workload `chirper` is a function of.

use crate::workload::graph::network::{Graph, GraphFacts};
use serde::Serialize;
use ssmr_core::limits::MAX_OBJECTS;
use std::sync::Arc;

/// The most followers that a user may have: a post names all of them.
pub(super) const MAX_FOLLOWERS: usize = MAX_OBJECTS;

/// What the users do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Behaviour {
    /// Timelines only.
    Timeline,
    /// Posts only.
    Post,
    /// As many follows as unfollows.
    Follow,
    /// 85 % timeline, 7.5 % post, 3.75 % follow, 3.75 % unfollow.
    Mix,
    /// The mix, with 5 % of signups.
    Growing,
}

impl Behaviour {
    /// Weights in the order of the workload's kinds.
    pub(super) fn weights(self) -> [u32; 5] {
        match self {
            Self::Timeline => [1, 0, 0, 0, 0],
            Self::Post => [0, 1, 0, 0, 0],
            Self::Follow => [0, 0, 1, 1, 0],
            Self::Mix => [3400, 300, 150, 150, 0],
            Self::Growing => [6460, 570, 285, 285, 400],
        }
    }
}

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Chirper {
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are, at most as many as users.
    pub(crate) clients: u64,
    /// What the users do.
    pub(crate) mix: Behaviour,
    /// What is to be known of the graph.
    #[serde(rename = "graph")]
    pub(crate) facts: GraphFacts,
    /// Who follows whom at the start.
    #[serde(skip)]
    pub(crate) graph: Arc<Graph>,
}
