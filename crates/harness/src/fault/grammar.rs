//! The grammar of `--fault`.
//!
//! It breaks nothing and knows no cluster: whether a schedule can be carried out is for
//! [`check`](super::check) to say. Invariant: what was read is written as people write it.

use super::word::{Lasts, Takes, Word};
use crate::time;
use serde::{Serialize, Serializer};
use ssmr_core::{Micros, ReplicaId};
use std::fmt;
use std::str::FromStr;

/// One item of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// At a time.
    At(Strike),
    /// Each second one of these words, on whoever is drawn.
    Random(Vec<Word>),
}

/// Something that is to be broken at a time. Times count from the start of measuring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) word: Word,
    /// Of whom; empty if it need not be said.
    pub(crate) target: String,
    pub(crate) at: Micros,
    /// For how long, if that was said.
    pub(crate) length: Option<Micros>,
}

impl Fault {
    /// Whether it may fill somebody's disk.
    pub(crate) fn fills_disks(&self) -> bool {
        match self {
            Self::At(strike) => strike.word == Word::FullDisk,
            Self::Random(words) => words.contains(&Word::FullDisk),
        }
    }

    /// Whether it may cut off a cache.
    pub(crate) fn cuts_caches(&self) -> bool {
        match self {
            Self::At(strike) => strike.word == Word::CutCache,
            Self::Random(words) => words.contains(&Word::CutCache),
        }
    }

    /// Whether it may fill the disk of this replica.
    pub(crate) fn fills_disk_of(&self, id: ReplicaId) -> bool {
        let may_mean = |strike: &Strike| strike.target == id.to_string();
        self.fills_disks() && !matches!(self, Self::At(strike) if !may_mean(strike))
    }
}

/// The name of the oracle group.
pub(crate) const ORACLE: &str = "oracle";

/// Several words of which one is drawn.
const RANDOM: &str = "random";

/// A short form of that with the one word `kill`.
const KILL_RANDOM: &str = "kill-random";

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == KILL_RANDOM {
            return Ok(Self::Random(vec![Word::Kill]));
        }
        let (what, time) = match text.split_once('@') {
            Some((what, time)) => (what, Some(time)),
            None => (text, None),
        };
        let (name, target) = what.split_once(':').unwrap_or((what, ""));
        if name == RANDOM && time.is_none() {
            return words(target).map(Self::Random);
        }
        let word = Word::named(name).ok_or_else(usage)?;
        let misused = || format!("expected {}", word.usage());
        let (at, length) = moment(time.ok_or_else(misused)?)?;
        let fits = match word.lasts() {
            Lasts::AMoment => length.is_none(),
            Lasts::AWhile => length.is_some(),
            Lasts::Perhaps => true,
        };
        if !fits || target.is_empty() != (word.takes() == Takes::Nothing) {
            return Err(misused());
        }
        let target = target.into();
        Ok(Self::At(Strike {
            word,
            target,
            at,
            length,
        }))
    }
}

/// What can be written.
fn usage() -> String {
    let usages: Vec<String> = Word::ALL.map(Word::usage).into();
    format!(
        "expected {}, {RANDOM}:WORD[+WORD...] or {KILL_RANDOM}",
        usages.join(", ")
    )
}

/// `kill+pause`: each word once.
fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    for name in text.split('+') {
        let word = Word::named(name).filter(|word| word.is_for_random());
        let word = word.ok_or_else(|| {
            let known = Word::ALL.into_iter().filter(|word| word.is_for_random());
            let known: Vec<&str> = known.map(Word::name).collect();
            format!("{name:?} is not one of {}", known.join(", "))
        })?;
        if words.contains(&word) {
            return Err(format!("{name} is there twice"));
        }
        words.push(word);
    }
    Ok(words)
}

/// `3s` or `3s+2s`.
fn moment(text: &str) -> Result<(Micros, Option<Micros>), String> {
    let time = |text: &str| {
        let time = time::length(text).map_err(|error| format!("{text:?}: {error}"))?;
        Ok::<_, String>(time.as_micros() as Micros)
    };
    match text.split_once('+') {
        None => Ok((time(text)?, None)),
        Some((at, length)) => match time(length)? {
            0 => Err("a fault must be longer than 0".into()),
            length => Ok((time(at)?, Some(length))),
        },
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(strike) => strike.fmt(f),
            Self::Random(words) if words[..] == [Word::Kill] => f.write_str(KILL_RANDOM),
            Self::Random(words) => {
                let names: Vec<&str> = words.iter().map(|word| word.name()).collect();
                write!(f, "{RANDOM}:{}", names.join("+"))
            }
        }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |micros| humantime::format_duration(std::time::Duration::from_micros(micros));
        f.write_str(self.word.name())?;
        if !self.target.is_empty() {
            write!(f, ":{}", self.target)?;
        }
        write!(f, "@{}", time(self.at))?;
        self.length
            .map_or(Ok(()), |length| write!(f, "+{}", time(length)))
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_and_written_as_people_write_them() {
        for text in [
            "kill-leader:p0@3s",
            "kill-leader:p12@500ms+2s",
            "kill-oracle-leader@3s",
            "kill-oracle-leader@1s+1s",
            "kill-random",
            "kill:p0r1@3s",
            "kill:oracler2@3s+5s",
            "pause:p0r1@3s+2s",
            "stop-cache@3s+2s",
            "cut:p0r1@3s+2s",
            "cut-in:p0r1@3s+2s",
            "cut-out:p0r1@3s+2s",
            "cut-client:p0r1@3s+2s",
            "full-disk:p0r1@3s+2s",
            "freeze-cache:2@3s+2s",
            "kill-cache:0@3s",
            "kill-cache:0@3s+2s",
            "cut-cache:1@3s+2s",
            "random:kill-cache+cut-cache",
            "flush-cache@3s",
            "random:pause",
            "random:kill+pause+cut+cut-in+cut-out+cut-client+full-disk+freeze-cache+flush-cache",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        let fault: Fault = "cut:p0r1@1500ms+1m".parse().unwrap();
        let expected = Fault::At(Strike {
            word: Word::Cut,
            target: "p0r1".into(),
            at: 1_500_000,
            length: Some(60_000_000),
        });
        assert_eq!(fault, expected);
        assert_eq!("random:kill".parse::<Fault>(), "kill-random".parse());
    }

    /// Times wrapped around.
    #[test]
    fn what_no_run_lives_to_see_is_refused() {
        for text in ["cut:p0r1@584600years+2s", "cut:p0r1@3s+584600years"] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.contains("584600years"), "{error}");
        }
    }

    #[test]
    fn what_is_incomplete_is_refused() {
        for text in [
            "",
            "kill",
            "kill@3s",
            "kill-leader@3s",
            "kill-leader:p0",
            "kill-leader:p0@",
            "kill-leader:p0@3",
            "kill-oracle-leader:p0@3s",
            "kill-random@3s",
            "pause:p0r1@3s",
            "stop-cache@3s",
            "cut:p0r1@3s",
            "cut:p0r1@3s+0s",
            "cut@3s+2s",
            "full-disk@3s+2s",
            "freeze-cache@3s+2s",
            "kill-cache@3s+2s",
            "cut-cache:0@3s",
            "flush-cache@3s+2s",
            "flush-cache:0@3s",
            "random",
            "random:",
            "random:kill+",
            "random:kill@3s",
            "random:kill+kill",
            "random:kill-leader",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text:?}");
        }
        let told = |text: &str| text.parse::<Fault>().unwrap_err();
        assert_eq!(told("pause:p0r1@3s"), "expected pause:REPLICA@TIME+TIME");
        assert!(told("random:dance").contains("\"dance\" is not one of kill, pause"));
        assert!(told("dance@3s").contains("freeze-cache:NUMBER@TIME+TIME"));
    }
}
