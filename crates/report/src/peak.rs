//! What a search for the highest throughput found: a line for each strategy.

use crate::dictionary::Dictionary;
use crate::source::Source;
use crate::tables::{Cell, Column, Line, Sheet};
use crate::verdicts::ALL;
use maud::{Markup, html};
use ssmr_figures::Row;

/// What stands above, and the column that explains it.
const COLUMNS: [(&str, &str); 8] = [
    ("strategy", "strategy"),
    ("closed loop, ops/s", "throughput_ops"),
    ("window", "window"),
    ("open loop, ops/s", "throughput_ops"),
    ("p50 at 50 %, µs", "p50_us"),
    ("p99 at 50 %, µs", "p99_us"),
    ("p50 at 75 %, µs", "p50_us"),
    ("p99 at 75 %, µs", "p99_us"),
];

/// The section.
pub(crate) fn markup(source: &Source, dictionary: &Dictionary<'_>) -> Markup {
    let strategies = source.folder.strategies();
    let columns = COLUMNS.map(|(label, name)| Column::labelled(label, name));
    let sheet = Sheet {
        about: "The highest throughput of each strategy, and latencies below it".into(),
        columns: columns.into(),
        rows: strategies.iter().map(|name| line(source, name)).collect(),
    };
    html! {
        (sheet.markup(dictionary))
        p.aside {
            "In the closed loop the best window; in the open loop the last rate that was reached. \
             Latencies at the peak itself say how long queues are, so they are taken at 50 % and \
             75 % of it. An empty cell: the step was not made, or no rate was reached."
        }
    }
}

fn line(source: &Source, strategy: &str) -> Line {
    let number = |row: Option<Row<'_>>, column| row.and_then(|row| row.number(column).ok()?);
    let steps = |name: &str| -> Vec<Row<'_>> {
        let is_own = |row: &Row<'_>| {
            row.text("op") == ALL && row.text("strategy") == strategy && row.text("step") == name
        };
        source.folder.summary().rows().filter(is_own).collect()
    };
    let throughput = |row: &Row<'_>| number(Some(*row), "throughput_ops").unwrap_or(0.0);
    let closed = steps("closed").into_iter();
    let closed = closed.max_by(|one, other| throughput(one).total_cmp(&throughput(other)));
    let open = steps("open");
    let open = open
        .iter()
        .rfind(|row| row.text("reached") == "yes")
        .copied();
    let below = ["50", "75"].map(|name| steps(name).last().copied());
    let mut cells = vec![
        Cell::word(strategy, true),
        Cell::computed(number(closed, "throughput_ops")),
        Cell::computed(number(closed, "window")),
        Cell::computed(number(open, "throughput_ops")),
    ];
    for row in below {
        cells.extend(["p50_us", "p99_us"].map(|name| Cell::computed(number(row, name))));
    }
    Line {
        strategy: strategy.into(),
        op: String::new(),
        cells,
    }
}
