//! Message diagrams of the strategies that were run: what each sends for a create, an access of two
//! partitions and a move.
//!
//! They are those of the code that made the page, and say nothing about the run's measurements.

use crate::json;
use crate::source::Source;
use maud::{Markup, PreEscaped, html};
use ssmr_figures::Diagram;

/// The section's content.
pub(crate) fn markup(source: &Source) -> Markup {
    let strategies = source.folder.colours();
    let strategies = strategies.iter().map(|(strategy, _)| &**strategy);
    let has_directory = has_directory(source);
    let of = |strategy| {
        let with = Diagram::of(strategy, has_directory);
        match with.is_empty() {
            true => (strategy, Diagram::of(strategy, false)),
            false => (strategy, with),
        }
    };
    let all: Vec<(&str, Vec<Diagram>)> = strategies.map(of).collect();
    html! {
        p {
            "From the golden traces of this program's strategies, with two partitions. Time goes \
             down; each lane is a group, whichever of its replicas speaks. Dotted arrows are \
             timestamps, dashed ones signals, those of dots and dashes hints about places."
        }
        @for (strategy, diagrams) in &all {
            @if diagrams.is_empty() {
                p { "There are none of " (strategy) ", which is not one of this program's own." }
            } @else {
                details data-diagrams=(strategy) {
                    summary { (strategy) ": create, access, move" }
                    div.figures {
                        @for diagram in diagrams {
                            div.diagram { (PreEscaped(diagram.element())) }
                        }
                    }
                }
            }
        }
    }
}

/// Whether static placement kept a directory in this run.
fn has_directory(source: &Source) -> bool {
    let settings = (source.run.as_ref()).and_then(|run| json::at(run, &["settings"]));
    let settings = settings.map(json::leaves).unwrap_or_default();
    let mut directory = settings
        .into_iter()
        .filter(|(name, _)| name.rsplit('.').next() == Some("directory"));
    directory.any(|(_, value)| value == "home")
}
