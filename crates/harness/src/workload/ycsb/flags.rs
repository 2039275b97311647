//! The flags of the workloads `ycsb-a` to `ycsb-f`.

use super::settings::{MIXES, Ycsb};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use clap::Args;
use serde::Serialize;
use ssmr_core::limits::{MAX_OPERANDS, MAX_REQUEST, MAX_VALUE};

/// How many bytes a field takes besides its own.
const OVERHEAD: u64 = 8;

/// Flags of the workloads ycsb-a to ycsb-f.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct YcsbFlags {
    /// Records loaded before measuring
    #[arg(
        long,
        default_value_t = 1000,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=100_000_000)
    )]
    records: u64,

    /// Fields of a record
    #[arg(
        long,
        default_value_t = 10,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    fields: u16,

    /// Size of a field in bytes
    #[arg(
        long,
        default_value_t = 100,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u64).range(0..=MAX_VALUE as u64)
    )]
    field_size: u64,

    /// The most records that a scan reads
    #[arg(
        long,
        default_value_t = 100,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=1000)
    )]
    scan_length: u64,
}

impl YcsbFlags {
    /// Checks what no flag shows by itself.
    fn check(&self, scans: bool) -> Result<(), UsageError> {
        let record = (self.field_size + OVERHEAD) * u64::from(self.fields);
        if record > MAX_VALUE as u64 {
            let problem = format!("a record of {record} bytes is larger than {MAX_VALUE}");
            return Err(UsageError::new("--fields, --field-size", problem));
        }
        let (longest, most) = (self.scan_length, MAX_OPERANDS.min(MAX_REQUEST as u64));
        if scans && longest > self.records {
            let problem = format!("{longest} of {} records (see --records)", self.records);
            return Err(UsageError::new("--scan-length", problem));
        }
        if scans && record * longest > most {
            let problem = format!("{longest} records of {record} bytes are more than {most} bytes");
            return Err(UsageError::new("--scan-length", problem));
        }
        Ok(())
    }
}

const fn info(name: &'static str, about: &'static str) -> WorkloadInfo {
    WorkloadInfo { name, about }
}

impl WorkloadFlags for YcsbFlags {
    type Workload = Ycsb;
    const WORKLOADS: &'static [WorkloadInfo] = &[
        info("ycsb-a", "YCSB A: half reads, half updates"),
        info("ycsb-b", "YCSB B: 95 % reads, 5 % updates"),
        info("ycsb-c", "YCSB C: reads alone"),
        info("ycsb-d", "YCSB D: 95 % reads of the latest, 5 % creates"),
        info("ycsb-e", "YCSB E: 95 % scans, 5 % creates"),
        info("ycsb-f", "YCSB F: half reads, half read-modify-writes"),
    ];

    fn build(&self, name: &str, shape: &LoadShape) -> Result<Ycsb, UsageError> {
        let known = MIXES.iter().find(|mix| mix.name == name);
        let unknown = || UsageError::new("--workload", format!("there is no {name}"));
        let mix = known.ok_or_else(unknown)?;
        self.check(mix.percentages[3] > 0)?;
        Ok(Ycsb {
            mix,
            seed: shape.seed,
            clients: shape.clients,
            records: self.records,
            fields: self.fields,
            field_size: self.field_size as usize,
            scan_length: self.scan_length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_of_the_list_is_built() {
        let flags = YcsbFlags {
            records: 50,
            fields: 10,
            field_size: 100,
            scan_length: 50,
        };
        let shape = LoadShape {
            seed: 1,
            clients: 2,
            partitions: 2,
            quiet: true,
        };
        for info in YcsbFlags::WORKLOADS {
            assert_eq!(flags.build(info.name, &shape).unwrap().mix.name, info.name);
        }
        let problem = |flags: YcsbFlags, name| flags.build(name, &shape).unwrap_err().to_string();
        let long = || YcsbFlags {
            scan_length: 51,
            ..flags.clone()
        };
        assert!(long().build("ycsb-a", &shape).is_ok(), "it does not scan");
        assert!(problem(long(), "ycsb-e").contains("51 of 50 records"));
        let large = YcsbFlags {
            field_size: 200_000,
            ..flags.clone()
        };
        assert!(problem(large, "ycsb-c").contains("larger than"));
    }
}
