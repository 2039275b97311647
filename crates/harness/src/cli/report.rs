//! The flags of `report`.

use crate::settings::report::ReportSettings;
use clap::Args;
use std::path::PathBuf;

/// What the page is, and commands to begin with.
pub(super) const EXAMPLES: &str = "\
The page is one file that loads nothing: verdicts, all figures of `plot` with their values where one
points, tables that sort, what each strategy paid for a command, settings, and how to make it again.
`run` and `sweep` end by making it; this makes it anew, also of older results.

Examples:
  The newest run:
    PROGRAM report results/latest
  A sweep, to send to somebody:
    PROGRAM report results/sweep-partitions --out partitions.html";

/// Of what to make a page.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReportArgs {
    /// The folder of a run, of a sweep or of `run --peak`
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// The file for the page [default: DIR/report.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ReportArgs {
    /// The settings.
    pub(super) fn settings(self) -> ReportSettings {
        let Self { folder, out } = self;
        ReportSettings { folder, out }
    }
}
