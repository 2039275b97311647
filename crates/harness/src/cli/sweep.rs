//! The flags of `sweep`: its own, and those of `run`, which all its cells have.

use super::events;
use super::given::{self, brief, word};
use super::{Request, job, parse};
use crate::error::UsageError;
use crate::program;
use crate::registry::info::StrategyInfo;
use crate::registry::workloads::Workloads;
use crate::settings::sweep::{SweepSettings, SweepTask};
use crate::sweep::cell::Cell;
use crate::sweep::folder;
use crate::sweep::share::Share;
use crate::sweep::spec::{Axis, MOST_CELLS, SweepSpec};
use clap::{Arg, ArgMatches, Args, Command};
use std::env;
use std::path::{Path, PathBuf};

/// Commands to begin with: what each is for, and the command.
pub(super) const EXAMPLES: &str = "\
  Throughput over partitions, five seeds each, so that there are intervals:
    PROGRAM sweep --vary partitions=1,2,4 --strategy all --repeat 5 --duration 2s
  The same from a file, with another duration:
    PROGRAM sweep scaling.toml --duration 10s
  What there is to do, and what is done:
    PROGRAM sweep scaling.toml --list
  An eighth of the cells, on each of eight machines with a common folder (in Slurm: --share auto):
    PROGRAM sweep scaling.toml --share 0/8
  What such jobs have done, put together:
    PROGRAM sweep --merge results/scaling";

/// What to say at the end of the help.
const ABOUT: &str = "
All flags of `run` but --out, --history, --record and --peak may be given besides; every cell has
them.

A cell is one run: one combination of the varied values (a point) with one seed. Cells that are
done are kept, so the same command goes on where it was stopped. A file looks like this:
  repeat = 5                  # seeds for each point
  [run]                       # flags of `run`
  strategy = \"all\"
  duration = \"2s\"
  [vary]                      # flags of `run` with the values of each
  partitions = [1, 2, 4]
  \"create,delete,read\" = [[0, 0, 60], [5, 5, 50]]      # several together

In the folder: summary.csv has the rows of all runs, points.csv the mean of each point, with 95 %
intervals (bootstrap) from five repeats on, cells/ the folders of the runs.";

/// The flags of `run` that a sweep does not hand on: each cell has its own.
const NOT_HANDED_ON: [&str; 7] = [
    "out",
    "history",
    "record",
    "peak",
    "help",
    events::LEVEL,
    events::FORMAT,
];

/// The settings of a sweep, as given or by default.
#[derive(Clone, Debug, Args)]
pub(crate) struct SweepArgs {
    /// A file that describes the sweep; flags that are given besides count more
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// A flag of `run`, and the values it is to have; given several times, each combination is run
    #[arg(long, value_name = "FLAG=A,B,C", value_parser = axis)]
    vary: Vec<Axis>,

    /// Runs of each combination, with the seeds from --seed on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    repeat: Option<u64>,

    /// Folder of the sweep; else results/ and the file's name, or a name made from the flags
    #[arg(long = "out", id = "sweep_out", value_name = "DIR")]
    out: Option<PathBuf>,

    /// Say which cells there are and which of them are done, and run nothing
    #[arg(long, conflicts_with_all = ["cell", "share", "merge"])]
    list: bool,

    /// Run this cell alone, from 0; `auto` reads JOB_COMPLETION_INDEX or SLURM_ARRAY_TASK_ID
    #[arg(long, value_name = "N", value_parser = cell_number, conflicts_with = "merge")]
    cell: Option<usize>,

    /// Run the I-th of N equal shares of the cells, from 0; `auto` is a job's place in an array of
    /// Slurm's, `auto/N` reads I as --cell does
    #[arg(long, value_name = "I/N", value_parser = share, conflicts_with_all = ["cell", "merge"])]
    share: Option<Share>,

    /// Put together the cells that are in this folder, and run nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "vary", "repeat", "sweep_out"])]
    merge: Option<PathBuf>,

    /// Compare with this earlier sweep or run
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
}

/// Adds the flags of `run` to the command, unseen: they are in the help of `run`.
pub(super) fn with_flags_of_run(sweep: Command, run: &Command) -> Command {
    let own: Vec<_> = sweep.get_arguments().filter_map(Arg::get_long).collect();
    let handed_on = run.get_arguments().filter(|arg| {
        let long = arg.get_long().unwrap_or_default();
        !NOT_HANDED_ON.contains(&long) && !own.contains(&long)
    });
    let handed_on: Vec<Arg> = handed_on.map(|arg| arg.clone().hide(true)).collect();
    sweep.args(handed_on)
}

/// What to say after the help.
pub(super) fn after_help(examples: &str) -> String {
    format!("{}\n\n{examples}", program::named(ABOUT).trim_start())
}

impl SweepArgs {
    /// What is asked for, each cell checked. `run` is the command of the same program.
    ///
    /// # Errors
    /// What is wrong with a file, a flag or a cell.
    pub(super) fn request<W: Workloads>(
        self,
        matches: &ArgMatches,
        command: &Command,
        registered: &[StrategyInfo],
    ) -> anyhow::Result<Request<W>> {
        let run = command.find_subcommand("run");
        let run = run.unwrap_or_else(|| unreachable!("`run` is a command"));
        let (spec, folder) = match &self.merge {
            Some(folder) => (folder::read_spec(folder)?, folder.clone()),
            None => {
                let spec = self.spec(run, matches)?;
                let folder = self.folder(&spec);
                (spec, folder)
            }
        };
        let cells = cells(&spec, run, command, registered)?;
        let task = match self.cell {
            Some(number) if number >= cells.len() => {
                let problem = format!("there is no cell {number} of {}", cells.len());
                return Err(UsageError::new("--cell", problem).into());
            }
            Some(number) => SweepTask::Cell(number),
            None if self.list => SweepTask::List,
            None if self.merge.is_some() => SweepTask::Merge,
            None => self.share.map_or(SweepTask::Rest, SweepTask::Share),
        };
        let settings = SweepSettings {
            spec,
            folder,
            task,
            baseline: self.baseline,
            quiet: matches.get_flag("quiet"),
        };
        Ok(Request::Sweep(settings, cells))
    }

    /// The file, and what is given besides.
    fn spec(&self, run: &Command, matches: &ArgMatches) -> Result<SweepSpec, UsageError> {
        let mut spec = match &self.file {
            Some(path) => SweepSpec::read(path)?,
            None => SweepSpec {
                repeat: 1,
                ..SweepSpec::default()
            },
        };
        if self.file.is_none() && self.vary.is_empty() && self.repeat.is_none() {
            let problem = "nothing to do: name a file, --vary or --repeat";
            return Err(UsageError::new("sweep", problem));
        }
        let but = [&NOT_HANDED_ON[..], &["quiet"]].concat();
        for (flag, value) in given::given(run, matches, &but)? {
            spec.set(&flag, value);
        }
        for axis in &self.vary {
            spec.vary(axis.clone());
        }
        spec.repeat = self.repeat.unwrap_or(spec.repeat);
        Ok(spec)
    }

    fn folder(&self, spec: &SweepSpec) -> PathBuf {
        let named = self.file.as_deref().and_then(Path::file_stem);
        let default = || match named {
            Some(name) => Path::new("results").join(name),
            None => Path::new("results").join(format!("sweep-{:08x}", spec.digest() >> 32)),
        };
        self.out.clone().unwrap_or_else(default)
    }
}

/// The cells of a sweep, all points with the first seed, then with the next one: a machine that
/// grows slower strikes all points alike.
fn cells<W: Workloads>(
    spec: &SweepSpec,
    run: &Command,
    command: &Command,
    registered: &[StrategyInfo],
) -> anyhow::Result<Vec<Cell<W>>> {
    let count = spec.point_count().filter(|count| *count <= MOST_CELLS);
    let points = count.unwrap_or(MOST_CELLS + 1);
    if points.saturating_mul(spec.repeat as usize) > MOST_CELLS {
        let problem = format!("more than {MOST_CELLS} runs");
        return Err(UsageError::new("--vary, --repeat", problem).into());
    }
    let mut cells = Vec::new();
    for repeat in 0..spec.repeat {
        for point in 0..points {
            let number = cells.len();
            let told = spec.told(point);
            let words = words(spec, point, repeat, run)?;
            let line = [program::name(), "run".into()].into_iter().chain(words);
            let line: Vec<String> = line.collect();
            let all = line.iter().map(Into::into);
            let bad = |error: String| {
                let place = match told.is_empty() {
                    true => "all cells".to_owned(),
                    false => format!("cell {number} ({told})"),
                };
                UsageError::new(place, error)
            };
            let parsed = parse::<W>(command, all, registered);
            let request = parsed.map_err(|error| bad(brief(&error)))?;
            let Request::Run(settings, flags) = request.map_err(|e| bad(format!("{e:#}")))? else {
                unreachable!("the command is `run`")
            };
            cells.push(Cell {
                number,
                point,
                repeat,
                settings: *settings,
                flags,
            });
        }
    }
    Ok(cells)
}

/// The flags of one cell.
fn words(
    spec: &SweepSpec,
    point: usize,
    repeat: u64,
    run: &Command,
) -> Result<Vec<String>, UsageError> {
    let common = spec.run.iter().map(|it| (&it.flag[..], &it.value[..]));
    let mut settings: Vec<(&str, &str)> = common.chain(spec.varied(point)).collect();
    let place = settings.iter().position(|(flag, _)| *flag == "seed");
    let first = place.map_or("1", |place| settings.remove(place).1);
    let seed = first.parse::<u64>().ok();
    let Some(seed) = seed.and_then(|seed| seed.checked_add(repeat)) else {
        let problem = format!("{first:?} is no number, or too large a one");
        return Err(UsageError::new("seed", problem));
    };
    let mut words = vec!["--seed".to_owned(), seed.to_string()];
    for (flag, value) in settings {
        let arg = given::flag(run, flag).filter(|_| !NOT_HANDED_ON.contains(&flag));
        let Some(arg) = arg else {
            let problem = "no flag of `run` that cells may have";
            return Err(UsageError::new(flag.to_owned(), problem));
        };
        words.extend(word(arg, value)?);
    }
    Ok(words)
}

/// Reads a flag and its values.
fn axis(text: &str) -> Result<Axis, String> {
    let (flag, values) = text.split_once('=').ok_or("FLAG=A,B,C is needed")?;
    if flag.contains(',') {
        return Err("flags that are varied together need a file".into());
    }
    Ok(Axis {
        flag: flag.trim_start_matches('-').to_owned(),
        values: values.split(',').map(str::to_owned).collect(),
    })
}

/// Reads the number of a cell.
fn cell_number(text: &str) -> Result<usize, String> {
    if text == "auto" {
        return job::number(&variable);
    }
    let number = text.parse();
    number.map_err(|_| format!("{text:?} is no number of a cell"))
}

/// Reads a share.
fn share(text: &str) -> Result<Share, String> {
    let (number, of) = match text.split_once('/') {
        None if text == "auto" => job::place(&variable)?,
        None => return Err("I/N, auto or auto/N is needed".into()),
        Some((number, of)) => {
            let of = of.parse().map_err(|_| format!("{of:?} is no number"))?;
            (cell_number(number)?, of)
        }
    };
    Share::new(number, of).ok_or_else(|| format!("there is no share {number} of {of}, from 0"))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
