//! A git history as a trace: for `trace from-git`, which writes it with a summary of what became of
//! it, and for `run --trace git:REPO@COMMIT`, which replays it at once.
//!
//! `docs/traces.md` says what is made of files, commits, renames and merges, and why. Invariant: a
//! replay of the whole trace has no command that fails, and the same history makes the same bytes.

mod git;
mod history;
mod objects;
mod pack;
mod raw;
mod tree;

use crate::ending::Ending;
use crate::error::UsageError;
use crate::numbers::grouped;
use crate::progress::Progress;
use crate::settings::trace::{GitHistory, TraceSettings};
use crate::trace::command::TraceCommand;
use crate::trace::digest::TraceDigest;
use crate::trace::file::{TraceFile, TraceForm};
use crate::trace::writer::TraceWriter;
use anyhow::{Context, Result};
use git::{Commit, Git};
use history::History;
use pack::Counts;
use raw::{Blob, Change};
use ssmr_core::keyed_hash::KeyedMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// For how many commits sizes are asked at once.
const BATCH: usize = 1_000;

/// The name of a file that is being written.
const UNFINISHED: &str = "unfinished";

/// Does what the settings say.
///
/// # Errors
/// If there is no such repository, git is missing or fails, or the trace cannot be written.
pub(crate) fn run(settings: &TraceSettings) -> Result<Ending> {
    let TraceSettings::FromGit(settings) = settings;
    let source = Source::open(&settings.history)?;
    let progress = Progress::new(settings.quiet);
    let told = match &settings.out {
        None => {
            let to = BufWriter::new(io::stdout().lock());
            source.write(to, TraceForm::Jsonl, &progress)?
        }
        Some(file) => into_file(file, |to, form| source.write(to, form, &progress))?,
    };
    progress.finish();
    match (settings.quiet, &settings.out) {
        (true, _) => {}
        (false, Some(_)) => print!("{told}"),
        (false, None) => eprint!("{told}"),
    }
    Ok(Ending::Good)
}

/// Has a file written, which has its name when it is complete.
fn into_file(
    file: &TraceFile,
    write: impl FnOnce(BufWriter<File>, TraceForm) -> Result<String>,
) -> Result<String> {
    let mut name = file.path().as_os_str().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    let unfinished = PathBuf::from(name);
    let bad = |error: &io::Error| {
        let problem = format!("cannot write to {}: {error}", file.path().display());
        UsageError::new("--out", problem)
    };
    let to = File::create(&unfinished).map_err(|error| bad(&error))?;
    let written = write(BufWriter::new(to), file.form());
    let named = written.and_then(|told| {
        fs::rename(&unfinished, file.path()).map_err(|error| bad(&error))?;
        Ok(told)
    });
    named.inspect_err(|_| _ = fs::remove_file(&unfinished))
}

/// A history that is there.
pub(crate) struct Source<'a> {
    history: &'a GitHistory,
    git: Git,
    /// The hash of the last commit.
    last: String,
}

impl<'a> Source<'a> {
    /// Looks for the repository and the commit.
    ///
    /// # Errors
    /// If there is no such repository or commit, or git is missing.
    pub(crate) fn open(history: &'a GitHistory) -> Result<Self> {
        let (git, last) = Git::open(history.repository.clone(), &history.revision)?;
        Ok(Self { history, git, last })
    }

    /// Hands out the commands of the trace in their order.
    ///
    /// # Errors
    /// If git fails; whatever `take` says.
    pub(crate) fn commands(
        &self,
        progress: &Progress,
        take: impl FnMut(&TraceCommand) -> Result<()>,
    ) -> Result<()> {
        self.translate(progress, take).map(drop)
    }

    /// Writes the trace. Returns the summary to print: how many commits, commands and objects.
    fn write(&self, to: impl Write, form: TraceForm, progress: &Progress) -> Result<String> {
        let cannot = "cannot write the trace";
        let mut writer = TraceWriter::new(to, form).context(cannot)?;
        let take = |command: &TraceCommand| writer.write(command).context(cannot);
        let told = self.translate(progress, take)?;
        writer.flush().context(cannot)?;
        Ok(told)
    }

    /// Makes the commands. Returns the summary to print.
    fn translate(
        &self,
        progress: &Progress,
        mut take: impl FnMut(&TraceCommand) -> Result<()>,
    ) -> Result<String> {
        progress.phase("listing the commits", None);
        let mut commits = self.git.commits(&self.last, self.history.first_parent)?;
        commits.truncate(self.history.max_commits.unwrap_or(usize::MAX));
        let mut children: KeyedMap<&str, usize> = KeyedMap::default();
        for parent in commits.iter().flat_map(|commit| &commit.parents) {
            *children.entry(parent.as_str()).or_default() += 1;
        }
        let mut changes = self.git.changes(commits.iter().flat_map(pairs).collect())?;
        let (mut history, mut counts) = (History::new(self.history.folders), Counts::default());
        let (mut digest, mut clock) = (TraceDigest::default(), MonotonicClock::default());
        progress.phase("following the files", Some(commits.len() as u64));
        for (number, batch) in commits.chunks(BATCH).enumerate() {
            progress.at((number * BATCH) as u64);
            let of_parents = |commit: &Commit| -> Result<Vec<Vec<Change>>> {
                pairs(commit).map(|(id, _)| changes.of(&id)).collect()
            };
            let told: Vec<Vec<Vec<Change>>> =
                batch.iter().map(of_parents).collect::<Result<_>>()?;
            let sizes = sizes(&self.git, told.iter().flatten().flatten())?;
            for (commit, changes) in batch.iter().zip(told) {
                let children = children.get(commit.id.as_str()).copied().unwrap_or(0);
                let size_of = |blob: &Blob| sizes.get(&blob.id).copied().flatten();
                let followed = history.follow(commit, changes, children, &size_of);
                let acts = followed.with_context(|| format!("commit {}", commit.id))?;
                let time_us = clock.micros(commit.seconds);
                for command in counts.pack(&acts, history.objects(), time_us) {
                    digest.add(&command);
                    take(&command)?;
                }
                history.carry_out(&acts);
            }
        }
        let merges = commits.iter().filter(|commit| commit.is_merge).count();
        Ok(summary(commits.len(), merges, &counts, &history, digest))
    }
}

/// Each commit with each of its parents.
fn pairs(commit: &Commit) -> impl Iterator<Item = (String, Option<String>)> {
    let parents = commit.parents.iter().cloned().map(Some);
    let root = commit.parents.is_empty().then_some(None);
    parents
        .chain(root)
        .map(|parent| (commit.id.clone(), parent))
}

/// The sizes of new contents, as far as they are here.
fn sizes<'a>(
    git: &Git,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<KeyedMap<String, Option<u64>>> {
    let blobs = changes.filter_map(|change| change.to.as_ref());
    let blobs = blobs.filter(|(_, blob)| !blob.is_link);
    let mut ids: Vec<String> = blobs.map(|(_, blob)| blob.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let sizes = git.sizes(ids.clone())?;
    Ok(ids.into_iter().zip(sizes).collect())
}

/// The times of commits, from 0 on, never going back.
#[derive(Default)]
struct MonotonicClock {
    first: Option<i64>,
    last_us: u64,
}

impl MonotonicClock {
    fn micros(&mut self, seconds: i64) -> u64 {
        let first = *self.first.get_or_insert(seconds);
        let since = u64::try_from(seconds.saturating_sub(first)).unwrap_or(0);
        self.last_us = self.last_us.max(since.saturating_mul(1_000_000));
        self.last_us
    }
}

/// What became of the history, for people.
fn summary(
    commits: usize,
    merges: usize,
    counts: &Counts,
    history: &History,
    digest: TraceDigest,
) -> String {
    let alive = history.objects().alive();
    let rows = [
        ("commits", commits as u64, ""),
        ("merges", merges as u64, ""),
        ("commands", counts.commands, ""),
        ("creates", counts.creates, ""),
        ("updates", counts.updates, ""),
        ("deletes", counts.deletes, ""),
        ("moves", counts.moves, "renames into another folder"),
        ("alive at the end", alive as u64, "objects"),
        (
            "without a command",
            counts.empty,
            "commits that leave every object as it was",
        ),
        (
            "too large",
            counts.too_large,
            "commits split for the protocol's limits",
        ),
        (
            "moved and changed",
            counts.moved_and_changed,
            "commits with a second command for that",
        ),
        (
            "left out",
            history.left_out(),
            "changes of files that another branch had deleted",
        ),
        ("cut", counts.cut, "contents larger than a value can be"),
    ];
    let mut text = String::new();
    for (name, count, about) in rows {
        let count = grouped(count);
        let line = format!("{name:<18}{count:>10}  {about}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "{:<18}{digest}", "digest");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_never_go_back() {
        let mut clock = MonotonicClock::default();
        let times = [1_000, 1_002, 999, 1_003, i64::MAX, i64::MIN].map(|s| clock.micros(s));
        assert_eq!(times[..4], [0, 2_000_000, 2_000_000, 3_000_000]);
        assert_eq!(times[4], times[5]);
    }
}
