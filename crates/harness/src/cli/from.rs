//! `run --from`: the flags of an earlier run, as its `run.json` tells them.

use super::events;
use super::given::{brief, flag, given, word};
use crate::error::UsageError;
use crate::program;
use clap::{ArgMatches, Command};
use serde::Deserialize;
use std::path::Path;

/// Flags of an earlier run that say nothing of what it did.
const NOT_TAKEN: [&str; 7] = [
    "out",
    "quiet",
    "history",
    "record",
    "from",
    events::LEVEL,
    events::FORMAT,
];

/// What is read of `run.json`.
#[derive(Deserialize)]
struct Earlier {
    command_line: Vec<String>,
}

/// The command line of the run that this file or folder describes, with what was given besides in
/// place of what contradicts it.
///
/// # Errors
/// If there is no such file, or it is of another program.
pub(super) fn words(
    path: &Path,
    run: &Command,
    now: &ArgMatches,
) -> Result<Vec<String>, UsageError> {
    let file = match path.is_dir() {
        true => path.join("run.json"),
        false => path.to_owned(),
    };
    let bad = |problem: String| UsageError::new("--from", format!("{}: {problem}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|error| bad(error.to_string()))?;
    let earlier: Earlier = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let [_, command, flags @ ..] = &earlier.command_line[..] else {
        return Err(bad("its command line is empty".into()));
    };
    if command != "run" {
        return Err(bad(format!("it is not of `run`, but of `{command}`")));
    }
    let line = ["run"].into_iter().chain(flags.iter().map(String::as_str));
    let before = run.clone().try_get_matches_from(line);
    let before = before.map_err(|error| bad(brief(&error)))?;
    if before.try_contains_id("from").unwrap_or(false) {
        return Err(bad("that run took its flags from another file".into()));
    }
    let (before, now) = (
        given(run, &before, &NOT_TAKEN)?,
        given(run, now, &["from"])?,
    );
    let is_replaced = |name: &str| {
        now.iter().any(|(given, _)| {
            let conflicts = flag(run, given).map(|arg| run.get_arg_conflicts_with(arg));
            let mut conflicts = conflicts.into_iter().flatten();
            given == name || conflicts.any(|arg| arg.get_long() == Some(name))
        })
    };
    let kept = before.iter().filter(|(name, _)| !is_replaced(name));
    let mut words = vec![program::name(), "run".into()];
    for (name, value) in kept.chain(&now) {
        let arg = flag(run, name).unwrap_or_else(|| unreachable!("--{name} was given"));
        words.extend(word(arg, value)?);
    }
    Ok(words)
}
