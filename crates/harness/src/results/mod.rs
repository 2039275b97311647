//! The files of a run: `results/<run-id>/` with `run.json`, `summary.csv`, `intervals.csv`,
//! `cdf.csv` and `histograms/`.

pub(crate) mod columns;
pub(crate) mod folder;
pub(crate) mod measures;
pub(crate) mod rows;
mod sheet;
pub(crate) mod span;
pub(crate) mod table;
pub(crate) mod whole;
