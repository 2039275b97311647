//! The files of a run: `results/<run-id>/` with `run.json`, `summary.csv`, `intervals.csv` and
//! `histograms/`.

pub(crate) mod columns;
pub(crate) mod folder;
pub(crate) mod measures;
pub(crate) mod rows;
pub(crate) mod span;
pub(crate) mod table;
