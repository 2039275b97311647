//! What is left of a run once it has ended: its rows, and what was noticed, for people.

use crate::ending::Ending;
use crate::results::measures::Measures;
use crate::results::rows::{ALL, Point, STALE, Whole};
use crate::tables;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What was noticed of one strategy.
#[derive(Serialize)]
pub(super) struct Remarks {
    pub(super) strategy: &'static str,
    pub(super) linearizable: &'static str,
    pub(super) judged_ops: Option<usize>,
    pub(super) unjudged_ops: Option<usize>,
    pub(super) replicas_agree: Option<&'static str>,
    pub(super) cluster: &'static str,
    /// Whether what must hold of all objects together does, if something must.
    pub(super) consistent: Option<&'static str>,
    /// Whether all that the shared cache answered alone was true once, if it was allowed to.
    pub(super) stale_values: Option<&'static str>,
    /// Objects that were read at the end, if they were.
    pub(super) audited_objects: Option<u64>,
    /// How often each word of `--fault` struck.
    pub(super) faults: BTreeMap<&'static str, u64>,
    /// How many items memcached servers of the run's own have thrown out for want of room since
    /// each was started last.
    pub(super) cache_evictions: Option<u64>,
    /// The most memory that the process of a replica took, in the first and the last tenth of what
    /// was measured.
    pub(super) rss_first_mib: Option<f64>,
    pub(super) rss_last_mib: Option<f64>,
    /// What is wrong, in words.
    pub(super) problems: Vec<String>,
    /// What is to be known besides.
    pub(super) notes: Vec<String>,
}

/// A run that has ended.
pub(crate) struct Finished {
    pub(crate) ending: Ending,
    pub(super) rows: Vec<(Point, Measures, Whole)>,
    pub(super) remarks: Vec<Remarks>,
    /// What is to be known of the workload, behind its name.
    pub(super) notes: Vec<String>,
    /// Where its files are.
    pub(super) folder: PathBuf,
}

impl Finished {
    /// The rows of the summary.
    pub(crate) fn rows(&self) -> &[(Point, Measures, Whole)] {
        &self.rows
    }

    /// Prints what is wrong.
    pub(crate) fn tell_problems(&self) {
        for remarks in &self.remarks {
            for problem in &remarks.problems {
                eprintln!("{}: {problem}", remarks.strategy);
            }
        }
    }

    /// Prints the table, and what to know with it. What is wrong is told even to those who want
    /// quiet.
    pub(super) fn tell(&self, quiet: bool) {
        self.tell_problems();
        if quiet {
            return;
        }
        if !self.rows.is_empty() {
            println!("{}", tables::tables(&self.totals()));
        }
        let stale = self.rows_of(STALE);
        if !stale.is_empty() {
            println!("\n{}", tables::stale_reads(&stale));
        }
        if cfg!(debug_assertions) {
            println!(
                "note: this program was compiled without optimisation; use cargo run --release"
            );
        }
        for note in &self.notes {
            println!("note: workload {note}");
        }
        for remarks in &self.remarks {
            remarks
                .notes
                .iter()
                .for_each(|note| println!("note: {}: {note}", remarks.strategy));
        }
        if self.ending == Ending::Interrupted {
            println!("interrupted: this is what was measured until then");
        }
        println!("results: {}", self.folder.display());
    }

    /// The rows for all kinds of operations together, one for each strategy.
    pub(crate) fn totals(&self) -> Vec<&(Point, Measures, Whole)> {
        self.rows_of(ALL)
    }

    fn rows_of(&self, op: &str) -> Vec<&(Point, Measures, Whole)> {
        let rows = self.rows.iter().filter(|(point, ..)| point.op == op);
        rows.collect()
    }
}
