//! The flags of workload `kv`.

use super::settings::Kv;
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use crate::workload::knobs::{Knob, Knobs};
use crate::workload::popularity::Popularity;
use crate::workload::value_size::ValueSize;
use clap::Args;
use clap::builder::RangedI64ValueParser;
use serde::Serialize;
use ssmr_core::PartitionId;
use ssmr_core::limits::{MAX_OBJECTS, MAX_REQUEST};

/// The size of a value.
const VALUE: ValueSize = ValueSize::Constant(100);

/// Percentage of creates, of deletes, and of moves.
const CHURN: u32 = 5;

/// How many bytes an encoded value takes besides its own.
const OVERHEAD: u64 = 8;

/// Flags of workload kv. The percentages must add up to 100, with those of creates, deletes and
/// moves.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct KvFlags {
    /// Percentage of reads
    #[arg(long, default_value_t = 45, value_name = "%", value_parser = percentage())]
    read: u32,

    /// Percentage of updates
    #[arg(long, default_value_t = 35, value_name = "%", value_parser = percentage())]
    update: u32,

    /// Percentage of accesses that read and write several objects
    #[arg(long, default_value_t = 5, value_name = "%", value_parser = percentage())]
    multi: u32,

    /// Objects of such an access; else two, or one for each of --multi-partitions
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=MAX_OBJECTS as u64)
    )]
    multi_objects: Option<u64>,

    /// Objects loaded before measuring
    #[arg(
        long,
        default_value_t = 1000,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=100_000_000)
    )]
    keys: u64,
}

impl KvFlags {
    /// In the order of the workload's kinds.
    ///
    /// # Errors
    /// If they are not all there is.
    fn percentages(&self, knobs: &Knobs) -> Result<[u32; 6], UsageError> {
        let [create, delete, relocate] = [knobs.create, knobs.delete, knobs.relocate];
        let all = [
            create.unwrap_or(CHURN),
            self.read,
            self.update,
            delete.unwrap_or(CHURN),
            relocate.unwrap_or(CHURN),
            self.multi,
        ];
        let sum: u32 = all.iter().sum();
        if sum == 100 {
            return Ok(all);
        }
        let flags = "--create, --read, --update, --delete, --move, --multi";
        let problem = format!("the percentages add up to {sum}, not 100");
        Err(UsageError::new(flags, problem))
    }

    /// Checks that accesses to several objects can be as they are wished.
    fn check_multi(&self, kv: &Kv) -> Result<(), UsageError> {
        let (objects, keys) = (kv.multi_objects, self.keys);
        if objects > keys {
            let problem = format!("{objects} different objects of {keys} keys");
            return Err(UsageError::new("--multi-objects", problem));
        }
        let largest = kv.value_size.largest() as u64;
        if self.multi > 0 && (largest + OVERHEAD) * objects > MAX_REQUEST as u64 {
            let problem = format!(
                "{objects} values of {largest} bytes are more than {MAX_REQUEST} bytes (see \
                 --value-size)"
            );
            return Err(UsageError::new("--multi-objects", problem));
        }
        kv.multi_partitions
            .map_or(Ok(()), |wanted| self.check_partitions(kv, wanted))
    }

    /// Checks that they can be at so many partitions.
    fn check_partitions(&self, kv: &Kv, wanted: u8) -> Result<(), UsageError> {
        let problem = if wanted > kv.partitions {
            format!(
                "{wanted} of {} partitions (see --partitions)",
                kv.partitions
            )
        } else if u64::from(wanted) > kv.multi_objects {
            format!(
                "{} objects cannot be at {wanted} partitions (see --multi-objects)",
                kv.multi_objects
            )
        } else if self.multi == 0 {
            "no command touches several objects (see --multi)".into()
        } else if kv.percentages[4] > 0 {
            "objects that move are anywhere (see --move, which is to be 0)".into()
        } else if let Some(home) = kv.poorest_home() {
            format!(
                "partition {home} is the home of fewer than {} of {} keys (see --keys)",
                kv.multi_objects, kv.keys
            )
        } else {
            return Ok(());
        };
        Err(UsageError::new("--multi-partitions", problem))
    }
}

impl Kv {
    /// A partition with fewer keys than an access may name, if there is one.
    fn poorest_home(&self) -> Option<PartitionId> {
        let mut missing = vec![self.multi_objects; self.partitions.into()];
        for key in 0..self.keys {
            let left = &mut missing[usize::from(self.home(key).0)];
            *left = left.saturating_sub(1);
            if *left == 0 && missing.iter().all(|left| *left == 0) {
                return None;
            }
        }
        let poor = missing.iter().position(|left| *left > 0);
        poor.map(|place| PartitionId(place as u8))
    }
}

impl WorkloadFlags for KvFlags {
    type Workload = Kv;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "kv",
        about: "A key-value service",
    }];

    fn knobs(_: &str) -> &'static [Knob] {
        &Knob::ALL
    }

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Kv, UsageError> {
        let knobs = &shape.knobs;
        let multi_objects = knobs
            .multi_partitions
            .map_or(2, |count| u64::from(count).max(2));
        let kv = Kv {
            seed: shape.seed,
            clients: shape.clients,
            run: shape.run,
            partitions: shape.partitions,
            keys: self.keys,
            popularity: knobs.popularity.unwrap_or(Popularity::Uniform),
            value_size: knobs.value_size.unwrap_or(VALUE),
            multi_objects: self.multi_objects.unwrap_or(multi_objects),
            multi_partitions: knobs.multi_partitions,
            percentages: self.percentages(knobs)?,
        };
        self.check_multi(&kv)?;
        Ok(kv)
    }
}

fn percentage() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=100)
}
