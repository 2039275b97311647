//! All settings, with defaults filled in.

use crate::json;
use crate::source::Source;
use maud::{Markup, html};
use ssmr_figures::Contents;

/// The section's content, which is folded.
pub(crate) fn markup(source: &Source) -> Markup {
    let settings = (source.run.as_ref()).and_then(|run| json::at(run, &["settings"]));
    let keys = source.folder.keys();
    let varied = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        keys.iter().find(|key| key.column() == last)
    };
    let mut rows: Vec<(String, String, bool)> = Vec::new();
    for (name, value) in settings.map(json::leaves).unwrap_or_default() {
        match varied(&name) {
            Some(key) => rows.push((name, key.values.join(", "), true)),
            None => rows.push((name, value, false)),
        }
    }
    html! {
        @if rows.is_empty() {
            p { "They are not known: there is no run.json that tells them." }
        } @else {
            @if source.folder.contents() == Contents::Peak {
                p { "Those of the first run; each step has its own strategy and load." }
            }
            @if source.folder.contents() == Contents::Sweep {
                p {
                    "Those of the first run; what was varied has all of its values, and each run "
                    "has a seed of its own."
                }
            }
            div.scroll tabindex="0" role="region" aria-label="Settings" {
                table.words {
                    thead { tr { th scope="col" { "setting" } th scope="col" { "value" } } }
                    tbody {
                        @for (name, value, is_varied) in &rows {
                            tr {
                                th scope="row" { code { (name) } }
                                td {
                                    (value)
                                    @if *is_varied { " " em { "(varied)" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
