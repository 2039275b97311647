//! Flags of `run` as words: those that were given on a command line, and a command line made of
//! such flags.

use crate::error::UsageError;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

/// A flag that was given, without its dashes, and its value; `true` for one that has none.
pub(super) type Given = (String, String);

/// The flags of `run` that were given on this command line, but for some.
///
/// # Errors
/// If a value is no text.
pub(super) fn given(
    run: &Command,
    matches: &ArgMatches,
    but: &[&str],
) -> Result<Vec<Given>, UsageError> {
    let mut given = Vec::new();
    for arg in run.get_arguments() {
        let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        let is_there = matches.try_contains_id(id).unwrap_or(false)
            && matches.value_source(id) == Some(ValueSource::CommandLine);
        if !is_there || but.contains(&long) {
            continue;
        }
        let value = if arg.get_action().takes_values() {
            let values = matches.get_raw(id).into_iter().flatten();
            let values: Option<Vec<&str>> = values.map(|value| value.to_str()).collect();
            let values = values
                .ok_or_else(|| UsageError::new(format!("--{long}"), "the value is no text"))?;
            values.join(",")
        } else {
            true.to_string()
        };
        given.push((long.to_owned(), value));
    }
    Ok(given)
}

/// The flag of `run` of this name.
pub(super) fn flag<'a>(run: &'a Command, name: &str) -> Option<&'a Arg> {
    run.get_arguments().find(|arg| arg.get_long() == Some(name))
}

/// The word that gives a flag this value; `None` if it is to have its default.
///
/// # Errors
/// If the flag has no value, and this is neither true nor false.
pub(super) fn word(arg: &Arg, value: &str) -> Result<Option<String>, UsageError> {
    let flag = arg.get_long().unwrap_or_default();
    match (arg.get_action().takes_values(), value) {
        (true, "") | (false, "false") => Ok(None),
        (true, value) => Ok(Some(format!("--{flag}={value}"))),
        (false, "true") => Ok(Some(format!("--{flag}"))),
        (false, other) => {
            let problem = format!("{other:?}: true or false is needed");
            Err(UsageError::new(flag.to_owned(), problem))
        }
    }
}

/// What is wrong with a command line, without how to get help.
pub(super) fn brief(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let end = text.find("\n\n").unwrap_or(text.len());
    text[..end].to_owned()
}
