//! The settings of `plot`.

use ssmr_figures::Choice;
use std::path::PathBuf;

/// What to draw, and where.
#[derive(Clone, Debug)]
pub(crate) struct PlotSettings {
    /// The folder of a run or of a sweep.
    pub(crate) folder: PathBuf,
    /// Which figures.
    pub(crate) choice: Choice,
    /// In which forms.
    pub(crate) formats: Formats,
    /// The folder for the files; by default one within the other.
    pub(crate) out: Option<PathBuf>,
}

/// The forms of a figure's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Formats {
    /// Lines and text.
    Svg,
    /// Dots.
    Png,
    /// Both.
    Both,
}
