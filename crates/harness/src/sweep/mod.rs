//! The command `sweep`: many runs, each combination of varied flags with several seeds.
//!
//! Each cell is a run like any other, in this process and in its own folder; what is done is kept,
//! so a sweep goes on where it stopped, and other processes may do some of its cells. Invariant:
//! all cells are checked before the first one starts, and the files of a sweep are functions of the
//! files of its cells.

mod baseline;
pub(crate) mod cell;
pub(crate) mod folder;
mod points;
mod rows;
pub(crate) mod share;
pub(crate) mod spec;
mod told;

use crate::ending::Ending;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::report;
use crate::results::folder::Destination;
use crate::results::rows::summary_columns;
use crate::run::{self, Surroundings};
use crate::settings::sweep::{SweepSettings, SweepTask};
use crate::time;
use anyhow::{Context, Result};
use cell::Cell;
use folder::{Claim, SweepFolder};
use rows::Rows;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Carries out what is asked of a sweep.
///
/// # Errors
/// If the folder holds another sweep or cannot be written to.
pub(crate) fn run<W: Workloads>(
    settings: &SweepSettings,
    cells: &[Cell<W>],
    strategies: &Strategies,
) -> Result<Ending> {
    let baseline = settings.baseline.as_deref();
    let baseline = baseline.map(|folder| Rows::read(&folder.join("summary.csv")));
    let baseline = baseline.transpose()?;
    let sweep = Sweep {
        settings,
        cells,
        strategies,
        folder: SweepFolder::at(&settings.folder, &settings.spec)?,
        interrupt: Interrupt::listen(),
        progress: Progress::of_many(settings.quiet),
    };
    let every: Vec<usize> = (0..cells.len()).collect();
    let ending = match settings.task {
        SweepTask::List => {
            println!("{}", sweep.list());
            // It may well be run on another machine, which has what is missing here.
            if let Err(error) = sweep.check(&every) {
                eprintln!("note: this cannot be run here: {error:#}");
            }
            return Ok(Ending::Good);
        }
        SweepTask::Cell(number) => return sweep.measure(&[number]),
        SweepTask::Share(share) => {
            let points = settings.spec.point_count().unwrap_or(1);
            let own = every.into_iter().filter(|cell| share.has(*cell, points));
            return sweep.measure(&own.collect::<Vec<_>>());
        }
        SweepTask::Rest => sweep.measure(&every)?,
        SweepTask::Merge => Ending::Good,
    };
    let summary = sweep.merge()?;
    sweep.conclude(&summary, baseline.as_ref())?;
    report::beside(sweep.folder.path(), settings.quiet);
    Ok(ending.max(told::ending(&summary)))
}

/// A sweep under way.
struct Sweep<'a, W> {
    settings: &'a SweepSettings,
    cells: &'a [Cell<W>],
    strategies: &'a Strategies,
    folder: SweepFolder,
    interrupt: Interrupt,
    progress: Progress,
}

impl<W: Workloads> Sweep<'_, W> {
    /// A line for each cell: its number, whether it is done, and its point.
    fn list(&self) -> String {
        let line = |cell: &Cell<W>| {
            let state = match self.folder.is_done(cell.number) {
                true => "done",
                false => "open",
            };
            let (point, seed) = (self.settings.spec.told(cell.point), cell.settings.seed);
            format!("{:4}  {state}  {point} seed={seed}", cell.number)
        };
        let lines: Vec<String> = self.cells.iter().map(line).collect();
        lines.join("\n")
    }

    /// Runs those of these cells that are not done.
    fn measure(&self, numbers: &[usize]) -> Result<Ending> {
        let open = |number: &&usize| !self.folder.is_done(**number);
        let open: Vec<usize> = numbers.iter().filter(open).copied().collect();
        self.check(&open)?;
        self.folder.make(&self.settings.spec)?;
        let mut pace = Pace::new(self.cells, &open);
        self.progress.note(&pace.told(numbers.len(), open.len()));
        let mut ending = Ending::Good;
        for (place, number) in open.iter().enumerate() {
            let Some(claim) = self.folder.claim(*number)? else {
                let note = format!("cell {number}: another process is at it, or has done it");
                self.progress.note(&note);
                continue;
            };
            let began = time::elapsed_us();
            ending = ending.max(self.run(&self.cells[*number], claim)?);
            if ending == Ending::Interrupted {
                self.progress.note("interrupted: the same command goes on");
                break;
            }
            pace.took(time::elapsed_us() - began);
            let left = open.len() - place - 1;
            if left > 0 {
                self.progress.note(&pace.told(numbers.len(), left));
            }
            if self.settings.task == SweepTask::Rest {
                self.merge()?;
            }
        }
        self.progress.finish();
        Ok(ending)
    }

    /// Checks the points of these cells, before the first one starts.
    fn check(&self, open: &[usize]) -> Result<()> {
        let mut checked = BTreeSet::new();
        for number in open {
            let cell = &self.cells[*number];
            if checked.insert(cell.point) {
                let good = run::check(&cell.settings, self.strategies, &cell.flags);
                good.with_context(|| self.name(cell))?;
            }
        }
        Ok(())
    }

    /// A cell in words.
    fn name(&self, cell: &Cell<W>) -> String {
        let point = self.settings.spec.told(cell.point);
        format!("cell {} ({point} seed={})", cell.number, cell.settings.seed)
    }

    /// Runs one cell. One that fails is told and stays open.
    fn run(&self, cell: &Cell<W>, claim: Claim) -> Result<Ending> {
        let around = Surroundings {
            command_line: cell.settings.command_line.clone(),
            destination: Destination::Exact {
                run_id: self.folder.run_id(cell.number),
                path: claim.part.clone(),
            },
            interrupt: &self.interrupt,
            progress: &self.progress,
        };
        let finished = run::carry_out(&cell.settings, self.strategies, &cell.flags, around);
        let name = self.name(cell);
        let finished = match finished {
            Ok(finished) => finished,
            Err(error) => {
                self.progress.note(&format!("{name} failed: {error:#}"));
                return Ok(Ending::Wrong);
            }
        };
        if finished.ending == Ending::Interrupted {
            return Ok(Ending::Interrupted);
        }
        finished.tell_problems();
        claim.done()?;
        let measured = told::line(&finished.totals());
        self.progress.note(&format!("{name}: {measured}"));
        Ok(finished.ending)
    }

    /// Puts together the rows of the cells that are done.
    fn merge(&self) -> Result<Rows> {
        let spec = &self.settings.spec;
        let extra = points::extra_columns(spec);
        let known: Vec<&str> = summary_columns().iter().map(|column| column.name).collect();
        let own = ["point", "repeat"].map(str::to_owned).into_iter();
        let extra_names = extra.iter().map(|column| column.name.clone());
        let of_runs = known.iter().map(|name| (*name).to_owned());
        let mut summary = Rows {
            header: own.chain(extra_names).chain(of_runs).collect(),
            rows: Vec::new(),
        };
        for cell in self.cells {
            if !self.folder.is_done(cell.number) {
                continue;
            }
            let run = Rows::read(&self.folder.cell(cell.number).join("summary.csv"))?;
            let varied: BTreeMap<&str, &str> = spec.varied(cell.point).into_iter().collect();
            for row in &run.rows {
                let own = [cell.point.to_string(), cell.repeat.to_string()].into_iter();
                let extra = extra.iter().map(|column| {
                    let value = varied.get(column.flag).copied();
                    value.unwrap_or_default().to_owned()
                });
                let measured = known.iter().map(|name| run.cell(row, name).to_owned());
                summary
                    .rows
                    .push(own.chain(extra).chain(measured).collect());
            }
        }
        self.folder.write("summary.csv", &summary.to_csv())?;
        Ok(summary)
    }

    /// Makes points of the rows, tells what came of it, and compares.
    fn conclude(&self, summary: &Rows, baseline: Option<&Rows>) -> Result<()> {
        let spec = &self.settings.spec;
        let open = (self.cells.iter())
            .filter(|cell| !self.folder.is_done(cell.number))
            .count();
        let points = points::points(summary, spec);
        self.folder.write("points.csv", &points.to_csv())?;
        let compared = baseline.map(|before| baseline::compare(summary, before, spec));
        if let Some(compared) = &compared {
            self.folder.write("comparison.csv", &compared.to_csv())?;
        }
        if self.settings.quiet {
            return Ok(());
        }
        println!("{}", told::table(&points, spec));
        for note in told::warnings(summary, &points, spec) {
            println!("note: {note}");
        }
        if let Some(compared) = compared {
            println!("{}", told::comparison(&compared, spec));
        }
        if open > 0 {
            println!("note: {open} of {} cells are not done", self.cells.len());
        }
        println!("results: {}", self.folder.path().display());
        Ok(())
    }
}

/// How long cells take, for telling how long the rest will.
struct Pace {
    /// What their settings alone make of it.
    at_least: Duration,
    taken: Vec<u64>,
}

impl Pace {
    fn new<W>(cells: &[Cell<W>], open: &[usize]) -> Self {
        let times = open.iter().map(|number| {
            let settings = &cells[*number].settings;
            settings.least_time() * settings.strategies.len() as u32
        });
        Self {
            at_least: times.sum(),
            taken: Vec::new(),
        }
    }

    fn took(&mut self, us: u64) {
        self.taken.push(us);
    }

    /// How far it is, and how long the rest will take.
    fn told(&self, all: usize, left: usize) -> String {
        let done = all - left;
        let time = match self.taken.len() as u64 {
            0 => format!("at least {}", rough(self.at_least)),
            count => {
                let mean = self.taken.iter().sum::<u64>() / count;
                format!("about {}", rough(Duration::from_micros(mean * left as u64)))
            }
        };
        format!("{done} of {all} cells are done; the rest takes {time}")
    }
}

/// A time without what nobody wants to know.
fn rough(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs().max(1))).to_string()
}
