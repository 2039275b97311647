//! A trace as it happened, with times: for the message of a failure.

use super::text::{self, Names};
use super::{Happening, Line, Trace};
use crate::violation::InvariantViolation;
use ssmr_core::{LocalTime, ObjectId};

impl Trace {
    /// What happened, in order: as far as it concerns the objects that the violation is about, or
    /// all of it if there are none; at most so many lines, the last ones.
    pub(crate) fn chronicle(&self, violation: Option<&InvariantViolation>, most: usize) -> String {
        let named = |object: &ObjectId| violation.is_some_and(|v| v.concerns(*object));
        let all = self
            .requests
            .iter()
            .flat_map(|asked| asked.request.objects());
        let about: Vec<ObjectId> = all.filter(named).collect();
        let concerns = |line: &&Line| {
            about.is_empty()
                || line.request.is_none_or(|number| {
                    let request = &self.requests[number].request;
                    about.iter().any(|o| request.intent(*o).is_some())
                })
        };
        let mut lines: Vec<&Line> = self.lines.iter().filter(concerns).collect();
        // That a signal was heard is told by what follows from it.
        lines.retain(|line| !matches!(line.what, Happening::Heard { .. }));
        let last = &lines[lines.len().saturating_sub(most)..];
        last.iter().map(|line| self.told_at(line)).collect()
    }

    /// All that happened, and how it ended.
    pub(crate) fn text(&self, end: LocalTime, ending: &str) -> String {
        let all = self.chronicle(None, usize::MAX);
        format!("{all}{} == {ending}\n", clock(end))
    }

    fn told_at(&self, line: &Line) -> String {
        let id = line.id.map_or_else(String::new, |id| format!("{id:?} "));
        let text = self.sentence(line);
        format!("{} {id}{text}\n", clock(line.at))
    }

    pub(super) fn sentence(&self, line: &Line) -> String {
        let names = Names::default();
        let asked = line.request.map(|number| &self.requests[number]);
        match &line.what {
            Happening::Note(note) => format!("-- {note}"),
            Happening::Hinted(who, hints) => format!("-- {who} told: {}", names.hints(hints)),
            Happening::LookedUp(client, adviser, objects) => {
                names.lookup(*client, *adviser, objects)
            }
            Happening::Advised(client, adviser, hints) => names.advice(*client, *adviser, hints),
            Happening::Published { at, hint } => {
                format!("{at} -> cache: {}", names.hints(&[*hint]))
            }
            Happening::Heard { at, from } => format!("{at} hears {from}"),
            Happening::Asked => asked.map_or_else(String::new, |asked| {
                format!("{:?} asks: {}", asked.client, names.request(&asked.request))
            }),
            Happening::Queried(at) => asked.map_or_else(String::new, |asked| {
                format!("{} to {at}, unordered", names.request(&asked.request))
            }),
            Happening::Sent(command) => format!(
                "{} to {}",
                names.request(&command.request),
                text::groups(command.destinations.iter())
            ),
            Happening::Delivered {
                at,
                timestamp,
                expired,
            } => {
                let expired = if *expired { ", expired" } else { "" };
                format!("{at} delivers it at {timestamp:?}{expired}")
            }
            Happening::Signalled { from, to, signal } => {
                format!("{from} -> {to}: {}", names.signal(signal))
            }
            Happening::Concluded {
                at,
                verdict,
                effects,
                against,
            } => format!("{at}: {}", names.verdict(*verdict, effects, *against)),
            Happening::Acted { at, effects } => format!("{at}: {}", names.effects(effects)),
            Happening::Answered { at, answer, .. } => format!("{at} answers {:?}", answer.verdict),
            Happening::Told(completion) => format!("ends: {}", text::ending(completion)),
        }
    }
}

/// Seconds and microseconds.
fn clock(at: LocalTime) -> String {
    let (seconds, micros) = (at.micros() / 1_000_000, at.micros() % 1_000_000);
    format!("{seconds:4}.{micros:06}")
}
