//! The settings of `trace`.

use crate::trace::file::TraceFile;
use std::path::PathBuf;

/// What to do with traces.
#[derive(Clone, Debug)]
pub(crate) enum TraceSettings {
    /// Make one of a git history.
    FromGit(FromGitSettings),
}

/// Which history, and where the trace goes.
#[derive(Clone, Debug)]
pub(crate) struct FromGitSettings {
    /// What becomes a trace.
    pub(crate) history: GitHistory,
    /// Where to write it; else to the standard output, as lines of JSON.
    pub(crate) out: Option<TraceFile>,
    /// Whether to print nothing but errors.
    pub(crate) quiet: bool,
}

/// The history of a repository, and how it is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitHistory {
    /// The repository.
    pub(crate) repository: PathBuf,
    /// The last commit.
    pub(crate) revision: String,
    /// Whether to follow only the first parent of merges.
    pub(crate) first_parent: bool,
    /// How many commits to take, from the first one on.
    pub(crate) max_commits: Option<usize>,
    /// How many folders of a path are an object's attribute.
    pub(crate) folders: usize,
}

impl GitHistory {
    /// All of the history up to a commit, as it is followed unless somebody says otherwise.
    pub(crate) fn up_to(revision: &str, repository: PathBuf) -> Self {
        Self {
            repository,
            revision: revision.to_owned(),
            first_parent: false,
            max_commits: None,
            folders: 1,
        }
    }
}
