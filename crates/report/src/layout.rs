//! The page as a whole: its sections in order, its style and its script.

use crate::dictionary::Dictionary;
use crate::drawings::Drawings;
use crate::source::Source;
use crate::{Context, commands, cost, diagrams, facts, measured, peak, settings, verdicts};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ssmr_figures::Contents;

/// Nothing is loaded, from nowhere; the icon is an empty one that is in the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// The page.
pub(crate) fn page(source: &Source, context: &Context<'_>, dictionary: &Dictionary<'_>) -> Markup {
    let drawings = Drawings::of(source);
    let what = match source.folder.contents() {
        Contents::Run => "Run",
        Contents::Sweep => "Sweep",
        Contents::Peak => "Search for the highest throughput,",
    };
    let title = format!("{what} {}", source.name());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                header {
                    h1 { (title) }
                    (facts::markup(source))
                }
                (controls(source, &drawings))
                main {
                    section { h2 { "Verdicts" } (verdicts::markup(source, dictionary)) }
                    section { h2 { "Figures" } (drawings.markup()) }
                    @if source.folder.contents() == Contents::Peak {
                        section { h2 { "Highest throughput" } (peak::markup(source, dictionary)) }
                    }
                    section { h2 { "What was measured" } (measured::markup(source, dictionary)) }
                    section { h2 { "What a command cost" } (cost::markup(source, dictionary)) }
                    section { h2 { "Who sends what" } (diagrams::markup(source)) }
                    section {
                        h2 { "Settings" }
                        details {
                            summary { "All settings, with defaults filled in" }
                            (settings::markup(source))
                        }
                    }
                    section { h2 { "How to make it again" } (commands::markup(source, context)) }
                    section {
                        h2 { "What the columns mean" }
                        details { summary { "Data dictionary" } (dictionary.markup()) }
                    }
                }
                div #tip role="status" hidden {}
                output #selftest hidden {}
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    }
}

/// What is shown: of which strategies, operation and latency. Without scripts there is no use for
/// it.
fn controls(source: &Source, drawings: &Drawings) -> Markup {
    let ops = source.folder.operations();
    html! {
        form #controls hidden aria-label="What is shown" {
            @if !ops.is_empty() {
                label {
                    "Operation "
                    select name="op" { @for op in &ops { option value=(op) { (op) } } }
                }
            }
            @if drawings.has_latencies() {
                label {
                    "Latency "
                    select name="latency" {
                        option value="p50" { "median" }
                        option value="p99" { "99th percentile" }
                    }
                }
            }
            fieldset {
                legend { "Strategies" }
                @for (strategy, colour) in source.folder.colours() {
                    label {
                        input type="checkbox" name="strategy" value=(strategy) checked;
                        span.swatch style={ "background:" (colour) } {}
                        (strategy)
                    }
                }
            }
            label { input type="checkbox" name="every"; "Tables: every operation" }
        }
    }
}
