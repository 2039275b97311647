//! What each strategy paid for a command: whom it involved, what it sent, what it had to ask and to
//! try again.

use crate::dictionary::Dictionary;
use crate::source::Source;
use crate::tables::{Cell, Column, Line, Sheet};
use maud::{Markup, html};
use ssmr_figures::{Contents, Key, Row};

/// How a number comes from a row.
#[derive(Clone, Copy, Debug)]
enum Measure {
    /// It stands there.
    Own(&'static str),
    /// The sum of these, for each command that had an outcome.
    Each(&'static [&'static str]),
}

/// What stands above, the column that explains it, and where it comes from.
const MEASURES: [(&str, &str, Measure); 9] = [
    (
        "groups",
        "groups_per_command",
        Measure::Own("groups_per_command"),
    ),
    (
        "messages",
        "messages_per_command",
        Measure::Own("messages_per_command"),
    ),
    (
        "bytes",
        "bytes_per_command",
        Measure::Own("bytes_per_command"),
    ),
    (
        "CPU µs",
        "cpu_us_per_command",
        Measure::Own("cpu_us_per_command"),
    ),
    ("retries", "retries", Measure::Each(&["retries"])),
    ("fallbacks", "fallbacks", Measure::Each(&["fallbacks"])),
    (
        "look-ups",
        "oracle_consults",
        Measure::Each(&["oracle_consults", "cache_hits", "cache_misses"]),
    ),
    ("moves", "moves", Measure::Each(&["moves"])),
    (
        "multi-partition, %",
        "multi_partition_pct",
        Measure::Own("multi_partition_pct"),
    ),
];

impl Measure {
    /// The number of a row; nothing where it does not apply.
    fn of(self, row: Row<'_>) -> Option<f64> {
        let number = |column: &str| row.number(column).ok().flatten();
        match self {
            Self::Own(column) => number(column),
            Self::Each(columns) => {
                let counts = columns.iter().filter_map(|column| number(column));
                let ok = number("ok").filter(|ok| *ok > 0.0)?;
                counts.reduce(|one, other| one + other).map(|sum| sum / ok)
            }
        }
    }
}

/// Rows of one strategy and kind of operation with the same values of what was varied: the runs of
/// a point.
#[derive(Debug)]
struct Runs<'a> {
    names: Vec<&'a str>,
    rows: Vec<Row<'a>>,
}

/// The section.
pub(crate) fn markup(source: &Source, dictionary: &Dictionary<'_>) -> Markup {
    let keys = source.folder.keys().iter().map(Key::column);
    let mut keys: Vec<String> = keys.collect();
    if source.folder.contents() == Contents::Peak {
        keys.push("step".into());
    }
    let names: Vec<&str> = ["strategy", "op"]
        .into_iter()
        .chain(keys.iter().map(String::as_str))
        .collect();
    let mut all: Vec<Runs<'_>> = Vec::new();
    for row in source.folder.summary().rows() {
        let own: Vec<&str> = names.iter().map(|name| row.text(name)).collect();
        match all.iter_mut().find(|runs| runs.names == own) {
            Some(runs) => runs.rows.push(row),
            None => all.push(Runs {
                names: own,
                rows: vec![row],
            }),
        }
    }
    let mean = |runs: &Runs<'_>, measure: Measure| {
        let values: Vec<f64> = runs
            .rows
            .iter()
            .filter_map(|row| measure.of(*row))
            .collect();
        let sum: f64 = values.iter().sum();
        (!values.is_empty()).then(|| sum / values.len() as f64)
    };
    let is_known = |measure: Measure| all.iter().any(|runs| mean(runs, measure).is_some());
    let known = MEASURES
        .into_iter()
        .filter(|(.., measure)| is_known(*measure));
    let known: Vec<_> = known.collect();
    let columns = names.iter().map(|name| Column::named(name));
    let measures = known
        .iter()
        .map(|(label, name, _)| Column::labelled(label, name));
    let line = |runs: &Runs<'_>| {
        let names = runs.names.iter().map(|name| Cell::of(name));
        let measures = known
            .iter()
            .map(|(.., measure)| Cell::computed(mean(runs, *measure)));
        Line {
            strategy: runs.names[0].into(),
            op: runs.names[1].into(),
            cells: names.chain(measures).collect(),
        }
    };
    let sheet = Sheet {
        about: "What a command cost, on average".into(),
        columns: columns.chain(measures).collect(),
        rows: all.iter().map(line).collect(),
    };
    html! {
        @if known.is_empty() {
            p { "summary.csv has none of the columns that would say it." }
        } @else {
            (sheet.markup(dictionary))
            p.aside {
                "Groups are counted over all attempts; messages and bytes are those of replicas \
                 and clients; CPU is that of all processes, clients and history included; \
                 look-ups are questions to an oracle or a shared cache."
            }
        }
    }
}
