//! Flags that choose among named values.

use crate::registry::info::Directory;
use crate::settings::names::DurabilityName;
use crate::settings::plot::Formats;
use crate::settings::sim::EACH;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use ssmr_core::{CacheReads, Execution, Reads};

/// One of the values of a flag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<T> {
    /// What it stands for.
    pub(super) value: T,
    /// How it is written.
    pub(super) name: &'static str,
    /// What it means.
    help: &'static str,
}

const fn choice<T: Copy>(value: T, name: &'static str, help: &'static str) -> Choice<T> {
    Choice { value, name, help }
}

/// The values of `--execution`.
pub(super) const EXECUTIONS: &[Choice<Execution>] = &[
    choice(
        Execution::Exchange,
        "exchange",
        "At all of them, on values that they exchange",
    ),
    choice(
        Execution::Gather,
        "gather",
        "At one of them, after moving the objects there",
    ),
];

/// The values of `--durability`.
pub(super) const DURABILITIES: &[Choice<DurabilityName>] = &[
    choice(DurabilityName::Memory, "memory", "Nowhere"),
    choice(
        DurabilityName::Async,
        "async",
        "In files, left to the operating system",
    ),
    choice(
        DurabilityName::Sync,
        "sync",
        "In files, synced before anything that depends on them is sent",
    ),
];

/// The values of `--directory`.
pub(super) const DIRECTORIES: &[Choice<Directory>] = &[
    choice(Directory::None, "none", "No: objects stay at home"),
    choice(
        Directory::Home,
        "home",
        "At home, which knows where an object has gone",
    ),
];

/// The values of `--format`.
pub(super) const FORMATS: &[Choice<Formats>] = &[
    choice(Formats::Svg, "svg", "Lines and text, for papers and pages"),
    choice(Formats::Png, "png", "Dots, 400 an inch"),
    choice(Formats::Both, "both", "A file of each"),
];

/// Reads one of these values by its name.
pub(super) fn choices<T>(all: &'static [Choice<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let names = all
        .iter()
        .map(|choice| PossibleValue::new(choice.name).help(choice.help));
    PossibleValuesParser::new(names).try_map(move |name| {
        let named = all.iter().find(|choice| choice.name == name);
        named.map(|choice| choice.value).ok_or("unknown")
    })
}

/// Reads a way of reading by its name.
pub(super) fn reads() -> impl TypedValueParser<Value = Reads> {
    let named = |name: String| Reads::ALL.into_iter().find(|reads| reads.name() == name);
    PossibleValuesParser::new(Reads::ALL.map(Reads::name))
        .try_map(move |name| named(name).ok_or("unknown"))
}

/// Reads whether caches answer alone by its name.
pub(super) fn cache_reads() -> impl TypedValueParser<Value = CacheReads> {
    let named = |name: String| CacheReads::ALL.into_iter().find(|it| it.name() == name);
    PossibleValuesParser::new(CacheReads::ALL.map(CacheReads::name))
        .try_map(move |name| named(name).ok_or("unknown"))
}

/// The same, or the word for each in turn.
pub(super) fn cache_reads_or_each() -> PossibleValuesParser {
    PossibleValuesParser::new(
        CacheReads::ALL
            .map(CacheReads::name)
            .into_iter()
            .chain([EACH]),
    )
}

/// Reads the name of a way of reading, or the word for each in turn.
pub(super) fn reads_or_each() -> PossibleValuesParser {
    PossibleValuesParser::new(Reads::ALL.map(Reads::name).into_iter().chain([EACH]))
}
