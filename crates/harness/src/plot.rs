//! `harness plot`: figures of what a run or a sweep has measured.
//!
//! The names of the files that were written are the standard output, one a line; whatever else
//! there is to say goes to the standard error stream.

use crate::ending::Ending;
use crate::error::UsageError;
use crate::settings::plot::{Formats, PlotSettings};
use anyhow::Result;
use ssmr_figures::{Drawing, Figure, Folder};
use std::fs;
use std::path::Path;

/// Draws what was chosen, as far as there is data for it.
///
/// # Errors
/// If a file cannot be read or written, or there is no data for something that was named.
pub(crate) fn run(settings: &PlotSettings) -> Result<Ending> {
    if !cfg!(feature = "png") && settings.formats != Formats::Svg {
        let problem = "this program was built without PNG: build it with `--features png`, or \
                       convert the SVG, as by `rsvg-convert --zoom 4`";
        return Err(UsageError::new("--format", problem).into());
    }
    let bad = |error: ssmr_figures::ReadError| UsageError::new("DIR", error.to_string());
    let folder = Folder::open(&settings.folder).map_err(bad)?;
    let drawing = folder.draw(&settings.choice).map_err(bad)?;
    let out = match &settings.out {
        Some(out) => out.clone(),
        None => settings.folder.join("figures"),
    };
    let (dir, kinds) = (settings.folder.display(), &settings.choice.kinds);
    for note in &drawing.notes {
        eprintln!("note: {note}");
    }
    if drawing.figures.is_empty() {
        let problem = format!("{dir}: there is nothing to draw: {}", reasons(&drawing));
        return Err(UsageError::new("DIR", problem).into());
    }
    let unwritable = |path: &Path, problem: &dyn std::fmt::Display| {
        UsageError::new(
            "--out",
            format!("cannot write {}: {problem}", path.display()),
        )
    };
    fs::create_dir_all(&out).map_err(|error| unwritable(&out, &error))?;
    for figure in &drawing.figures {
        for (ending, bytes) in files(figure, settings.formats) {
            let path = out.join(format!("{}.{ending}", figure.name()));
            let bytes = bytes.map_err(|problem| unwritable(&path, &problem))?;
            fs::write(&path, bytes).map_err(|error| unwritable(&path, &error))?;
            println!("{}", path.display());
        }
    }
    if kinds.is_empty() {
        for (kind, why) in &drawing.skipped {
            eprintln!("not drawn: {}: {why}", kind.name());
        }
    } else if !drawing.skipped.is_empty() {
        let problem = format!("{dir}: {}", reasons(&drawing));
        return Err(UsageError::new("--figure", problem).into());
    }
    Ok(Ending::Good)
}

/// Why there are no figures of some kinds.
fn reasons(drawing: &Drawing) -> String {
    let reasons = drawing.skipped.iter();
    let reasons = reasons.map(|(kind, why)| format!("{}: {why}", kind.name()));
    reasons.collect::<Vec<_>>().join("; ")
}

type File = (&'static str, Result<Vec<u8>, String>);

/// The files of a figure: their endings, and what is in them.
fn files(figure: &Figure, formats: Formats) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    if formats != Formats::Png {
        files.push(("svg", Ok(figure.svg().into_bytes())));
    }
    #[cfg(feature = "png")]
    if formats != Formats::Svg {
        files.push(("png", figure.png()));
    }
    files
}
