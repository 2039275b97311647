//! What the clients saw: every request that ended, how it ended and when, kept small enough for whole benchmark runs.
//!
//! It judges nothing; [`check`](crate::check) does. Retries, consultations and the moves that `gather` makes are the
//! client's own business and are not in it. A history starts with the empty service and holds the requests of *all*
//! clients since: a write that nobody recorded looks like a fault.
//!
//! Operations, objects and epochs are numbered, and encoded bytes are shared with whoever pushed them. An operation
//! takes about 130 bytes and 36 for each object that it names.

use rustc_hash::FxHashMap;
use ssmr_core::{
    Answer, Application, ClientId, CommandId, Completion, Encoded, Intent, Micros, ObjectId,
    Outcome, Request, Revision, Timestamp, Touch, Verdict,
};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

/// All requests of one run on the service `A`, in the order in which they were pushed.
#[derive(Debug)]
pub struct History<A: Application> {
    pub(crate) operations: Vec<Operation>,
    items: Vec<Item>,
    /// The values of creates.
    pub(crate) values: Vec<Encoded>,
    pub(crate) objects: Numbering<ObjectId>,
    pub(crate) epochs: Numbering<Timestamp>,
    /// The last attempts of unanswered operations, until they are attributed.
    attempts: BTreeMap<usize, CommandId>,
    application: PhantomData<fn() -> A>,
}

/// One request and how it ended.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) client: ClientId,
    pub(crate) invoked: Micros,
    pub(crate) completed: Micros,
    pub(crate) op: Encoded,
    /// Whether the client was told the fate; if not, it was attributed later or is unknown.
    pub(crate) answered: bool,
    pub(crate) fate: Fate,
    pub(crate) timestamp: Option<Timestamp>,
    /// The answer told something of an object that the request does not name.
    pub(crate) strays: bool,
    /// Where its items begin; they end where those of the next operation begin.
    items: usize,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done(Encoded),
    AlreadyExists,
    NotFound,
    /// It had no effect and says nothing of the state.
    Nothing,
    /// It took effect once, or not at all.
    Unknown,
}

/// One object that an operation names: what was intended, and what the answer told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) object: u32,
    pub(crate) aim: Aim,
    pub(crate) before: Seen,
    pub(crate) after: Seen,
}

/// An [`Intent`] in little space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// With the number of its value.
    Create(u32),
    Delete,
    Read,
    Write,
    Update,
    Move,
    Lookup,
}

impl Aim {
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Update)
    }

    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Update)
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create(_) => "create",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Write => "write",
            Self::Update => "update",
            Self::Move => "move",
            Self::Lookup => "lookup",
        })
    }
}

/// What an answer told of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Untold,
    Absent,
    At {
        /// The number of the epoch.
        epoch: u32,
        version: u32,
    },
}

/// Numbers things in the order in which they appear first.
#[derive(Debug)]
pub(crate) struct Numbering<T> {
    numbers: FxHashMap<T, u32>,
    things: Vec<T>,
}

impl<T: Copy + Eq + Hash> Numbering<T> {
    fn number(&mut self, thing: T) -> u32 {
        *self.numbers.entry(thing).or_insert_with(|| {
            self.things.push(thing);
            narrow(self.things.len() - 1)
        })
    }

    pub(crate) fn things(&self) -> &[T] {
        &self.things
    }
}

impl<A: Application> Default for History<A> {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            items: Vec::new(),
            values: Vec::new(),
            objects: Numbering {
                numbers: FxHashMap::default(),
                things: Vec::new(),
            },
            epochs: Numbering {
                numbers: FxHashMap::default(),
                things: Vec::new(),
            },
            attempts: BTreeMap::new(),
            application: PhantomData,
        }
    }
}

impl<A: Application> History<A> {
    /// Adds a request that ended. The times of all clients must be read from one clock.
    ///
    /// # Panics
    /// If it was answered before it was invoked.
    pub fn push(&mut self, client: ClientId, request: &Request, completion: &Completion) {
        assert!(
            completion.invoked <= completion.completed,
            "time runs backwards: {completion:?}"
        );
        let index = self.operations.len();
        let fate = match &completion.outcome {
            Outcome::Done(reply) => Fate::Done(reply.clone()),
            Outcome::AlreadyExists => Fate::AlreadyExists,
            Outcome::NotFound => Fate::NotFound,
            Outcome::Unsupported | Outcome::Refused(_) => Fate::Nothing,
            Outcome::Unknown => Fate::Unknown,
        };
        let answered = fate != Fate::Unknown;
        if !answered {
            self.attempts
                .extend(completion.last_attempt.map(|attempt| (index, attempt)));
        }
        self.operations.push(Operation {
            client,
            invoked: completion.invoked.micros(),
            completed: completion.completed.micros(),
            op: request.op.clone(),
            answered,
            // What was never sent cannot have taken effect.
            fate: if answered || completion.last_attempt.is_some() {
                fate
            } else {
                Fate::Nothing
            },
            timestamp: None,
            strays: false,
            items: self.items.len(),
        });
        for (object, intent) in request.intents() {
            let object = self.objects.number(*object);
            let aim = self.aim(intent);
            let (before, after) = (Seen::Untold, Seen::Untold);
            self.items.push(Item {
                object,
                aim,
                before,
                after,
            });
        }
        if answered {
            self.tell(index, completion.timestamp, &completion.touched);
        }
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The operations that ended unanswered and are not attributed yet, with the attempt to ask the groups for.
    pub fn unanswered(&self) -> impl Iterator<Item = (usize, CommandId)> {
        self.attempts
            .iter()
            .map(|(&index, &attempt)| (index, attempt))
    }

    /// Says what the groups recorded for an operation of [`History::unanswered`]: the answer, or `None` if all of them
    /// have finished all they ever will and none executed it. The witnessed check then knows its writes; the black-box
    /// check goes on knowing nothing.
    ///
    /// # Panics
    /// If the operation is not one of those, or the answer is not to its last attempt.
    pub fn attribute(&mut self, operation: usize, answer: Option<&Answer>) {
        let attempt = self.attempts.remove(&operation);
        let Some(attempt) = attempt else {
            panic!("operation {operation} is not unanswered")
        };
        let Some(answer) = answer else {
            self.operations[operation].fate = Fate::Nothing;
            return;
        };
        assert_eq!(answer.id, attempt, "the answer is not to the last attempt");
        self.operations[operation].fate = match answer.verdict {
            Verdict::Done => Fate::Done(answer.reply.clone()),
            Verdict::AlreadyExists => Fate::AlreadyExists,
            Verdict::NotFound => Fate::NotFound,
            Verdict::Retry | Verdict::SessionExpired | Verdict::TooLarge => Fate::Nothing,
        };
        self.tell(operation, Some(answer.timestamp), &answer.touched);
    }

    /// When the operation was certainly over; never, if the client was not told.
    pub(crate) fn answered_at(&self, operation: usize) -> Micros {
        let operation = &self.operations[operation];
        if operation.answered {
            operation.completed
        } else {
            Micros::MAX
        }
    }

    /// The objects that an operation names, ascending by object id.
    pub(crate) fn items(&self, operation: usize) -> &[Item] {
        &self.items[self.range(operation)]
    }

    fn range(&self, operation: usize) -> std::ops::Range<usize> {
        let next = self.operations.get(operation + 1);
        self.operations[operation].items..next.map_or(self.items.len(), |next| next.items)
    }

    fn aim(&mut self, intent: &Intent) -> Aim {
        match intent {
            Intent::Create { value, .. } => {
                self.values.push(value.clone());
                Aim::Create(narrow(self.values.len() - 1))
            }
            Intent::Delete => Aim::Delete,
            Intent::Read => Aim::Read,
            Intent::Write => Aim::Write,
            Intent::Update => Aim::Update,
            Intent::Move { .. } => Aim::Move,
            Intent::Lookup => Aim::Lookup,
        }
    }

    fn tell(&mut self, operation: usize, timestamp: Option<Timestamp>, touched: &[Touch]) {
        self.operations[operation].timestamp = timestamp;
        for touch in touched {
            let (before, after) = (self.seen(touch.before), self.seen(touch.after));
            let range = self.range(operation);
            let (objects, items) = (self.objects.things(), &mut self.items[range]);
            match items.binary_search_by_key(&touch.object, |item| objects[item.object as usize]) {
                Ok(place) => (items[place].before, items[place].after) = (before, after),
                Err(_) => self.operations[operation].strays = true,
            }
        }
    }

    fn seen(&mut self, revision: Option<Revision>) -> Seen {
        revision.map_or(Seen::Absent, |Revision { epoch, version }| Seen::At {
            epoch: self.epochs.number(epoch),
            version: u32::try_from(version)
                .unwrap_or_else(|_| panic!("version {version} is absurd")),
        })
    }
}

/// Four thousand million of anything is more than a run's history can hold in memory.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or_else(|_| panic!("a history of {number} things is too long"))
}
