//! The figures, each in the page, with what it shows in a sentence; and which are not there.
//!
//! There is one for each kind of operation, and of those that show one latency for each of these;
//! scripts show those that were chosen, and without scripts it is the median of all operations.

use crate::source::Source;
use crate::verdicts::ALL;
use maud::{Markup, PreEscaped, html};
use ssmr_figures::{Choice, Contents, Drawing, Figure, Kind, Latency};
use std::fs;

/// With more rows than that, time lines of single kinds of operations would make the page too
/// large.
const LONGEST_TIMELINE: usize = 20_000;

/// All that could be drawn.
#[derive(Debug, Default)]
pub(crate) struct Drawings {
    figures: Vec<Chosen>,
    notes: Vec<String>,
    skipped: Vec<String>,
}

/// A figure, and what it is chosen by.
#[derive(Debug)]
struct Chosen {
    figure: Figure,
    op: String,
    /// Nothing if it does not depend on it.
    latency: Option<Latency>,
}

impl Drawings {
    /// Draws them.
    pub(crate) fn of(source: &Source) -> Self {
        let mut all = Self::default();
        let is_long = source.folder.contents() == Contents::Sweep || Self::is_long(source);
        for op in source.folder.operations() {
            for kind in Kind::ALL {
                if kind == Kind::Timeline && op != ALL && is_long {
                    all.skip(format!(
                        "timeline of {op}: it would make the page too large; `plot --figure \
                         timeline --op {op}` draws it"
                    ));
                    continue;
                }
                for latency in latencies(kind) {
                    let choice = Choice {
                        kinds: vec![kind],
                        op: op.into(),
                        latency: *latency,
                    };
                    match source.folder.draw(&choice) {
                        Ok(drawing) => all.take(drawing, kind, &choice),
                        Err(error) => all.skip(format!("{}: {error}", kind.name())),
                    }
                }
            }
        }
        all
    }

    /// Whether time lines would be.
    fn is_long(source: &Source) -> bool {
        let path = source.folder.path().join("intervals.csv");
        let lines = |bytes: Vec<u8>| bytes.into_iter().filter(|byte| *byte == b'\n').count();
        fs::read(path).is_ok_and(|bytes| lines(bytes) > LONGEST_TIMELINE)
    }

    fn take(&mut self, drawing: Drawing, kind: Kind, choice: &Choice) {
        let of = match &choice.op[..] {
            ALL => String::new(),
            op => format!(" ({op})"),
        };
        for note in drawing.notes {
            // What is true of all operations is told once.
            let is_told = self.notes.contains(&note);
            let note = if is_told { note } else { note + &of };
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        for (kind, why) in drawing.skipped {
            let of = if choice.op == ALL {
                String::new()
            } else {
                format!(" of {}", choice.op)
            };
            // Where all operations have none, each of them has none for the same reason.
            let whole = format!("{}: {why}", kind.name());
            if !self.skipped.contains(&whole) {
                self.skip(format!("{}{of}: {why}", kind.name()));
            }
        }
        let latency = (latencies(kind).len() > 1).then_some(choice.latency);
        self.figures
            .extend(drawing.figures.into_iter().map(|figure| Chosen {
                figure,
                op: choice.op.clone(),
                latency,
            }));
    }

    fn skip(&mut self, why: String) {
        if !self.skipped.contains(&why) {
            self.skipped.push(why);
        }
    }

    /// Whether there is something to choose about latencies.
    pub(crate) fn has_latencies(&self) -> bool {
        self.figures.iter().any(|one| one.latency.is_some())
    }

    /// The section.
    pub(crate) fn markup(&self) -> Markup {
        html! {
            @if self.figures.is_empty() { p { "There is nothing to draw." } }
            div.figures {
                @for (number, one) in self.figures.iter().enumerate() { (element(number, one)) }
            }
            @if !self.notes.is_empty() {
                h3 { "What to know about the figures" }
                ul { @for note in &self.notes { li { (note) } } }
            }
            @if !self.skipped.is_empty() {
                details {
                    summary { "Figures that are not drawn" }
                    ul { @for why in &self.skipped { li { (why) } } }
                }
            }
        }
    }
}

fn element(number: usize, one: &Chosen) -> Markup {
    let latency = one.latency.map(Latency::name);
    let is_first = one.op == ALL && one.latency.is_none_or(|latency| latency == Latency::P50);
    html! {
        figure data-op=(one.op) data-latency=[latency] hidden[!is_first] {
            (PreEscaped(one.figure.element(number)))
            figcaption {
                (caption(one.figure.kind())) " "
                span.file { (one.figure.name()) ".svg" } " "
                button.enlarge type="button" aria-pressed="false" { "Enlarge" }
            }
        }
    }
}

/// For which latencies there is a figure each.
fn latencies(kind: Kind) -> &'static [Latency] {
    match kind {
        Kind::Bars | Kind::Hits | Kind::Peak | Kind::ThroughputLatency => &Latency::ALL,
        Kind::Scaling
        | Kind::Cdf
        | Kind::Timeline
        | Kind::Partitions
        | Kind::Breakdown
        | Kind::Consults => &[Latency::P50],
    }
}

/// What a figure shows.
fn caption(kind: Kind) -> &'static str {
    match kind {
        Kind::ThroughputLatency => {
            "Throughput against latency under growing load. Lower right is better."
        }
        Kind::Peak => {
            "Latency under growing load in a closed loop, and in an open loop at the highest rate \
             that was reached and at 50 % and 75 % of it. Lower right is better."
        }
        Kind::Scaling => "Throughput along what was varied.",
        Kind::Bars => "Throughput (higher is better) and latency (lower is better).",
        Kind::Cdf => {
            "The share of commands that took at most so long. Further left is better; the slowest \
             thousandth is not shown."
        }
        Kind::Timeline => {
            "Throughput and p99 latency over time. Dashed lines mark what was broken on purpose or \
             put right again."
        }
        Kind::Partitions => {
            "Commands that each group delivered over time, and objects that moved between groups."
        }
        Kind::Breakdown => "Where the time of a command goes, on average.",
        Kind::Consults => {
            "Questions to an oracle per command, over time: how fast clients learn places."
        }
        Kind::Hits => {
            "The share of values that were found in the shared cache, against latency, and \
             against what a command has replicas send and compute. Lower right is better."
        }
    }
}
