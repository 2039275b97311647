//! The program `git`, asked for a history.
//!
//! The repository may be anybody's. Only commands are used that read objects and print them for
//! programs; they look at no working tree and run no hook, pager, diff, filter or transport.
//! Invariant: what they print depends on the commits alone, not on anybody's settings.

use super::raw::Changes;
use crate::error::UsageError;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

/// Settings that a repository could have, and that would have something run or fetched.
const SETTINGS: [&str; 4] = [
    "protocol.allow=never",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
];

/// The same in the environment.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];

/// How changes are told. Files that are half the same count as renamed, among a thousand at most.
const DIFF_TREE: [&str; 13] = [
    "diff-tree",
    "--stdin",
    "--root",
    "--always",
    "-r",
    "-z",
    "--raw",
    "--no-abbrev",
    "-M50%",
    "-l1000",
    "--ignore-submodules=none",
    "--no-ext-diff",
    "--no-textconv",
];

/// A repository.
#[derive(Debug)]
pub(super) struct Git {
    repository: PathBuf,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// Its hash.
    pub(super) id: String,
    /// Those that it was made from.
    pub(super) parents: Vec<String>,
    /// Whether it was made from several, of which only one may be followed.
    pub(super) is_merge: bool,
    /// When, in seconds since 1970.
    pub(super) seconds: i64,
}

impl Git {
    /// A repository, and the commit of this name in it.
    ///
    /// # Errors
    /// If there is no program `git`, no repository or no such commit.
    pub(super) fn open(repository: PathBuf, revision: &str) -> Result<(Self, String)> {
        let git = Self { repository };
        let bad = |told: &Output| {
            let told = String::from_utf8_lossy(&told.stderr);
            told.trim()
                .strip_prefix("fatal: ")
                .unwrap_or(&told)
                .to_owned()
        };
        let there = git.output(&["rev-parse", "--git-dir"])?;
        if !there.status.success() {
            let problem = format!("{}: {}", git.repository.display(), bad(&there));
            return Err(UsageError::new("REPO", problem).into());
        }
        let name = format!("{revision}^{{commit}}");
        let found = git.output(&["rev-parse", "--verify", "--end-of-options", &name])?;
        if !found.status.success() {
            let problem = format!("there is no commit {revision} ({})", bad(&found));
            return Err(UsageError::new("--rev", problem).into());
        }
        let id = String::from_utf8(found.stdout)?;
        Ok((git, id.lines().last().unwrap_or_default().to_owned()))
    }

    /// A commit and all that it was made from: those first that others were made from, else the
    /// older ones.
    pub(super) fn commits(&self, last: &str, first_parent: bool) -> Result<Vec<Commit>> {
        let list = [
            "rev-list",
            "--date-order",
            "--reverse",
            "--parents",
            "--timestamp",
        ];
        let one = first_parent.then_some("--first-parent");
        let words: Vec<&str> = list.into_iter().chain(one).chain([last, "--"]).collect();
        let listed = self.output(&words)?;
        if !listed.status.success() {
            bail!(
                "git rev-list: {}",
                String::from_utf8_lossy(&listed.stderr).trim()
            );
        }
        let text = String::from_utf8(listed.stdout)?;
        text.lines()
            .map(|line| commit(line, first_parent))
            .collect()
    }

    /// What changed in each of these commits against one of its parents; against nothing, where
    /// there is none. In the order of the pairs.
    pub(super) fn changes(
        &self,
        pairs: Vec<(String, Option<String>)>,
    ) -> Result<Changes<BufReader<Talk>>> {
        let lines = pairs.into_iter().map(|(commit, parent)| match parent {
            Some(parent) => format!("{commit} {parent}\n"),
            None => format!("{commit}\n"),
        });
        let talk = self.talk(&DIFF_TREE, lines)?;
        Ok(Changes::new(BufReader::new(talk)))
    }

    /// The sizes of blobs by their hashes, in the same order; none of what is not there.
    pub(super) fn sizes(&self, blobs: Vec<String>) -> Result<Vec<Option<u64>>> {
        let lines = blobs.into_iter().map(|blob| format!("{blob}\n"));
        let words = ["cat-file", "--buffer", "--batch-check=%(objectsize)"];
        let told = BufReader::new(self.talk(&words, lines)?).lines();
        let size = |line: std::io::Result<String>| Ok(line?.parse().ok());
        told.map(size).collect()
    }

    /// Starts git with lines to read, while its output is read.
    fn talk(
        &self,
        words: &[&'static str],
        lines: impl Iterator<Item = String> + Send + 'static,
    ) -> Result<Talk> {
        let errors = tempfile::tempfile().context("cannot make a file")?;
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(errors.try_clone().context("cannot make a file")?);
        let mut child = command.spawn().map_err(missing)?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are piped")
        };
        // It ends when the process does, at the latest.
        thread::spawn(move || {
            for line in lines {
                if input.write_all(line.as_bytes()).is_err() {
                    break;
                }
            }
        });
        Ok(Talk {
            what: words[0],
            child,
            output,
            errors,
        })
    }

    fn output(&self, words: &[&str]) -> Result<Output> {
        let mut command = self.command(words);
        command.stdin(Stdio::null()).output().map_err(missing)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("git");
        let inherited = std::env::vars_os().map(|(name, _)| name);
        let of_git = inherited.filter(|name| name.to_string_lossy().starts_with("GIT_"));
        of_git.for_each(|name| _ = command.env_remove(name));
        command.envs(ENVIRONMENT).arg("--no-pager");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.arg("-C").arg(&self.repository).args(words);
        command
    }
}

fn missing(error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound => {
            let problem = "the program git reads repositories, and is not installed";
            UsageError::new("REPO", problem).into()
        }
        _ => anyhow::Error::new(error).context("cannot start git"),
    }
}

fn commit(line: &str, first_parent: bool) -> Result<Commit> {
    let mut words = line.split(' ');
    let seconds = words.next().and_then(|word| word.parse().ok());
    let id = words.next();
    let (Some(seconds), Some(id)) = (seconds, id) else {
        bail!("git rev-list says {line:?}");
    };
    let mut parents: Vec<String> = words.map(Into::into).collect();
    let is_merge = parents.len() > 1;
    parents.truncate(if first_parent { 1 } else { usize::MAX });
    Ok(Commit {
        id: id.to_owned(),
        parents,
        is_merge,
        seconds,
    })
}

/// What a process of git says. Its end is an error if the process failed.
#[derive(Debug)]
pub(super) struct Talk {
    what: &'static str,
    child: Child,
    output: ChildStdout,
    errors: File,
}

impl Read for Talk {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.output.read(to)?;
        if count > 0 || to.is_empty() || self.child.wait()?.success() {
            return Ok(count);
        }
        let mut told = String::new();
        self.errors.rewind()?;
        self.errors.read_to_string(&mut told)?;
        let what = format!("git {}: {}", self.what, told.trim());
        Err(std::io::Error::other(what))
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
