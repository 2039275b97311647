//! What the user sees while a run is under way: a spinner or bar on a terminal, plain lines
//! elsewhere, nothing if quiet.
//!
//! It goes to the standard error stream, so that the table can be piped.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

/// Says how far a run is.
#[derive(Debug)]
pub(crate) enum Progress {
    /// On a terminal.
    Drawn(ProgressBar),
    /// Into a file or pipe.
    Plain,
    /// Into a file or pipe, of many runs: a line for each.
    Notes,
    /// Not at all.
    Quiet,
}

impl Progress {
    /// The way that suits the user and the stream.
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !stderr().is_terminal() {
            return Self::Plain;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::Drawn(bar)
    }

    /// The same for many runs, one after the other.
    pub(crate) fn of_many(quiet: bool) -> Self {
        match Self::new(quiet) {
            Self::Plain => Self::Notes,
            other => other,
        }
    }

    /// Something that is to stay, such as what came of one of many runs.
    pub(crate) fn note(&self, what: &str) {
        match self {
            Self::Drawn(bar) => bar.println(what),
            Self::Plain | Self::Notes => eprintln!("{what}"),
            Self::Quiet => {}
        }
    }

    /// Something begins, of so many steps if they can be counted.
    pub(crate) fn phase(&self, what: &str, steps: Option<u64>) {
        match self {
            Self::Drawn(bar) => {
                let template = if steps.is_some() {
                    "{spinner} {msg} {bar:30} {pos}/{len}"
                } else {
                    "{spinner} {msg} {elapsed}"
                };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.reset();
                bar.set_length(steps.unwrap_or(0));
                bar.set_message(what.to_owned());
            }
            Self::Plain => eprintln!("{what}"),
            Self::Notes | Self::Quiet => {}
        }
    }

    /// Something happened within the phase.
    pub(crate) fn event(&self, what: &str) {
        match self {
            Self::Drawn(bar) => bar.set_message(what.to_owned()),
            Self::Plain => eprintln!("{what}"),
            Self::Notes | Self::Quiet => {}
        }
    }

    /// So many steps are done.
    pub(crate) fn at(&self, step: u64) {
        if let Self::Drawn(bar) = self {
            bar.set_position(step);
        }
    }

    /// Nothing more is to be drawn.
    pub(crate) fn finish(&self) {
        if let Self::Drawn(bar) = self {
            bar.finish_and_clear();
        }
    }
}
