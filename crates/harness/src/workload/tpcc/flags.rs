//! The flags of workload `tpcc`.

use super::settings::{Scale, Tpcc, warehouses};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use clap::Args;
use serde::Serialize;

/// Flags of workload tpcc.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct TpccFlags {
    /// How many rows there are
    #[arg(long, value_enum, default_value_t = Scale::Mini)]
    scale: Scale,

    /// Warehouses, of each partition in turn; one for each partition if it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    warehouses: Option<u16>,

    /// Percentage of order lines that another warehouse supplies
    #[arg(
        long,
        default_value_t = 1,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u32).range(0..=100)
    )]
    remote_lines: u32,

    /// Percentage of payments by customers of another warehouse
    #[arg(
        long,
        default_value_t = 15,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u32).range(0..=100)
    )]
    remote_payments: u32,
}

impl WorkloadFlags for TpccFlags {
    type Workload = Tpcc;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "tpcc",
        about: "TPC-C's five transactions, one warehouse a partition",
    }];

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Tpcc, UsageError> {
        let count = self.warehouses.unwrap_or(shape.partitions.into());
        Ok(Tpcc {
            seed: shape.seed,
            clients: shape.clients,
            run: shape.run,
            partitions: shape.partitions,
            scale: self.scale,
            warehouses: warehouses(count, shape.partitions),
            remote_lines: self.remote_lines,
            remote_payments: self.remote_payments,
        })
    }
}
