//! Where clients look things up before they hand in an attempt, and what groups tell the shared
//! cache: hints, no part of any verdict.
//!
//! A script leaves them out unless it is asked for them.

use super::{Happening, Trace};
use ssmr_core::{ClientId, CommandId, GroupId, Hint, LocalTime, ObjectId};

/// Who is asked for hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adviser {
    Group(GroupId),
    Cache,
}

impl std::fmt::Display for Adviser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Group(group) => write!(f, "{group}"),
            Self::Cache => f.write_str("cache"),
        }
    }
}

impl Trace {
    /// From now on, scripts show look-ups too.
    pub(crate) fn show_lookups(&mut self) {
        self.shows_lookups = true;
    }

    /// A client asks where objects are.
    pub(crate) fn looked_up(
        &mut self,
        now: LocalTime,
        client: ClientId,
        adviser: Adviser,
        objects: &[ObjectId],
    ) {
        if self.listens {
            let request = self.asking(client, objects);
            let what = Happening::LookedUp(client, adviser, objects.to_vec());
            self.write(now, request, None, what);
        }
    }

    /// A client is told where objects are, as far as that is known.
    pub(crate) fn advised(
        &mut self,
        now: LocalTime,
        client: ClientId,
        adviser: Adviser,
        hints: &[Hint],
        unknown: &[ObjectId],
    ) {
        if self.listens {
            let told = hints.iter().map(|hint| hint.object);
            let all: Vec<ObjectId> = told.chain(unknown.iter().copied()).collect();
            let request = self.asking(client, &all);
            let what = Happening::Advised(client, adviser, hints.to_vec());
            self.write(now, request, None, what);
        }
    }

    /// A replica of a group tells the cache where an object is: written down once for the group.
    pub(crate) fn published(&mut self, now: LocalTime, at: GroupId, hint: &Hint) {
        if self.listens && self.published.insert((at, hint.object, hint.epoch)) {
            let id = self.placed_by(hint);
            let request = id.and_then(|id| self.numbers.get(&(id.session, id.number)));
            let (request, hint) = (request.copied(), *hint);
            self.write(now, request, id, Happening::Published { at, hint });
        }
    }

    /// The attempt that created or moved an object into the place that a hint tells.
    fn placed_by(&self, hint: &Hint) -> Option<CommandId> {
        let mut lines = self.lines.iter().rev();
        let placed = lines.find(|line| match line.what {
            Happening::Delivered { timestamp, .. } => timestamp == hint.epoch,
            _ => false,
        });
        placed.and_then(|line| line.id)
    }

    /// The first open request of a client that names one of these objects.
    fn asking(&self, client: ClientId, objects: &[ObjectId]) -> Option<usize> {
        let open = self.open.range((client, 0)..=(client, u64::MAX));
        let mut open = open.map(|(_, number)| *number);
        open.find(|number| {
            let request = &self.requests[*number].request;
            objects.iter().any(|o| request.intent(*o).is_some())
        })
    }
}
