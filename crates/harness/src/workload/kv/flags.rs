//! The flags of workload `kv`.

use super::settings::{Distribution, Kv};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use clap::Args;
use clap::builder::RangedI64ValueParser;
use serde::Serialize;
use ssmr_core::limits::{MAX_OBJECTS, MAX_REQUEST, MAX_VALUE};

/// Flags of workload kv. The percentages must add up to 100.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct KvFlags {
    /// Percentage of creates
    #[arg(long, default_value_t = 5, value_name = "%", value_parser = percentage())]
    create: u32,

    /// Percentage of reads
    #[arg(long, default_value_t = 45, value_name = "%", value_parser = percentage())]
    read: u32,

    /// Percentage of updates
    #[arg(long, default_value_t = 35, value_name = "%", value_parser = percentage())]
    update: u32,

    /// Percentage of deletes
    #[arg(long, default_value_t = 5, value_name = "%", value_parser = percentage())]
    delete: u32,

    /// Percentage of moves to another partition
    #[arg(long = "move", default_value_t = 5, value_name = "%", value_parser = percentage())]
    relocate: u32,

    /// Percentage of accesses that read and write several objects
    #[arg(long, default_value_t = 5, value_name = "%", value_parser = percentage())]
    multi: u32,

    /// Objects of such an access
    #[arg(
        long,
        default_value_t = 2,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=MAX_OBJECTS as u64)
    )]
    multi_objects: u64,

    /// Objects loaded before measuring
    #[arg(
        long,
        default_value_t = 1000,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=100_000_000)
    )]
    keys: u64,

    /// How often each of them is chosen
    #[arg(long, default_value = "uniform", value_name = "HOW")]
    distribution: Distribution,

    /// Size of a value in bytes
    #[arg(
        long,
        default_value_t = 100,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u64).range(0..=MAX_VALUE as u64 - 8)
    )]
    object_size: u64,
}

impl KvFlags {
    /// In the order of the workload's kinds.
    fn percentages(&self) -> [u32; 6] {
        [
            self.create,
            self.read,
            self.update,
            self.delete,
            self.relocate,
            self.multi,
        ]
    }

    /// Checks what no flag shows by itself.
    fn check(&self) -> Result<(), UsageError> {
        let sum: u32 = self.percentages().iter().sum();
        if sum != 100 {
            let flags = "--create, --read, --update, --delete, --move, --multi";
            return Err(UsageError::new(
                flags,
                format!("the percentages add up to {sum}, not 100"),
            ));
        }
        if self.multi_objects > self.keys {
            let problem = format!(
                "{} different objects of {} keys",
                self.multi_objects, self.keys
            );
            return Err(UsageError::new("--multi-objects", problem));
        }
        let reply = (self.object_size + 8) * self.multi_objects;
        if self.multi > 0 && reply > MAX_REQUEST as u64 {
            let problem = format!(
                "{} values of {} bytes are more than {MAX_REQUEST} bytes (see --object-size)",
                self.multi_objects, self.object_size
            );
            return Err(UsageError::new("--multi-objects", problem));
        }
        Ok(())
    }
}

impl WorkloadFlags for KvFlags {
    type Workload = Kv;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "kv",
        about: "A key-value service",
    }];

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Kv, UsageError> {
        self.check()?;
        Ok(Kv {
            seed: shape.seed,
            clients: shape.clients,
            partitions: shape.partitions,
            keys: self.keys,
            distribution: self.distribution,
            object_size: self.object_size as usize,
            multi_objects: self.multi_objects,
            percentages: self.percentages(),
        })
    }
}

fn percentage() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=100)
}
