//! Histories as files, for judges that know nothing of this project.
//!
//! Told is what clients saw, and nothing else: what they asked for, how it ended, and when. What
//! groups said later of operations that were not answered is left out, and so are revisions and
//! timestamps: whoever believed them would not be an outside judge.

mod edn;
mod jsonl;

use crate::History;
use crate::operation::{Action, Fate, Observed};
use crate::terms::{Act, Shown, Terms};
use ssmr_core::{Application, Micros, codec};

/// How an operation ended, as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    Failed,
    Changed,
    AlreadyExists,
    NotFound,
    Refused,
    Unknown,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Changed => "changed",
            Self::AlreadyExists => "already-exists",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// One operation as it is told.
struct Told {
    client: u64,
    invoked: Micros,
    /// When it was answered, if it was.
    completed: Option<Micros>,
    end: End,
    /// What was asked for, with what was read if it took effect.
    acts: Vec<Act>,
}

impl<A: Application> History<A> {
    /// All operations, in the order in which they were invoked.
    fn told(&self, terms: &Terms<A>) -> impl Iterator<Item = Told> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&operation| self.operations[operation].invoked);
        order
            .into_iter()
            .map(|operation| self.tell_one(operation, terms))
    }

    fn tell_one(&self, number: usize, terms: &Terms<A>) -> Told {
        let operation = &self.operations[number];
        let end = match &operation.fate {
            _ if !operation.answered => End::Unknown,
            Fate::Done(_) => End::Done,
            Fate::Failed => End::Failed,
            Fate::Changed => End::Changed,
            Fate::AlreadyExists => End::AlreadyExists,
            Fate::NotFound => End::NotFound,
            Fate::Nothing | Fate::Unknown => End::Refused,
        };
        let reply = match &operation.fate {
            Fate::Done(reply) if operation.answered => codec::decode(reply).ok(),
            _ => None,
        };
        let op = codec::decode(&operation.op).ok();
        let mut acts = op.map_or_else(Vec::new, |op| (terms.acts)(&op, reply.as_ref()));
        for item in self.items(number) {
            let (verb, value) = match item.action {
                Action::Create(value) => {
                    let value = codec::decode(&self.values[value as usize]);
                    let shown = value.map_or(Shown::Nothing, |value| (terms.value)(&value));
                    ("create", shown)
                }
                Action::Delete => ("delete", Shown::Nothing),
                Action::Move => ("move", Shown::Nothing),
                Action::Lookup if item.expected == Observed::Absent => ("absent", Shown::Nothing),
                Action::Lookup => ("lookup", Shown::Nothing),
                Action::Read | Action::Write | Action::Update => continue,
            };
            let object = self.objects()[item.object as usize];
            acts.push(Act {
                verb,
                object,
                value,
            });
        }
        Told {
            client: operation.client.0,
            invoked: operation.invoked,
            completed: operation.answered.then_some(operation.completed),
            end,
            acts,
        }
    }
}
