//! The flags of `plot`.

use super::choices::{FORMATS, choices};
use crate::settings::plot::{Formats, PlotSettings};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssmr_figures::{Choice, Kind, Latency};
use std::path::PathBuf;

/// Which figures there are, and commands to begin with.
pub(super) const EXAMPLES: &str = "\
Figures, drawn as far as there is data for them:
  throughput-latency   a sweep over clients, window or rate: one curve for each strategy
  peak                 run --peak: the curve of the closed loop; the open one's peak, 50 and 75 %
  scaling              a sweep over numbers, such as partitions: throughput along them
  bars                 a run, or a sweep over names, such as reads: throughput and latency; over
                       numbers if it is named
  cdf                  a run: the share of commands that took at most so long
  timeline             a run, or a sweep over fault: throughput and latency over time, and every
                       fault
  breakdown            a run: where the time of a command goes
  consults             a run: questions to an oracle per command over time
  hits                 a sweep with strategy cache: values found in the cache against latency and
                       load, a point for each value of the first key

Each is 85 mm wide, a column of a paper. From five repeats on there are 95 % intervals; the values
of fewer are drawn as dots. What is not known to be linearizable is hollow. The same files give the
same bytes.

Examples:
  The newest run:
    PROGRAM plot results/latest
  How long creates take, by the 99th percentile:
    PROGRAM plot results/latest --figure bars,cdf --op create --latency p99
  A sweep, into the folder of a paper:
    PROGRAM plot results/sweep-partitions --out paper/figures";

/// What to draw.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlotArgs {
    /// The folder of a run, of a sweep or of `run --peak`
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Figures, separated by commas; by default all that the folder has the data for
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = figure())]
    figure: Vec<Kind>,

    /// The kind of operation, such as create; all: all together
    #[arg(long, default_value = "all", value_name = "NAME")]
    op: String,

    /// Which latency is drawn where one stands for all
    #[arg(long, default_value = "p50", value_name = "WHICH", value_parser = latency())]
    latency: Latency,

    /// In which form: png needs a program that was built with `--features png`
    #[arg(long, default_value = "svg", value_name = "FORM", value_parser = choices(FORMATS))]
    format: Formats,

    /// The folder for the files [default: DIR/figures]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl PlotArgs {
    /// The settings.
    pub(super) fn settings(self) -> PlotSettings {
        PlotSettings {
            folder: self.folder,
            choice: Choice {
                kinds: self.figure,
                op: self.op,
                latency: self.latency,
            },
            formats: self.format,
            out: self.out,
        }
    }
}

/// Reads a figure by its name.
fn figure() -> impl TypedValueParser<Value = Kind> {
    let named = |name: String| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    PossibleValuesParser::new(Kind::ALL.map(Kind::name))
        .try_map(move |name| named(name).ok_or("unknown"))
}

/// Reads a latency by its name.
fn latency() -> impl TypedValueParser<Value = Latency> {
    let named = |name: String| Latency::ALL.into_iter().find(|one| one.name() == name);
    PossibleValuesParser::new(Latency::ALL.map(Latency::name))
        .try_map(move |name| named(name).ok_or("unknown"))
}
