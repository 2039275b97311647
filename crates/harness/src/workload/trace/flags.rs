//! The flags of workload `trace`.

use super::reading::{Reading, Shape};
use super::source::TraceSource;
use super::workload::Trace;
use crate::error::UsageError;
use crate::progress::Progress;
use crate::trace::command::LARGEST;
use crate::workload::contract::{LoadShape, WorkloadFlags, WorkloadInfo};
use clap::Args;
use serde::Serialize;
use ssmr_core::Topology;

/// Flags of workload trace.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct TraceFlags {
    /// The commands to replay: lines of JSON if it ends in .jsonl, rows if in .csv
    /// (docs/traces.md); or git:REPO@COMMIT, what `trace from-git` makes of that history. Without
    /// --duration it is replayed to its end, without --warmup it is measured from its beginning
    #[arg(long, value_name = "FILE", value_parser = TraceSource::parse)]
    trace: Option<TraceSource>,

    /// Issue each command at its time in the trace, so many times as fast (open loop), e.g. 1,
    /// 0.5, 100; else as soon as the commands before it allow
    #[arg(
        long,
        value_name = "X",
        conflicts_with_all = ["rate", "window"],
        allow_hyphen_values = true,
        value_parser = speed
    )]
    trace_speed: Option<f64>,

    /// Size of values of which the trace says none
    #[arg(
        long,
        default_value_t = 100,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u32).range(0..=LARGEST as i64)
    )]
    trace_value_size: u32,
}

impl WorkloadFlags for TraceFlags {
    type Workload = Trace;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "trace",
        about: "The commands of a file (--trace), in its order",
    }];

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Trace, UsageError> {
        let Some(source) = &self.trace else {
            let problem = "workload trace needs the file to replay (docs/traces.md)";
            return Err(UsageError::new("--trace", problem));
        };
        let wrong = |problem: String| UsageError::new("--trace", format!("{source}: {problem}"));
        let topology = Topology::new(shape.partitions, 1);
        let topology =
            topology.map_err(|error| UsageError::new("--partitions", error.to_string()))?;
        let mut reading = Reading::new(Shape {
            clients: shape.clients,
            partitions: shape.partitions,
            value_size: self.trace_value_size,
        });
        let progress = Progress::new(shape.quiet);
        let read = source.read(&mut reading, &progress);
        progress.finish();
        read.map_err(|error| wrong(format!("{error:#}")))?;
        let whole = reading.end();
        if whole.content.len() == 0 {
            return Err(wrong("there is no command in it".into()));
        }
        if self.trace_speed.is_some() && !whole.timed {
            let problem = format!("{source} does not say when anything happened (`time_us`)");
            return Err(UsageError::new("--trace-speed", problem));
        }
        Ok(Trace::new(whole, shape.run, topology, self.trace_speed))
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed| (1e-6..=1e9).contains(speed));
    speed.ok_or_else(|| "expected a number from 0.000001 to 1000000000".into())
}
