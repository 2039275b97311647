//! What the machines say while they work, on the standard error stream: levels by module, as text
//! or JSON.
//!
//! A flag counts more than the environment, and that more than the default: what happens to a
//! replica for `node`, errors alone for all else. Replicas that a run starts as processes get the
//! run's settings with their environment.

use crate::error::UsageError;
use crate::settings::events::{EventFormat, EventSettings};
use std::io::IsTerminal;
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The variable with the levels by module.
pub(crate) const LEVELS: &str = "RUST_LOG";
/// The variable with the form.
pub(crate) const FORMAT: &str = "SSMR_LOG_FORMAT";

/// What is in force, for processes that are started.
static IN_FORCE: OnceLock<[(&str, String); 2]> = OnceLock::new();
/// The flags that were given.
static FLAGS: OnceLock<Vec<String>> = OnceLock::new();

/// Checks levels by module: `info,ssmr_net=debug`.
///
/// # Errors
/// If they are none. A word that is no level would mean a module of that name otherwise.
pub(crate) fn check_levels(text: &str) -> Result<EnvFilter, String> {
    let mut parts = text.split(',').map(str::trim);
    let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let is_good = |part: &str| part.contains('=') || is_level(part);
    if let Some(bad) = parts.find(|part| !is_good(part)) {
        return Err(format!(
            "{bad:?} is neither a level (off, error, warn, info, debug, trace) nor MODULE=LEVEL"
        ));
    }
    let filter = EnvFilter::builder().parse(text);
    filter.map_err(|error| format!("{text:?}: {error}"))
}

/// From now on events are written, unless another receiver was set up before: it stays.
///
/// # Errors
/// If the environment asks for something that there is not.
pub(crate) fn begin(settings: &EventSettings) -> Result<(), UsageError> {
    let default = if settings.is_node { "info" } else { "error" };
    let said = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let levels = settings.levels.clone().or_else(|| said(LEVELS));
    let levels = levels.unwrap_or_else(|| default.into());
    let filter = check_levels(&levels).map_err(|problem| UsageError::new(LEVELS, problem))?;
    let of_environment = || match said(FORMAT) {
        None => Ok(EventFormat::Text),
        Some(name) => EventFormat::named(&name)
            .ok_or_else(|| UsageError::new(FORMAT, format!("{name} is neither text nor json"))),
    };
    let format = settings.format.map_or_else(of_environment, Ok)?;
    let _ = FLAGS.set(settings.flags());
    let _ = IN_FORCE.set([(LEVELS, levels), (FORMAT, format.name().into())]);
    let events = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Who has set up another receiver of events keeps it.
    let _ = match format {
        EventFormat::Text => events.try_init(),
        EventFormat::Json => events.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// The flags that were given for events, for commands that are started and stay. (The environment
/// they inherit; the default is their own.)
pub(crate) fn flags() -> impl Iterator<Item = &'static str> {
    FLAGS.get().into_iter().flatten().map(|word| &word[..])
}

/// The environment that has a process of ours write events as this one does.
pub(crate) fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = IN_FORCE.get().into_iter().flatten();
    all.map(|(name, value)| (*name, &value[..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_told_from_words_that_are_none() {
        for good in [
            "info",
            "off",
            "warn,ssmr_net=debug",
            "ssmr_net::replica=trace, error",
        ] {
            assert!(check_levels(good).is_ok(), "{good}");
        }
        for (bad, word) in [
            ("inof", "\"inof\""),
            ("info,ssmr_net", "\"ssmr_net\""),
            ("", "\"\""),
            ("ssmr_net=loud", "loud"),
        ] {
            let Err(told) = check_levels(bad) else {
                panic!("{bad} is taken")
            };
            assert!(told.contains(word), "{bad}: {told}");
        }
    }
}
