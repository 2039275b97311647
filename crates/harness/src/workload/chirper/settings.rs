//! What workload `chirper` is a function of.

use crate::workload::graph::network::{Graph, GraphFacts};
use crate::workload::popularity::Popularity;
use crate::workload::run_number::RunNumber;
use crate::workload::value_size::ValueSize;
use serde::Serialize;
use ssmr_core::limits::MAX_OBJECTS;
use std::sync::Arc;

/// The size of a post: 140 characters.
pub(super) const POST: ValueSize = ValueSize::Constant(140);

/// The most followers that a user may have: a post names all of them.
pub(super) const MAX_FOLLOWERS: usize = MAX_OBJECTS;

/// What the users do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Behaviour {
    /// Timelines only
    Timeline,
    /// Posts only
    Post,
    /// As many follows as unfollows
    Follow,
    /// Follows by those who follow already: they touch two users and change nothing
    FollowNoop,
    /// DS-SMR's: 85 % timeline, 7.5 % post, 3.75 % follow, 3.75 % unfollow
    Mix,
    /// The mix, with 5 % of signups
    Growing,
    /// DynaStar's: 85 % timeline, 15 % post, users by zipf:0.95
    Dynastar,
    /// The same, and other users are the popular ones from --shift-at on
    Celebrity,
}

/// How often users are chosen where all are alike.
const ALIKE: Popularity = Popularity::Uniform;

/// How often users are chosen in DynaStar's experiments.
const DYNASTAR: Popularity = Popularity::zipf(0.95);

impl Behaviour {
    /// Weights in the order of the workload's kinds.
    pub(super) fn weights(self) -> [u32; 6] {
        match self {
            Self::Timeline => [1, 0, 0, 0, 0, 0],
            Self::Post => [0, 1, 0, 0, 0, 0],
            Self::Follow => [0, 0, 1, 1, 0, 0],
            Self::FollowNoop => [0, 0, 0, 0, 0, 1],
            Self::Mix => [3400, 300, 150, 150, 0, 0],
            Self::Growing => [6460, 570, 285, 285, 400, 0],
            Self::Dynastar | Self::Celebrity => [85, 15, 0, 0, 0, 0],
        }
    }

    /// Whether follows come or go.
    pub(super) fn changes_follows(self) -> bool {
        matches!(self, Self::Follow | Self::Mix | Self::Growing)
    }

    /// How often each user is chosen, unless somebody has another wish.
    pub(super) fn popularity(self) -> Popularity {
        match self {
            Self::Dynastar | Self::Celebrity => DYNASTAR,
            _ => ALIKE,
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
    /// Which run of its cluster it is.
    #[serde(skip)]
    pub(crate) run: RunNumber,
    /// What the users do.
    pub(crate) mix: Behaviour,
    /// How often each user is chosen.
    pub(crate) popularity: Popularity,
    /// From which command of each client on other users are the popular ones, if they change.
    pub(crate) shift_at: Option<u64>,
    /// The size of a post.
    pub(crate) post_size: ValueSize,
    /// What is to be known of the graph.
    #[serde(rename = "graph")]
    pub(crate) facts: GraphFacts,
    /// Who follows whom at the start.
    #[serde(skip)]
    pub(crate) graph: Arc<Graph>,
}
