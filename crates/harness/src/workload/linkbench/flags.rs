//! The flags of workload `linkbench`.

use super::settings::{Choice, LinkBench, NODE};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use crate::workload::knobs::Knob;
use clap::Args;
use serde::Serialize;

/// Flags of workload linkbench.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct LinkBenchFlags {
    /// Nodes loaded before measuring
    #[arg(
        long,
        default_value_t = 1000,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(2..=10_000_000)
    )]
    nodes: u64,

    /// Links loaded with each node
    #[arg(
        long,
        default_value_t = 5,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=1000)
    )]
    links: u64,
}

impl WorkloadFlags for LinkBenchFlags {
    type Workload = LinkBench;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "linkbench",
        about: "LinkBench: Facebook's mix on nodes and links",
    }];

    fn knobs(_: &str) -> &'static [Knob] {
        &[Knob::Popularity, Knob::ValueSize]
    }

    fn build(&self, _: &str, shape: &LoadShape) -> Result<LinkBench, UsageError> {
        if self.links >= self.nodes {
            let problem = format!("to different ones of {} nodes (see --nodes)", self.nodes);
            return Err(UsageError::new("--links", problem));
        }
        let knobs = &shape.knobs;
        Ok(LinkBench {
            seed: shape.seed,
            clients: shape.clients,
            run: shape.run,
            partitions: shape.partitions,
            nodes: self.nodes,
            links: self.links,
            popularity: knobs.popularity.map_or(Choice::PUBLISHED, Choice::all),
            node_size: knobs.value_size.unwrap_or(NODE),
        })
    }
}
