//! The flags of `trace`.

use crate::program;
use crate::settings::trace::{FromGitSettings, GitHistory, TraceSettings};
use crate::trace::file::TraceFile;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What becomes of a history, and how to replay it.
const FROM_GIT_EXAMPLES: &str = "\
An object is a file, followed through renames: its id is its first path, its attribute its top
folder. A commit is one atomic command: what is added is created, what is changed is updated, what
is deleted is deleted, and what is renamed into another folder is moved to that folder's home
(docs/traces.md says what becomes of merges, and of commits above the protocol's limits). The same
history makes the same bytes. Nothing that a repository brings along is run.

Examples:
  PROGRAM trace from-git . --out history.jsonl
  PROGRAM run --strategy all --workload trace --trace history.jsonl
  PROGRAM run --strategy all --workload trace --trace git:.";

/// What to do with traces.
#[derive(Clone, Debug, Args)]
pub(crate) struct TraceArgs {
    #[command(subcommand)]
    command: TraceCommand,
}

/// What can be done with traces.
#[derive(Clone, Debug, Subcommand)]
enum TraceCommand {
    /// Make a trace of a git history, for `run --workload trace`
    FromGit(FromGitArgs),
}

/// Which history, and where the trace goes.
#[derive(Clone, Debug, Args)]
struct FromGitArgs {
    /// The repository: a folder in it, or a bare one
    #[arg(value_name = "REPO")]
    repository: PathBuf,

    /// The last commit: a branch, a tag, a hash
    #[arg(
        long,
        default_value = "HEAD",
        value_name = "COMMIT",
        allow_hyphen_values = true
    )]
    rev: String,

    /// Where to write the trace: as lines of JSON if it ends in .jsonl, as rows if in .csv; else to
    /// the standard output, as lines of JSON
    #[arg(long, value_name = "FILE", value_parser = TraceFile::parse)]
    out: Option<TraceFile>,

    /// Follow only the first parent of each merge, so that a merge is one large command and what
    /// happened on other branches is not told
    #[arg(long)]
    first_parent: bool,

    /// Take only so many commits, from the first one on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_commits: Option<u64>,

    /// How many folders of its path are a file's attribute, which says where static places it
    #[arg(
        long,
        default_value_t = 1,
        value_name = "N",
        value_parser = clap::value_parser!(u8).range(1..)
    )]
    folders: u8,

    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

impl TraceArgs {
    /// The settings.
    pub(super) fn settings(self) -> TraceSettings {
        let TraceCommand::FromGit(args) = self.command;
        let most = args
            .max_commits
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        TraceSettings::FromGit(FromGitSettings {
            history: GitHistory {
                first_parent: args.first_parent,
                max_commits: most,
                folders: args.folders.into(),
                ..GitHistory::up_to(&args.rev, args.repository)
            },
            out: args.out,
            quiet: args.quiet,
        })
    }
}

/// Adds what to say at the end of each help.
pub(super) fn with_examples(command: clap::Command) -> clap::Command {
    command.mut_subcommand("from-git", |from_git| {
        from_git.after_help(program::named(FROM_GIT_EXAMPLES))
    })
}
