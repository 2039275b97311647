//! Where the commands of a trace come from: a file, or a git history, which is a trace as
//! `trace from-git` makes it.

use super::reading::Reading;
use crate::error::UsageError;
use crate::from_git;
use crate::numbers::grouped;
use crate::progress::Progress;
use crate::settings::trace::GitHistory;
use crate::trace::file::TraceFile;
use crate::trace::line::Located;
use crate::trace::reader::TraceReader;
use anyhow::{Error, Result};
use serde::{Serialize, Serializer};
use std::fmt;

/// What the name of a history begins with.
const GIT: &str = "git:";

/// Which commit is the last one if none is named.
const NEWEST: &str = "HEAD";

/// After how many commands the user is told how far it is.
const TOLD: u32 = 1_000_000;

/// Where commands come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TraceSource {
    /// A file.
    File(TraceFile),
    /// A history, up to a commit.
    Git(GitHistory),
}

impl TraceSource {
    /// Reads the value of a flag: `git:REPO`, `git:REPO@COMMIT`, or a file whose ending says its
    /// form.
    ///
    /// # Errors
    /// If it is none of them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(history) = text.strip_prefix(GIT) else {
            return match TraceFile::named(text.into()) {
                Some(file) => Ok(Self::File(file)),
                None => {
                    Err("expected a file that ends in .jsonl or .csv, or git:REPO@COMMIT".into())
                }
            };
        };
        let (repository, commit) = history.rsplit_once('@').unwrap_or((history, NEWEST));
        match repository.is_empty() || commit.is_empty() {
            true => Err("expected git:REPO or git:REPO@COMMIT".into()),
            false => Ok(Self::Git(GitHistory::up_to(commit, repository.into()))),
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn read(&self, reading: &mut Reading, progress: &Progress) -> Result<()> {
        progress.phase(&format!("reading {self}"), None);
        match self {
            Self::File(file) => {
                for command in TraceReader::open(file)? {
                    reading.add(&command?)?;
                    self.tell(reading, progress);
                }
                Ok(())
            }
            Self::Git(history) => {
                // The line that it would be in a file.
                let mut line = 0;
                let source = from_git::Source::open(history).map_err(without_flag)?;
                source.commands(progress, |command| {
                    line += 1;
                    let command = command.clone();
                    reading.add(&Located { line, command })?;
                    self.tell(reading, progress);
                    Ok(())
                })
            }
        }
    }

    fn tell(&self, reading: &Reading, progress: &Progress) {
        if reading.len().is_multiple_of(TOLD) {
            let count = grouped(reading.len().into());
            progress.event(&format!("reading {self}: {count} commands"));
        }
    }
}

/// What is wrong, without the flags of `trace from-git`.
fn without_flag(error: Error) -> Error {
    match error.downcast::<UsageError>() {
        Ok(error) => Error::msg(error.into_problem()),
        Err(error) => error,
    }
}

impl fmt::Display for TraceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.path().display().fmt(f),
            Self::Git(history) => {
                let repository = history.repository.display();
                write!(f, "{GIT}{repository}@{}", history.revision)
            }
        }
    }
}

impl Serialize for TraceSource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_and_files_are_told_apart() {
        for (text, told) in [
            ("a.jsonl", "a.jsonl"),
            ("git.csv", "git.csv"),
            ("git:.", "git:.@HEAD"),
            ("git:/a@b/c@v1", "git:/a@b/c@v1"),
        ] {
            assert_eq!(TraceSource::parse(text).unwrap().to_string(), told);
        }
        for bad in ["", "a", "a.json", "git:", "git:@v1", "git:.@"] {
            assert!(TraceSource::parse(bad).is_err(), "{bad}");
        }
    }
}
