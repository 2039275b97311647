//! Tables that scripts can sort and filter: each number beside its text, each row with its
//! strategy and kind of operation.

use crate::dictionary::{Dictionary, anchor};
use crate::numbers::{number, rounded, shown};
use maud::{Markup, html};

/// A table.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// What it is.
    pub(crate) about: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Line>,
}

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    /// What stands above it.
    pub(crate) label: String,
    /// Its name in the dictionary.
    pub(crate) name: String,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) strategy: String,
    /// Empty where it is of all that a strategy did.
    pub(crate) op: String,
    pub(crate) cells: Vec<Cell>,
}

/// What is in a cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    value: Option<f64>,
    /// What stands beneath, smaller.
    beneath: String,
    /// Whether it is bad news.
    is_bad: bool,
}

impl Column {
    /// One that is called as in the dictionary.
    pub(crate) fn named(name: &str) -> Self {
        Self::labelled(name, name)
    }

    pub(crate) fn labelled(label: &str, name: &str) -> Self {
        let (label, name) = (label.into(), name.into());
        Self { label, name }
    }
}

impl Cell {
    /// The cell of a file.
    pub(crate) fn of(text: &str) -> Self {
        Self {
            text: shown(text),
            value: number(text),
            ..Self::default()
        }
    }

    /// A number that was computed; nothing is an empty cell.
    pub(crate) fn computed(value: Option<f64>) -> Self {
        Self {
            text: value.map(rounded).unwrap_or_default(),
            value,
            ..Self::default()
        }
    }

    /// A word that is good news or bad.
    pub(crate) fn word(text: &str, is_good: bool) -> Self {
        Self {
            text: text.into(),
            is_bad: !is_good,
            ..Self::default()
        }
    }

    /// With something beneath.
    pub(crate) fn over(self, beneath: String) -> Self {
        Self { beneath, ..self }
    }

    fn markup(&self) -> Markup {
        html! {
            (self.text)
            @if !self.beneath.is_empty() { small { (self.beneath) } }
        }
    }

    /// How it looks.
    fn class(&self) -> Option<&'static str> {
        match (self.is_bad, self.value) {
            (true, _) => Some("bad"),
            (false, Some(_)) => Some("number"),
            (false, None) => None,
        }
    }
}

impl Sheet {
    fn is_of_numbers(&self, place: usize) -> bool {
        let cells = self.rows.iter().filter_map(|line| line.cells.get(place));
        let mut cells = cells.filter(|cell| !cell.text.is_empty());
        place > 0 && cells.all(|cell| cell.value.is_some())
    }

    /// The table. The first cell of each row is its head.
    pub(crate) fn markup(&self, dictionary: &Dictionary<'_>) -> Markup {
        html! {
            // Not the table's caption, which would be as wide as the table.
            p.aside { (self.about) }
            div.scroll tabindex="0" role="region" aria-label=(self.about) {
                table.sheet {
                    thead {
                        tr {
                            @for (place, column) in self.columns.iter().enumerate() {
                                (head(column, self.is_of_numbers(place), dictionary))
                            }
                        }
                    }
                    tbody { @for line in &self.rows { (row(line)) } }
                }
            }
        }
    }
}

fn head(column: &Column, is_of_numbers: bool, dictionary: &Dictionary<'_>) -> Markup {
    let meaning = dictionary.meaning(&column.name);
    html! {
        th.number[is_of_numbers] scope="col" title=[meaning] {
            button type="button" { (column.label) }
            @if meaning.is_some() {
                @let link = format!("#{}", anchor(&column.name));
                @let told = format!("what {} means", column.label);
                " " a.help href=(link) aria-label=(told) { "?" }
            }
        }
    }
}

fn row(line: &Line) -> Markup {
    let op = (!line.op.is_empty()).then_some(&line.op);
    html! {
        tr data-strategy=(line.strategy) data-op=[op] {
            @for (place, cell) in line.cells.iter().enumerate() {
                @if place == 0 {
                    th scope="row" { (cell.markup()) }
                } @else {
                    td class=[cell.class()] data-value=[cell.value] { (cell.markup()) }
                }
            }
        }
    }
}
