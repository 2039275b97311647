//! The flags of workload `append`.

use super::settings::Append;
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use clap::Args;
use serde::Serialize;

/// Flags of workload append.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct AppendFlags {
    /// Lists in use at once
    #[arg(
        long,
        default_value_t = 100,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    lists: u64,

    /// How long a list becomes at most, with at least one element of each client; fresh ones take
    /// the place of full ones
    #[arg(
        long,
        default_value_t = 128,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=10_000)
    )]
    list_length: u64,

    /// Lists that a transaction names at most
    #[arg(
        long,
        default_value_t = 3,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=8)
    )]
    lists_each: u64,
}

impl WorkloadFlags for AppendFlags {
    type Workload = Append;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "append",
        about: "Transactions that read lists and append to them, for Elle",
    }];

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Append, UsageError> {
        if self.lists_each > self.lists {
            let problem = format!("{} different lists of {}", self.lists_each, self.lists);
            return Err(UsageError::new("--lists-each", problem));
        }
        Ok(Append {
            seed: shape.seed,
            clients: shape.clients,
            run: shape.run,
            lists: self.lists,
            share: (self.list_length / shape.clients).max(1),
            most_lists: self.lists_each,
        })
    }
}
