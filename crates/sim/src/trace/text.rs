//! The words of a trace.

use super::Adviser;
use crate::app::{Op, Register, Registers};
use ssmr_core::ObjectStatus;
use ssmr_core::{
    Application, Change, ClientId, Completion, Encoded, Expected, GroupId, Hint, Intent,
    ObjectEvent, ObjectId, Outcome, Request, Signal, Verdict, codec,
};
use std::collections::BTreeMap;

/// How many things of a kind are listed.
const LISTED: usize = 8;

/// Short names of objects; without them, objects are called by their ids.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<ObjectId, String>);

impl Names {
    /// Names objects in the order in which they appear first.
    pub(super) fn add(&mut self, objects: impl Iterator<Item = ObjectId>) {
        const LETTERS: &[u8] = b"xyzuvw";
        for object in objects {
            let number = self.0.len();
            let letter = LETTERS.get(number).map(|&letter| char::from(letter));
            let name = letter.map_or_else(|| format!("o{}", number + 1), String::from);
            self.0.entry(object).or_insert(name);
        }
    }

    pub(super) fn of(&self, object: ObjectId) -> String {
        let name = self.0.get(&object).cloned();
        name.unwrap_or_else(|| object.to_string())
    }

    /// What a client asks for.
    pub(super) fn request(&self, request: &Request) -> String {
        let intents = request.intents().iter();
        let expected = request
            .expected()
            .iter()
            .map(|(object, expected)| match expected {
                Expected::At(revision) => format!("expect {} at {revision:?}", self.of(*object)),
                Expected::Absent => format!("expect no {}", self.of(*object)),
            });
        let intents = intents.map(|(object, intent)| self.intent(*object, intent));
        let all = list(intents.chain(expected));
        match codec::decode(&request.op) {
            Ok(Op::Update(_, mark) | Op::Write(_, mark)) => format!("{all}, mark {mark}"),
            Ok(Op::FragileUpdate(_, mark) | Op::FragileWrite(_, mark)) => {
                format!("{all}, mark {mark}, fragile")
            }
            _ if all.is_empty() => "nothing".into(),
            _ => all,
        }
    }

    fn intent(&self, object: ObjectId, intent: &Intent) -> String {
        let name = self.of(object);
        match intent {
            Intent::Create { at, value } => {
                let at = at.map_or_else(String::new, |at| format!(" at {at}"));
                format!("create {name} = {}{at}", value_of(value))
            }
            Intent::Delete => format!("delete {name}"),
            Intent::Read => format!("read {name}"),
            Intent::Write => format!("write {name}"),
            Intent::Update => format!("update {name}"),
            Intent::Move { to } => format!("move {name} to {to}"),
            Intent::Lookup => format!("look {name} up"),
        }
    }

    /// What a signal says.
    pub(super) fn signal(&self, signal: &Signal) -> String {
        let reports = signal.reports.iter().map(|report| {
            let name = self.of(report.object);
            match &report.status {
                ObjectStatus::Owned(revision, None) => format!("has {name} {revision:?}"),
                ObjectStatus::Owned(revision, Some(_)) => {
                    let value = report.status.value();
                    let value = value.map_or_else(|| "a reference".into(), value_of);
                    format!("has {name} {revision:?} = {value}")
                }
                ObjectStatus::Present => format!("{name} present"),
                ObjectStatus::Absent => format!("{name} absent"),
            }
        });
        let reports = list(reports);
        match (signal.expired, reports.is_empty()) {
            (true, _) => "expired".into(),
            (false, true) => "lacks all".into(),
            (false, false) => reports,
        }
    }

    /// What a group did.
    pub(super) fn effects(&self, effects: &[ObjectEvent]) -> String {
        list(effects.iter().map(|event| {
            let name = self.of(event.object);
            match &event.change {
                Change::Created(owner, _) => {
                    format!("{name} created at {owner}, {:?}", event.revision)
                }
                Change::Moved(owner, _) => {
                    format!("{name} moved to {owner}, {:?}", event.revision)
                }
                Change::Written(value) => format!("{name} = {}", value_of(value)),
                Change::Deleted => format!("{name} deleted"),
            }
        }))
    }

    /// A group's verdict, and what it did.
    pub(super) fn verdict(
        &self,
        verdict: Verdict,
        effects: &[ObjectEvent],
        against: Option<Verdict>,
    ) -> String {
        let mut text = format!("{verdict:?}");
        if let Some(against) = against {
            text += &format!(" although the signals say {against:?}");
        }
        if !effects.is_empty() {
            text += &format!("; {}", self.effects(effects));
        }
        text
    }

    /// What a client asks before it hands an attempt in.
    pub(super) fn lookup(
        &self,
        client: ClientId,
        adviser: Adviser,
        objects: &[ObjectId],
    ) -> String {
        let objects = list(objects.iter().map(|object| self.of(*object)));
        format!("{client:?} asks {adviser} where {objects} is")
    }

    /// What it is told.
    pub(super) fn advice(&self, client: ClientId, adviser: Adviser, hints: &[Hint]) -> String {
        let hints = match hints {
            [] => "not known".into(),
            hints => self.hints(hints),
        };
        format!("{adviser} tells {client:?}: {hints}")
    }

    /// What hints say.
    pub(super) fn hints(&self, hints: &[Hint]) -> String {
        let place = |hint: &Hint| format!("{} is at {}", self.of(hint.object), hint.owner);
        list(hints.iter().map(place))
    }
}

/// How a request ended, and what was special about it.
pub(super) fn ending(completion: &Completion) -> String {
    let mut text = match &completion.outcome {
        Outcome::Done(reply) if reply.is_empty() => "Done".into(),
        Outcome::Done(reply) => match codec::decode::<<Registers as Application>::Reply>(reply) {
            Ok(values) => format!("Done: {}", list(values.iter().map(|r| register(*r)))),
            Err(_) => format!("Done: {} bytes", reply.len()),
        },
        other => format!("{other:?}"),
    };
    let cost = completion.cost;
    if cost.unordered {
        text += "; unordered";
    }
    for (count, what) in [
        (cost.oracle_consults, "consultation"),
        (cost.retries, "retry"),
        (cost.fallbacks, "fall-back"),
    ] {
        if count > 0 {
            text += &format!("; {what}: {count}");
        }
    }
    text
}

pub(super) fn groups(groups: impl IntoIterator<Item = GroupId>) -> String {
    let names: Vec<String> = groups.into_iter().map(|group| group.to_string()).collect();
    names.join(", ")
}

fn value_of(value: &Encoded) -> String {
    codec::decode::<Register>(value).map_or_else(|_| format!("{} bytes", value.len()), register)
}

/// How often it was written, and the end of the hash over what was.
fn register(Register { writes, chain }: Register) -> String {
    format!("{writes}:{:x}", chain & 0xffff)
}

/// The first of some things, and how many more there are.
fn list(things: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = things.collect();
    let more = all.len().saturating_sub(LISTED);
    if more > 0 {
        all.truncate(LISTED);
        all.push(format!("{more} more"));
    }
    all.join(", ")
}
