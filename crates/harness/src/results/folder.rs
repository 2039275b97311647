//! The folder of a run and the files in it.
//!
//! Rows are on disk as soon as a strategy is done, so whatever ends a run leaves what was measured
//! before. The folder is made before anything is started: a run whose results could not be kept
//! does not begin.

use super::columns::Columns;
use super::measures::Measures;
use super::rows::{
    self, CdfPoint, GroupInterval, Interval, PeakStep, Point, SCHEMA, SampleRow, Whole,
    interval_columns, peak_columns, summary_columns,
};
use super::sheet::Sheet;
use super::whole;
use crate::error::UsageError;
use crate::time;
use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where the files of a run go.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// Into a new folder in this one, whose `latest` is linked to it, with a data dictionary beside
    /// it.
    New(PathBuf),
    /// Into this folder, which is not there yet; the one it is in is.
    Exact {
        /// The run's name in the files.
        run_id: String,
        path: PathBuf,
    },
}

impl Destination {
    /// The name of the run that began then, and its folder.
    fn name(&self, began: SystemTime) -> (String, PathBuf) {
        match self {
            Self::New(out) => {
                let date: String = time::text(began)
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .collect();
                let run_id = format!("{date}-{:04x}", time::unique() & 0xffff);
                let path = out.join(&run_id);
                (run_id, path)
            }
            Self::Exact { run_id, path } => (run_id.clone(), path.clone()),
        }
    }
}

/// The folder of one run.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Its name.
    pub(crate) run_id: String,
    path: PathBuf,
    began: SystemTime,
    summary: Sheet,
    intervals: Sheet,
    groups: Sheet,
    cdf: Sheet,
    /// Made when the first row comes: it is large, and only there if it is asked for.
    samples: Option<Sheet>,
}

impl Folder {
    /// Makes the folder, with the headers of the files.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub(crate) fn create(destination: &Destination) -> Result<Self, UsageError> {
        let began = time::date();
        let (run_id, path) = destination.name(began);
        let make = || -> io::Result<Self> {
            if let Destination::New(out) = destination {
                fs::create_dir_all(out)?;
                fs::write(out.join("data-dictionary.md"), rows::data_dictionary())?;
            }
            fs::create_dir(&path)?;
            fs::create_dir(path.join("histograms"))?;
            Ok(Self {
                summary: Sheet::create(&path, "summary.csv", &summary_columns())?,
                intervals: Sheet::create(&path, "intervals.csv", &interval_columns())?,
                groups: Sheet::create(&path, "partitions.csv", &GroupInterval::columns())?,
                cdf: Sheet::create(&path, "cdf.csv", &CdfPoint::columns())?,
                samples: None,
                run_id: run_id.clone(),
                path: path.clone(),
                began,
            })
        };
        let folder = make().map_err(|error| {
            let place = path.parent().unwrap_or(&path).display();
            UsageError::new("--out", format!("cannot write to {place}: {error}"))
        })?;
        if let Destination::New(out) = destination {
            link(out, &folder.run_id);
        }
        Ok(folder)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds rows to the summary.
    pub(crate) fn summarise(&mut self, rows: &[(Point, Measures, Whole)]) -> Result<()> {
        let cells = |(point, measures, whole): &(Point, Measures, Whole)| {
            [point.cells(), measures.cells(), whole.cells()].concat()
        };
        self.summary.add(rows.iter().map(cells))
    }

    /// Adds rows to the time line.
    pub(crate) fn line_up(&mut self, rows: &[(Interval, Measures)]) -> Result<()> {
        let cells = |(interval, measures): &(Interval, Measures)| {
            [interval.cells(), measures.cells()].concat()
        };
        self.intervals.add(rows.iter().map(cells))
    }

    /// Adds what each group did.
    pub(crate) fn keep_groups(&mut self, rows: &[GroupInterval]) -> Result<()> {
        self.groups.add(rows.iter().map(Columns::cells))
    }

    /// Writes down single commands.
    pub(crate) fn keep_samples(&mut self, rows: impl Iterator<Item = SampleRow>) -> Result<()> {
        let sheet = match &mut self.samples {
            Some(sheet) => sheet,
            none => {
                let sheet = Sheet::create(&self.path, "samples.csv", &SampleRow::columns());
                none.insert(sheet.context("samples.csv")?)
            }
        };
        sheet.add(rows.map(|row| row.cells()))
    }

    /// Writes the latencies of one strategy: a histogram for each kind of operation, and its
    /// distribution as rows.
    pub(crate) fn keep_latencies<'a>(
        &mut self,
        strategy: &'static str,
        measured: Duration,
        latencies: impl Iterator<Item = (&'static str, &'a Histogram<u64>)>,
    ) -> Result<()> {
        let path = self
            .path
            .join("histograms")
            .join(format!("{strategy}.hlog"));
        let mut file = BufWriter::new(File::create(&path).context("histograms")?);
        let mut serializer = V2DeflateSerializer::new();
        let mut log = IntervalLogWriterBuilder::new()
            .with_base_time(self.began)
            .begin_log_with(&mut file, &mut serializer)
            .context("histograms")?;
        for (op, histogram) in latencies {
            let written = log.write_histogram(histogram, Duration::ZERO, measured, Tag::new(op));
            written.map_err(|error| anyhow::anyhow!("histograms: {error}"))?;
            let points = cdf(&self.run_id, strategy, op, histogram);
            self.cdf.add(points.map(|point| point.cells()))?;
        }
        Ok(())
    }

    /// Writes `run.json`.
    pub(crate) fn describe(
        &self,
        run: &impl Serialize,
        finished: Option<SystemTime>,
    ) -> Result<()> {
        #[derive(Serialize)]
        struct Description<'a, T> {
            schema: u32,
            run_id: &'a str,
            began: String,
            finished: Option<String>,
            #[serde(flatten)]
            run: &'a T,
        }
        let description = Description {
            schema: SCHEMA,
            run_id: &self.run_id,
            began: time::text(self.began),
            finished: finished.map(time::text),
            run,
        };
        let text = serde_json::to_string_pretty(&description).context("run.json")?;
        whole::write(&self.path.join("run.json"), text.as_bytes()).context("run.json")
    }
}

/// The folder of a search for the highest throughput, with a run for each step.
#[derive(Debug)]
pub(crate) struct PeakFolder {
    id: String,
    path: PathBuf,
    began: SystemTime,
    count: usize,
    rows: Sheet,
}

impl PeakFolder {
    /// Makes a new folder in `out`, and links `out/latest` to it.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub(crate) fn create(out: &Path) -> Result<Self, UsageError> {
        let began = time::date();
        let (id, path) = Destination::New(out.to_owned()).name(began);
        let make = || -> io::Result<Self> {
            fs::create_dir_all(path.join("cells"))?;
            fs::write(out.join("data-dictionary.md"), rows::data_dictionary())?;
            Ok(Self {
                rows: Sheet::create(&path, "peak.csv", &peak_columns())?,
                id: id.clone(),
                path: path.clone(),
                began,
                count: 0,
            })
        };
        let folder = make().map_err(|error| {
            let problem = format!("cannot write to {}: {error}", out.display());
            UsageError::new("--out", problem)
        })?;
        link(out, &folder.id);
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name and the folder of the next run.
    pub(crate) fn next(&mut self) -> (String, PathBuf) {
        let number = format!("{:04}", self.count);
        self.count += 1;
        let path = self.path.join("cells").join(&number);
        (format!("{}-{number}", self.id), path)
    }

    /// Adds the rows of a step.
    pub(crate) fn add(&mut self, step: &PeakStep, rows: &[(Point, Measures, Whole)]) -> Result<()> {
        let cells = |(point, measures, whole): &(Point, Measures, Whole)| {
            [step.cells(), point.cells(), measures.cells(), whole.cells()].concat()
        };
        self.rows.add(rows.iter().map(cells))
    }

    /// Writes `peak.json`: how the files came about.
    pub(crate) fn describe(&self, command_line: &[String], ended: bool) -> Result<()> {
        let description = serde_json::json!({
            "schema": SCHEMA,
            "run_id": self.id,
            "began": time::text(self.began),
            "finished": ended.then(|| time::text(time::date())),
            "command_line": command_line,
        });
        let text = serde_json::to_string_pretty(&description).context("peak.json")?;
        whole::write(&self.path.join("peak.json"), text.as_bytes()).context("peak.json")
    }
}

/// Points `latest` in `out` to a run's folder. Where links cannot be made there is none.
fn link(out: &Path, run_id: &str) {
    let latest = out.join("latest");
    let _ = fs::remove_file(&latest);
    #[cfg(unix)]
    let _ = std::os::unix::fs::symlink(run_id, &latest);
}

/// How latencies are distributed: in steps of half a percent, with finer ones at the end.
fn cdf(
    run_id: &str,
    strategy: &'static str,
    op: &'static str,
    histogram: &Histogram<u64>,
) -> impl Iterator<Item = CdfPoint> {
    let coarse = (1..=198).map(|step| f64::from(step) * 0.005);
    let fine = (1..=9).map(|step| 0.99 + f64::from(step) * 0.001);
    let finest = (1..=10).map(|step| 0.999 + f64::from(step) * 0.0001);
    let shares = coarse.chain(fine).chain(finest);
    let is_empty = histogram.is_empty();
    shares
        .filter(move |_| !is_empty)
        .map(move |share| CdfPoint {
            run_id: run_id.to_owned(),
            strategy,
            op,
            share,
            latency_us: histogram.value_at_quantile(share),
        })
}
