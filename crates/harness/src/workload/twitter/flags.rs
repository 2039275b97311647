//! The flags of the workloads `twitter-...`.

use super::settings::{CLUSTERS, Twitter};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use crate::workload::knobs::Knob;
use crate::workload::popularity::Popularity;
use crate::workload::value_size::ValueSize;
use clap::Args;
use serde::Serialize;
use ssmr_core::limits::MAX_VALUE;

/// How many bytes an encoded value takes besides its own.
const OVERHEAD: usize = 8;

/// Flags of the workloads twitter-12 to twitter-52.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct TwitterFlags {
    /// Items loaded before measuring: the working set
    #[arg(
        long,
        default_value_t = 1000,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=100_000_000)
    )]
    items: u64,
}

const fn info(name: &'static str, about: &'static str) -> WorkloadInfo {
    WorkloadInfo { name, about }
}

impl WorkloadFlags for TwitterFlags {
    type Workload = Twitter;
    const WORKLOADS: &'static [WorkloadInfo] = &[
        info(
            "twitter-12",
            "Twitter's cache 12: 80 % sets, nearly all of new keys",
        ),
        info(
            "twitter-14",
            "Twitter's cache 14: 65 % gets, 13 % sets, 22 % deletes",
        ),
        info(
            "twitter-15",
            "Twitter's cache 15: sets of keys that never come back",
        ),
        info(
            "twitter-23",
            "Twitter's cache 23: gets, sets and increments, a third each",
        ),
        info("twitter-45", "Twitter's cache 45: 85 % gets, 15 % adds"),
        info(
            "twitter-52",
            "Twitter's cache 52: 91 % gets, few adds, gets and cas",
        ),
    ];

    fn knobs(_: &str) -> &'static [Knob] {
        &[Knob::Popularity, Knob::ValueSize]
    }

    fn build(&self, name: &str, shape: &LoadShape) -> Result<Twitter, UsageError> {
        let known = CLUSTERS.iter().find(|cluster| cluster.name == name);
        let unknown = || UsageError::new("--workload", format!("there is no {name}"));
        let cluster = known.ok_or_else(unknown)?;
        let value_size = ValueSize::Constant(cluster.value_size);
        let value_size = shape.knobs.value_size.unwrap_or(value_size);
        let (value, key) = (value_size.largest(), cluster.key_size);
        if value + key + OVERHEAD > MAX_VALUE {
            let problem = format!("with its key of {key} bytes it is larger than {MAX_VALUE}");
            return Err(UsageError::new("--value-size", problem));
        }
        let popularity = Popularity::zipf(cluster.zipf);
        Ok(Twitter {
            cluster,
            seed: shape.seed,
            clients: shape.clients,
            run: shape.run,
            items: self.items,
            popularity: shape.knobs.popularity.unwrap_or(popularity),
            value_size,
        })
    }
}
