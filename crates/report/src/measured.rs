//! What was measured: the rows of a run's summary, or the points of a sweep with their intervals.
//!
//! Invariant: every row of the file is one of the table, and every cell is there, or told to be
//! the same in all rows or empty in all.

use crate::dictionary::Dictionary;
use crate::numbers::shown;
use crate::source::Source;
use crate::tables::{Cell, Column, Line, Sheet};
use maud::{Markup, html};
use ssmr_figures::{Contents, Table};

/// What names a row.
const NAMES: [&str; 2] = ["strategy", "op"];

/// What one looks for first, wherever the file has it.
const FIRST: [&str; 4] = ["throughput_ops", "p50_us", "p99_us", "errors"];

/// What was set, and so is told once where it is the same in all rows.
const SET: [&str; 17] = [
    "point",
    "run_id",
    "workload",
    "digest",
    "execution",
    "partitions",
    "replicas",
    "clients",
    "window",
    "rate",
    "durability",
    "seed",
    "duration_s",
    "reads",
    "service_time_us",
    "net",
    "repeats",
];

/// The section.
pub(crate) fn markup(source: &Source, dictionary: &Dictionary<'_>) -> Markup {
    let summary = source.folder.summary();
    let (table, about) = match (&source.points, source.folder.contents()) {
        (Some(points), _) => (
            points,
            "Points: means over repeats, with 95 % intervals from five repeats on",
        ),
        (None, Contents::Run) => (summary, "All that was measured"),
        (None, Contents::Sweep) => (summary, "All runs"),
        (None, Contents::Peak) => (summary, "All steps of the search"),
    };
    let columns = Columns::of(table);
    let sheet = Sheet {
        about: about.into(),
        columns: columns
            .shown
            .iter()
            .map(|name| Column::named(name))
            .collect(),
        rows: (table.rows())
            .map(|row| Line {
                strategy: row.text("strategy").into(),
                op: row.text("op").into(),
                cells: (columns.shown.iter())
                    .map(|name| cell(table, row, name))
                    .collect(),
            })
            .collect(),
    };
    html! {
        (sheet.markup(dictionary))
        @if !columns.same.is_empty() {
            p.aside {
                "The same in all rows: "
                @for (place, (name, value)) in columns.same.iter().enumerate() {
                    @if place > 0 { ", " }
                    code { (name) } " " (value)
                }
                "."
            }
        }
        @if !columns.empty.is_empty() {
            p.aside {
                "Empty in all rows, for it does not apply: "
                @for (place, name) in columns.empty.iter().enumerate() {
                    @if place > 0 { ", " }
                    code { (name) }
                }
                "."
            }
        }
    }
}

/// Which columns are shown, and what is told of the others.
#[derive(Debug, Default)]
struct Columns<'a> {
    shown: Vec<&'a str>,
    same: Vec<(&'a str, String)>,
    empty: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(table: &'a Table) -> Self {
        let mut columns = Self::default();
        let of_names = NAMES.into_iter().filter(|name| table.has(name));
        columns.shown.extend(of_names);
        for column in table.columns().filter(|name| !NAMES.contains(name)) {
            // The ends of an interval stand beneath its mean.
            let name = match measure(table, column) {
                Some((measure, "mean")) => measure,
                Some(_) => continue,
                None => column,
            };
            let mut cells: Vec<&str> = table.rows().map(|row| row.text(column)).collect();
            let is_many = cells.len() > 1;
            cells.sort_unstable();
            cells.dedup();
            match cells[..] {
                [""] => columns.empty.push(name),
                [value] if is_many && SET.contains(&name) => {
                    columns.same.push((name, shown(value)));
                }
                _ => columns.shown.push(name),
            }
        }
        // Stable: the others stay in the order of the file.
        let rank = |name: &&str| {
            let first = FIRST.iter().position(|first| first == name);
            first.unwrap_or(FIRST.len())
        };
        let keys: usize = columns
            .shown
            .iter()
            .take_while(|name| !is_measured(name))
            .count();
        columns.shown[keys..].sort_by_key(rank);
        columns
    }
}

/// Whether a column is of what was measured: those before the first of these name the row.
fn is_measured(name: &str) -> bool {
    name == "issued" || name == "repeats" || FIRST.contains(&name) || name.ends_with("_us")
}

/// A measure, and which of its numbers the column of a sweep's points has.
fn measure<'a>(table: &Table, column: &'a str) -> Option<(&'a str, &'a str)> {
    let (measure, what) = column.rsplit_once('_')?;
    let is_one = ["mean", "low", "high"].contains(&what);
    (is_one && table.has(&format!("{measure}_mean"))).then_some((measure, what))
}

fn cell(table: &Table, row: ssmr_figures::Row<'_>, name: &str) -> Cell {
    let of = |what: &str| row.text(&format!("{name}_{what}"));
    if !table.has(&format!("{name}_mean")) {
        let text = row.text(name);
        let is_bad = matches!(text, "violated" | "unchecked" | "lost" | "degraded");
        let is_bad = is_bad || (name == "replicas_agree" && text == "no");
        return if is_bad {
            Cell::word(text, false)
        } else {
            Cell::of(text)
        };
    }
    match (of("low"), of("high")) {
        ("", _) | (_, "") => Cell::of(of("mean")),
        (low, high) => Cell::of(of("mean")).over(format!("{} – {}", shown(low), shown(high))),
    }
}
