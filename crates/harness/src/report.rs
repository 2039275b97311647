//! `harness report`: one page of what a run or a sweep has measured, from its files. `run` and
//! `sweep` end by making it, too.

use crate::ending::Ending;
use crate::error::UsageError;
use crate::program;
use crate::results::rows::data_dictionary;
use crate::results::whole;
use crate::settings::report::ReportSettings;
use anyhow::Result;
use ssmr_report::{Context, page};
use std::path::{Path, PathBuf};

/// Makes the page, and prints where it is.
///
/// # Errors
/// If a file cannot be read or written.
pub(crate) fn run(settings: &ReportSettings) -> Result<Ending> {
    let out = settings.out.clone();
    let out = out.unwrap_or_else(|| path(&settings.folder));
    make(&settings.folder, &out)?;
    println!("{}", out.display());
    Ok(Ending::Good)
}

/// Makes the page of results that were just written, and tells where it is. That it cannot be made
/// is told, and spoils nothing.
pub(crate) fn beside(folder: &Path, quiet: bool) {
    let out = path(folder);
    match make(folder, &out) {
        Ok(()) if quiet => {}
        Ok(()) => println!("report: {}", out.display()),
        Err(error) => eprintln!("no report was made: {error}"),
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("report.html")
}

fn make(folder: &Path, out: &Path) -> Result<(), UsageError> {
    let context = Context {
        program: &program::name(),
        dictionary: &data_dictionary(),
    };
    let bad = |error: ssmr_figures::ReadError| UsageError::new("DIR", error.to_string());
    let page = page(folder, &context).map_err(bad)?;
    whole::write(out, page.as_bytes()).map_err(|error| {
        let problem = format!("cannot write {}: {error}", out.display());
        UsageError::new("--out", problem)
    })
}
