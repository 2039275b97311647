//! The flags of the workloads `ycsb-a` to `ycsb-f`.

use super::settings::{FIELD, MIXES, Ycsb};
use crate::error::UsageError;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use crate::workload::knobs::Knob;
use crate::workload::value_size::ValueSize;
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
    fn check(&self, field: ValueSize, scans: bool) -> Result<(), UsageError> {
        let record = (field.largest() as u64 + OVERHEAD) * u64::from(self.fields);
        if record > MAX_VALUE as u64 {
            let problem = format!("a record of {record} bytes is larger than {MAX_VALUE}");
            return Err(UsageError::new("--fields, --value-size", problem));
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

    fn knobs(_: &str) -> &'static [Knob] {
        &[Knob::Popularity, Knob::ValueSize]
    }

    fn build(&self, name: &str, shape: &LoadShape) -> Result<Ycsb, UsageError> {
        let known = MIXES.iter().find(|mix| mix.name == name);
        let unknown = || UsageError::new("--workload", format!("there is no {name}"));
        let mix = known.ok_or_else(unknown)?;
        let field_size = shape.knobs.value_size.unwrap_or(FIELD);
        self.check(field_size, mix.percentages[3] > 0)?;
        Ok(Ycsb {
            mix,
            seed: shape.seed,
            clients: shape.clients,
            run: shape.run,
            records: self.records,
            fields: self.fields,
            field_size,
            popularity: shape.knobs.popularity.unwrap_or(mix.popularity),
            scan_length: self.scan_length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::knobs::Knobs;
    use crate::workload::run_number::RunNumber;

    #[test]
    fn each_workload_of_the_list_is_built() {
        let flags = YcsbFlags {
            records: 50,
            fields: 10,
            scan_length: 50,
        };
        let shape = LoadShape {
            seed: 1,
            clients: 2,
            run: RunNumber::ZERO,
            partitions: 2,
            quiet: true,
            knobs: Knobs::default(),
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
        let large = Knobs {
            value_size: Some(ValueSize::Constant(200_000)),
            ..Knobs::default()
        };
        let large = LoadShape {
            knobs: large,
            ..shape
        };
        let error = flags.build("ycsb-c", &large).unwrap_err().to_string();
        assert!(error.contains("larger than"), "{error}");
    }
}
