//! What was judged, and how: a sentence, a table with a row for each strategy, and what is wrong or
//! to be known in the words of the run.

use crate::dictionary::Dictionary;
use crate::json;
use crate::source::Source;
use crate::tables::{Cell, Column, Line, Sheet};
use maud::{Markup, html};
use ssmr_figures::{Contents, Row};

/// The word for all kinds of operations together.
pub(crate) const ALL: &str = "all";

/// Columns with words from good to bad, and what is told where not all is good.
const WORDS: [(&str, &[&str], &str); 5] = [
    (
        "linearizable",
        &["ok", "unchecked", "violated"],
        "the history is",
    ),
    (
        "replicas_agree",
        &["yes", "", "no"],
        "whether replicas agree:",
    ),
    (
        "cluster",
        &["healthy", "degraded", "lost"],
        "the cluster was",
    ),
    (
        "consistent",
        &["ok", "unchecked", "violated"],
        "what must hold of all objects is",
    ),
    // In a row of its own.
    (
        "stale_values",
        &["ok", "unchecked", "violated"],
        "the history of stale reads is",
    ),
];

/// From so many sentences on they are folded.
const MANY: usize = 8;

/// What was judged of one strategy, all of its runs together.
#[derive(Debug)]
struct Verdict<'a> {
    strategy: &'a str,
    /// The worst word of each of [`WORDS`], if there is such a column and it says something.
    words: [Option<&'a str>; 5],
    judged: Option<f64>,
    unjudged: Option<f64>,
    runs: usize,
}

impl<'a> Verdict<'a> {
    fn of(source: &'a Source, strategy: &'a str) -> Self {
        let summary = source.folder.summary();
        let is_own = |row: &Row<'_>| row.text("strategy") == strategy;
        let all: Vec<Row<'a>> = summary.rows().filter(is_own).collect();
        let rows: Vec<_> = all.iter().filter(|row| row.text("op") == ALL).collect();
        let worst = |(column, order, _): (&str, &[&str], &str)| {
            let rank = |word: &&str| order.iter().position(|known| known == word);
            let words = all.iter().map(|row| row.text(column));
            let words = words.filter(|word| !word.is_empty() || order.contains(word));
            let worst = words.max_by_key(|word| rank(word).unwrap_or(order.len()));
            worst.filter(|_| summary.has(column))
        };
        let sum = |column| {
            let numbers = rows.iter().filter_map(|row| row.number(column).ok()?);
            numbers.reduce(|one, other| one + other)
        };
        Self {
            strategy,
            words: WORDS.map(worst),
            judged: sum("judged_ops"),
            unjudged: sum("unjudged_ops"),
            runs: rows.len(),
        }
    }

    /// What is not good, in words; nothing if all is.
    fn shortfalls(&self) -> Vec<String> {
        let told = WORDS.iter().zip(self.words);
        let told = told.filter_map(|((_, order, about), word)| {
            let word = word.filter(|word| *word != order[0])?;
            let word = if word.is_empty() {
                "not compared"
            } else {
                word
            };
            Some(format!("{}: {about} {word}", self.strategy))
        });
        told.collect()
    }

    fn line(&self) -> Line {
        let words = self.words.iter().zip(WORDS).map(|(word, (_, order, _))| {
            let word = word.unwrap_or_default();
            Cell::word(word, word.is_empty() || word == order[0])
        });
        let [linearizable, agree, cluster, consistent, stale]: [Cell; 5] = {
            let words: Vec<Cell> = words.collect();
            words.try_into().unwrap_or_default()
        };
        let all = self.judged.unwrap_or(0.0) + self.unjudged.unwrap_or(0.0);
        let share = (self.judged.zip(self.unjudged)).filter(|_| all > 0.0);
        let share = share.map(|(judged, _)| 100.0 * judged / all);
        let share = match share {
            // What is not all must not look like it.
            Some(share) if share < 100.0 => {
                Cell::of(&format!("{:.2}", (share * 100.0).floor() / 100.0))
            }
            Some(_) => Cell::of("100"),
            None => Cell::default(),
        };
        Line {
            strategy: self.strategy.into(),
            op: String::new(),
            cells: vec![
                Cell::word(self.strategy, true),
                Cell::computed(Some(self.runs as f64)),
                linearizable,
                Cell::computed(self.judged),
                Cell::computed(self.unjudged),
                share,
                agree,
                cluster,
                consistent,
                stale,
            ],
        }
    }
}

/// The section.
pub(crate) fn markup(source: &Source, dictionary: &Dictionary<'_>) -> Markup {
    let strategies = source.folder.strategies();
    let verdicts = strategies.iter().map(|name| Verdict::of(source, name));
    let verdicts: Vec<Verdict<'_>> = verdicts.collect();
    let shortfalls: Vec<String> = verdicts.iter().flat_map(Verdict::shortfalls).collect();
    let is_judged = verdicts.iter().all(|verdict| verdict.words[0].is_some());
    let is_stale = verdicts.iter().any(|verdict| verdict.words[4].is_some());
    let columns = [
        ("strategy", "strategy"),
        ("runs", ""),
        ("linearizable", "linearizable"),
        ("judged", "judged_ops"),
        ("unjudged", "unjudged_ops"),
        ("judged, %", "judged_ops"),
        ("replicas agree", "replicas_agree"),
        ("cluster", "cluster"),
        ("consistent", "consistent"),
        ("stale reads", "stale_values"),
    ];
    // Few results have stale reads.
    let count = columns.len() - usize::from(!is_stale);
    let columns = columns.map(|(label, name)| Column::labelled(label, name));
    let line = |verdict: &Verdict<'_>| {
        let mut line = verdict.line();
        line.cells.truncate(count);
        line
    };
    let sheet = Sheet {
        about: "Verdicts on complete histories, from loading to the last read".into(),
        columns: columns.into_iter().take(count).collect(),
        rows: verdicts.iter().map(line).collect(),
    };
    html! {
        @if verdicts.is_empty() {
            p.banner.bad { "Nothing was measured yet." }
        } @else if !is_judged {
            p.banner.bad { "These results are of a time that did not write down verdicts." }
        } @else if shortfalls.is_empty() {
            p.banner.good { (good(&verdicts)) }
        } @else {
            p.banner.bad { "Not all is well: " (shortfalls.join("; ")) "." }
        }
        (sheet.markup(dictionary))
        (remarks(source, "problems", "What is wrong"))
        (remarks(source, "notes", "What to know"))
    }
}

/// That all is well, as far as it was looked at.
fn good(verdicts: &[Verdict<'_>]) -> String {
    let mut told = vec!["every history is linearizable"];
    if verdicts.iter().all(|verdict| verdict.words[1].is_some()) {
        told.push("the replicas of each group agree");
    }
    if verdicts.iter().all(|verdict| verdict.words[2].is_some()) {
        told.push("every cluster was healthy at the end");
    }
    if verdicts.iter().all(|verdict| verdict.words[3].is_some()) {
        told.push("what must hold of all objects does");
    }
    if verdicts.iter().any(|verdict| verdict.words[4].is_some()) {
        told.push("what stale reads were told was true once");
    }
    let last = told.pop().unwrap_or_default();
    match told.is_empty() {
        true => format!("All is well: {last}."),
        false => format!("All is well: {}, and {last}.", told.join(", ")),
    }
}

/// What runs have remarked, in a list.
fn remarks(source: &Source, what: &str, title: &str) -> Markup {
    let mut told = Vec::new();
    let alone = [(String::new(), source.run.clone().unwrap_or_default())];
    let runs = match source.folder.contents() {
        Contents::Run => &alone[..],
        Contents::Sweep | Contents::Peak => &source.cells[..],
    };
    for (cell, run) in runs {
        let strategies = json::at(run, &["strategies"]).and_then(|list| list.as_array());
        for strategy in strategies.into_iter().flatten() {
            let name = json::text(strategy, &["strategy"]).unwrap_or_default();
            let place = match cell.is_empty() {
                true => name,
                false => format!("cell {cell}, {name}"),
            };
            told.extend(
                json::texts(strategy, &[what])
                    .into_iter()
                    .map(|text| (place.clone(), text)),
            );
        }
    }
    let list = html! {
        ul { @for (place, text) in &told { li { strong { (place) } ": " (text) } } }
    };
    html! {
        @if !told.is_empty() {
            h3 { (title) }
            @if told.len() < MANY { (list) } @else {
                details { summary { (told.len()) " remarks" } (list) }
            }
        }
    }
}
