//! The flags of events, which every command has.

use crate::events;
use crate::settings::events::{EventFormat, EventSettings};
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use std::ffi::OsString;

/// The flag for levels by module.
pub(super) const LEVEL: &str = EventSettings::LEVEL;
/// The flag for the form.
pub(super) const FORMAT: &str = EventSettings::FORMAT;

/// Adds the flags to a command, or to those that it consists of.
pub(super) fn with_flags(command: Command) -> Command {
    if command.has_subcommands() {
        return command.mut_subcommands(with_flags);
    }
    let levels = |text: &str| events::check_levels(text).map(|_| text.to_owned());
    let names = EventFormat::NAMES.map(|(name, _)| name);
    command.args([
        Arg::new(LEVEL)
            .long(LEVEL)
            .value_name("LEVELS")
            .value_parser(levels)
            .help_heading("Events")
            .help(
                "What to say of what happens, on standard error: a level, and levels of modules, \
                 as info,ssmr_net=debug [default: RUST_LOG, or info for replicas and error else]",
            ),
        Arg::new(FORMAT)
            .long(FORMAT)
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(names))
            .help_heading("Events")
            .help("How to say it [default: SSMR_LOG_FORMAT, or text]"),
    ])
}

/// What a command line asks for; nothing, if it is bad: whoever reads the rest of it says so.
pub(crate) fn chosen(command: &Command, words: &[OsString]) -> EventSettings {
    let Ok(matches) = command.clone().try_get_matches_from(words) else {
        return EventSettings::default();
    };
    let (mut deepest, mut name) = (&matches, "");
    while let Some((below, matches)) = deepest.subcommand() {
        (deepest, name) = (matches, below);
    }
    let text = |name| deepest.get_one::<String>(name);
    EventSettings {
        levels: text(LEVEL).cloned(),
        format: text(FORMAT).and_then(|name| EventFormat::named(name)),
        is_node: ["node", "job"].contains(&name),
    }
}
