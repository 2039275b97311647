//! The command line: every flag, its default, and what makes a value bad.
//!
//! It starts nothing. The flags of workloads, and the names to choose from, come from what is
//! registered. Invariant: what it hands out is within the protocol's bounds, and every refusal
//! names the flag. Refusals end with exit status 2, as clap's do.

mod choices;
mod cluster;
mod cluster_job;
mod deployed;
pub(crate) mod events;
mod examples;
mod from;
mod given;
mod job;
mod log;
mod mutant;
mod node;
mod plot;
mod report;
mod run;
mod sim;
mod sweep;
mod top;
mod trace;
mod values;

use crate::error::RegistrationError;
use crate::program;
use crate::registry::check::{self, ALL};
use crate::registry::info::StrategyInfo;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::cluster::{ClusterSettings, StartSettings};
use crate::settings::log::LogSettings;
use crate::settings::node::NodeSettings;
use crate::settings::plot::PlotSettings;
use crate::settings::report::ReportSettings;
use crate::settings::run::RunSettings;
use crate::settings::sim::SimSettings;
use crate::settings::sweep::SweepSettings;
use crate::settings::top::TopSettings;
use crate::settings::trace::TraceSettings;
use crate::sweep::cell::Cell;
use crate::workload::contract::WorkloadInfo;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};
use cluster::ClusterArgs;
use examples::Vocabulary;
use log::LogArgs;
use node::NodeArgs;
use plot::PlotArgs;
use report::ReportArgs;
use run::RunArgs;
use sim::SimArgs;
use std::ffi::OsString;
use std::path::PathBuf;
use sweep::SweepArgs;
use top::TopArgs;
use trace::TraceArgs;

/// Dynamic object creation on scalable state machine replication: four strategies, measured and
/// checked.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run one workload under one or all strategies, check every history, print a table, write CSV
    /// files
    Run(Box<RunArgs>),
    /// Run many: each combination of varied flags with several seeds; go on where it stopped
    Sweep(SweepArgs),
    /// Simulate whole clusters in virtual time, with faults, from seeds; say how to replay a
    /// failure
    Sim(SimArgs),
    /// Run one replica as a process of its own, from a cluster file
    Node(NodeArgs),
    /// Describe, start, found, show, restart or stop a whole cluster
    Cluster(ClusterArgs),
    /// Show how a running cluster is, again and again: a line for each replica, and the hottest
    /// objects
    Top(TopArgs),
    /// Look into a replica's data folder: what is there, and whether it can go on from there
    Log(LogArgs),
    /// Draw figures of what a run or a sweep has measured, from its files
    Plot(PlotArgs),
    /// Make traces of commands, to be replayed by `run --workload trace`
    Trace(TraceArgs),
    /// Make one page of what a run or a sweep has measured: verdicts, figures, tables, settings
    Report(ReportArgs),
}

/// What the user asks for.
#[derive(Debug)]
pub(crate) enum Request<W> {
    /// Run workloads: the settings, and the flags of every workload.
    Run(Box<RunSettings>, W),
    /// Begin with a cluster that starts elsewhere, and then run on it.
    Load(StartSettings, Box<RunSettings>, W),
    /// Run many: the settings, and every run.
    Sweep(SweepSettings, Vec<Cell<W>>),
    /// Simulate.
    Sim(SimSettings),
    /// Be a replica.
    Node(NodeSettings),
    /// Do something with a cluster.
    Cluster(ClusterSettings),
    /// Watch a cluster.
    Top(TopSettings),
    /// Look into a data folder.
    Log(LogSettings),
    /// Draw figures.
    Plot(PlotSettings),
    /// Make a trace.
    Trace(TraceSettings),
    /// Make a page.
    Report(ReportSettings),
}

/// The command line of a program that has registered these strategies and workloads.
///
/// # Errors
/// If what is registered cannot be told apart.
pub(crate) fn command<W: Workloads>(
    strategies: &Strategies,
) -> Result<clap::Command, RegistrationError> {
    let names: Vec<&str> = strategies.infos().iter().map(|info| info.name).collect();
    check::names("strategy", &names)?;
    let workloads = W::infos();
    let kinds: Vec<&str> = workloads.iter().map(|info| info.name).collect();
    check::names("workload", &kinds)?;
    let vocabulary = Vocabulary {
        strategies: &names,
        workloads: &kinds,
    };
    let with_examples = |command: clap::Command, examples, and_then: &str| {
        let fitting = vocabulary.fitting(examples, &command);
        command.after_help(format!("{fitting}\n\n{and_then}").trim().to_owned())
    };
    let command = events::with_flags(Cli::command())
        .name(program::name())
        .mut_subcommand("run", |run| {
            let about = run.get_about().cloned();
            let run = W::augment(with_strategies(run, &names)).about(about.unwrap_or_default());
            let run = with_workloads(run, &workloads);
            with_examples(run, run::EXAMPLES, run::EXIT_STATUS)
        })
        .mut_subcommand("sim", |sim| {
            with_examples(with_strategies(sim, &names), sim::EXAMPLES, "")
        })
        .mut_subcommand("node", |node| {
            node.after_help(program::named(node::EXAMPLES))
        })
        .mut_subcommand("cluster", cluster::with_examples)
        .mut_subcommand("top", |top| top.after_help(program::named(top::EXAMPLES)))
        .mut_subcommand("log", |log| log.after_help(program::named(log::EXAMPLES)))
        .mut_subcommand("plot", |plot| {
            plot.after_help(program::named(plot::EXAMPLES))
        })
        .mut_subcommand("report", |report| {
            report.after_help(program::named(report::EXAMPLES))
        })
        .mut_subcommand("trace", trace::with_examples);
    let run = command.find_subcommand("run").cloned();
    let run = run.unwrap_or_else(|| unreachable!("`run` is a command"));
    let command = command.mut_subcommand("sweep", |sweep| {
        let sweep = sweep::with_flags_of_run(sweep, &run);
        let examples = vocabulary.fitting(sweep::EXAMPLES, &sweep);
        sweep.after_help(sweep::after_help(&examples))
    });
    command.get_subcommands().try_for_each(check::flags)?;
    // A negative number is told by the flag's name.
    let negative = |arg: Arg| {
        let has_value = arg.get_action().takes_values();
        arg.allow_negative_numbers(has_value)
    };
    Ok(command.mut_subcommands(|command| command.mut_args(negative)))
}

fn with_strategies(command: clap::Command, names: &[&'static str]) -> clap::Command {
    let names = names.iter().copied().chain([ALL]);
    command.mut_arg("strategy", |arg| {
        arg.value_parser(PossibleValuesParser::new(names))
    })
}

fn with_workloads(command: clap::Command, workloads: &[WorkloadInfo]) -> clap::Command {
    let names = workloads
        .iter()
        .map(|info| PossibleValue::new(info.name).help(info.about));
    command.mut_arg("workload", |arg| {
        arg.value_parser(PossibleValuesParser::new(names))
            .required(false)
            .default_value(workloads[0].name)
    })
}

/// Reads a command line. What is wrong with it ends the program.
///
/// # Errors
/// If a flag was given that the chosen workload does not have.
pub(crate) fn read<W: Workloads>(
    command: &clap::Command,
    words: impl IntoIterator<Item = OsString>,
    registered: &[StrategyInfo],
) -> anyhow::Result<Request<W>> {
    parse(command, words, registered).unwrap_or_else(|error| error.exit())
}

/// Reads a command line.
///
/// # Errors
/// What is wrong with its form; within, if a flag was given that the chosen workload does not have.
pub(crate) fn parse<W: Workloads>(
    command: &clap::Command,
    words: impl IntoIterator<Item = OsString>,
    registered: &[StrategyInfo],
) -> Result<anyhow::Result<Request<W>>, clap::Error> {
    let words: Vec<OsString> = words.into_iter().collect();
    let mut matches = command.clone().try_get_matches_from(&words)?;
    if let Some(now) = matches.subcommand_matches("run")
        && let Some(path) = now.get_one::<PathBuf>("from")
    {
        let run = command.find_subcommand("run");
        let run = run.unwrap_or_else(|| unreachable!("`run` is a command"));
        return match from::words(path, run, now) {
            Ok(words) => parse(command, words.into_iter().map(Into::into), registered),
            Err(error) => Ok(Err(error.into())),
        };
    }
    let given = matches.clone();
    let run = given.subcommand_matches("run");
    let flags = run.map(W::parse).transpose()?;
    let cli = Cli::from_arg_matches_mut(&mut matches)?;
    if let (Command::Sweep(args), Some(matches)) = (&cli.command, given.subcommand_matches("sweep"))
    {
        return Ok(args.clone().request(matches, command, registered));
    }
    if let Command::Cluster(args) = &cli.command
        && let Some(job) = args.job()
    {
        return job.request(command, registered);
    }
    let unused = run.map_or(Ok(()), |run| {
        let chosen = run.get_one::<String>("workload");
        chosen.map_or(Ok(()), |chosen| W::check_unused(run, chosen))
    });
    let line = words.iter().map(|word| word.to_string_lossy().into_owned());
    let mut asked = match unused {
        Ok(()) => settings(cli, flags, registered, line.collect()),
        Err(unused) => Err(unused.into()),
    };
    if let (Ok(Request::Run(settings, _)), Some(matches)) = (&mut asked, run) {
        let run = command.find_subcommand("run");
        let run = run.unwrap_or_else(|| unreachable!("`run` is a command"));
        let filled_in = given::given(run, matches, &[])
            .and_then(|given| deployed::fill_in::<W>(settings, &given, registered));
        if let Err(error) = filled_in {
            return Ok(Err(error.into()));
        }
    }
    Ok(asked)
}

fn settings<W: Workloads>(
    cli: Cli,
    flags: Option<W>,
    registered: &[StrategyInfo],
    command_line: Vec<String>,
) -> anyhow::Result<Request<W>> {
    Ok(match (cli.command, flags) {
        (Command::Run(args), Some(flags)) => {
            let described = flags.describe()?;
            Request::Run(
                Box::new(args.settings(registered, described, command_line)),
                flags,
            )
        }
        (Command::Run(_), None) => unreachable!("the command is `run`"),
        (Command::Sweep(_), _) => unreachable!("it is read before"),
        (Command::Sim(args), _) => Request::Sim(args.settings(registered)),
        (Command::Node(args), _) => Request::Node(args.settings()),
        (Command::Cluster(args), _) => Request::Cluster(args.settings()),
        (Command::Top(args), _) => Request::Top(args.settings()),
        (Command::Log(args), _) => Request::Log(args.settings()),
        (Command::Plot(args), _) => Request::Plot(args.settings()),
        (Command::Trace(args), _) => Request::Trace(args.settings()),
        (Command::Report(args), _) => Request::Report(args.settings()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::{BuiltinWorkloads, strategies};
    use crate::registry::info::Directory;
    use crate::sim::failure_report;
    use crate::sim::variant::{Variant, variants};
    use ssmr_core::{CacheReads, Execution, Reads};
    use ssmr_sim::{Options, Profile};
    use std::time::Duration;

    fn request<'a>(words: impl IntoIterator<Item = &'a str>) -> Request<BuiltinWorkloads> {
        let command = command::<BuiltinWorkloads>(&strategies()).unwrap();
        let words = ["harness"].into_iter().chain(words);
        read(&command, words.map(Into::into), &strategies().infos()).unwrap()
    }

    fn run(flags: &[&str]) -> RunSettings {
        match request(["run"].into_iter().chain(flags.iter().copied())) {
            Request::Run(settings, _) => *settings,
            other => panic!("{flags:?} is another command: {other:?}"),
        }
    }

    fn names(settings: &RunSettings) -> Vec<&str> {
        settings.strategies.iter().map(|info| info.name).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        command::<BuiltinWorkloads>(&strategies())
            .unwrap()
            .debug_assert();
    }

    #[test]
    fn every_flag_has_a_default() {
        let settings = run(&[]);
        assert_eq!(names(&settings), ["global", "broker", "static", "cache"]);
        assert_eq!(settings.workload, "kv");
        let some = run(&["--strategy", "cache,global"]);
        assert_eq!(names(&some), ["global", "cache"]);
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, millis) in [("500ms", 500), ("5s", 5_000), ("1m", 60_000)] {
            let time = run(&["--duration", text]).duration;
            assert_eq!(time, Duration::from_millis(millis));
        }
    }

    /// Added to the time it is now, they overflowed.
    #[test]
    fn times_that_nobody_lives_to_see_are_refused() {
        for flag in ["--duration", "--warmup"] {
            let words = ["harness", "run", flag, "584500years"].map(Into::into);
            let command = command::<BuiltinWorkloads>(&strategies()).unwrap();
            let read = parse::<BuiltinWorkloads>(&command, words, &strategies().infos());
            let Err(error) = read else {
                panic!("{flag} is accepted")
            };
            let error = error.to_string();
            assert!(error.contains(flag) && error.contains("a year"), "{error}");
        }
    }

    #[test]
    fn the_command_says_all_that_a_simulation_is_a_function_of() {
        #[allow(clippy::needless_update, reason = "feature `mutants` adds a field")]
        let options = Options {
            partitions: 2,
            replicas: 5,
            clients: 7,
            window: 9,
            requests: 11,
            objects: 13,
            execution: Execution::Gather,
            reads: Reads::Lease,
            cache_reads: CacheReads::Stale,
            profile: Profile::Storm,
            steps: 17,
            log_bytes: 1_900,
            ..Options::default()
        };
        let of = |name: &str| {
            strategies()
                .infos()
                .into_iter()
                .find(|info| info.name == name)
        };
        for (name, directory, label) in [
            ("static", Directory::Home, "static with directory"),
            ("static", Directory::None, "static"),
            ("cache", Directory::None, "cache"),
        ] {
            let strategy = of(name).unwrap();
            let variant = Variant {
                strategy,
                directory,
            };
            let told = failure_report::command(variant, 23, &options);
            let Request::Sim(settings) = request(told.split_whitespace().skip(1)) else {
                panic!("{told} is another command")
            };
            let kinds = settings.kinds(23);
            assert_eq!(format!("{kinds:?}"), format!("{:?}", [options]));
            assert_eq!(settings.place(0).0, 23);
            let labels: Vec<_> = variants(&settings).map(Variant::label).collect();
            assert_eq!(labels, [label]);
        }
    }
}
