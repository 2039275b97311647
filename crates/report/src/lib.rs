//! One page of HTML about a run, a sweep or a search for the highest throughput, from the files in
//! its folder: verdicts, figures, tables, settings, and how to make all of it again.
//!
//! The page is one file that loads nothing: it can be sent, kept beside a paper, and opened
//! without a network. Without scripts it shows all there is; with them figures tell values where
//! one points, and series, operations and rows can be chosen. What old results lack is said in the
//! page. Invariant: whatever comes from a file is text in it, never markup, and the page is a pure
//! function of the files.
//!
//! ```no_run
//! use ssmr_report::{Context, page};
//! use std::path::Path;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let context = Context { program: "harness", dictionary: "" };
//! let html = page(Path::new("results/latest"), &context)?;
//! std::fs::write("report.html", html)?;
//! # Ok(())
//! # }
//! ```

mod commands;
mod cost;
mod diagrams;
mod dictionary;
mod drawings;
mod facts;
mod json;
mod layout;
mod measured;
mod numbers;
mod peak;
mod settings;
mod source;
mod tables;
mod verdicts;

use dictionary::Dictionary;
use source::Source;
use ssmr_figures::ReadError;
use std::path::Path;

/// What the files do not say.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The program whose commands draw figures and make runs.
    pub program: &'a str,
    /// What the columns of the files mean: Markdown, with a table of two columns for each file.
    pub dictionary: &'a str,
}

/// The page of the run, sweep or search in a folder.
///
/// # Errors
/// If it is the folder of none, or its `summary.csv`, `peak.csv` or `sweep.json` is not what it
/// should be.
/// What else is missing or broken is said in the page.
pub fn page(folder: &Path, context: &Context<'_>) -> Result<String, ReadError> {
    let source = Source::open(folder)?;
    let dictionary = Dictionary::of(context.dictionary);
    Ok(layout::page(&source, context, &dictionary).into_string())
}
