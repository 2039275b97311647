//! What the clients saw: every request that ended, how it ended and when, kept small enough for
//! whole benchmark runs.
//!
//! It judges nothing. Retries, consultations and the moves that `gather` makes are the client's own
//! business and are not in it. A history starts with the empty service and holds the requests of
//! *all* clients since: a write that nobody recorded looks like a violation.
//!
//! Operations, objects and epochs are numbered, and encoded bytes are shared with whoever pushed
//! them. An operation takes about 130 bytes and 48 for each object that it names.

use crate::interner::{Interner, narrow};
use crate::operation::{Action, Fate, Item, Observed, Operation};
use crate::stale::StaleRead;
use ssmr_core::{
    Answer, Application, ClientId, CommandId, Completion, Encoded, Expected, Micros, ObjectId,
    Outcome, Request, Revision, Timestamp, Touch, Verdict,
};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// All requests of one run on the service `A`, in the order in which they were pushed.
///
/// Tasks or threads share one behind a mutex; the order in which they push does not matter.
#[derive(Debug)]
pub struct History<A: Application> {
    pub(crate) operations: Vec<Operation>,
    items: Vec<Item>,
    /// The values of creates.
    pub(crate) values: Vec<Encoded>,
    pub(crate) objects: Interner<ObjectId>,
    pub(crate) epochs: Interner<Timestamp>,
    /// The last attempts of unanswered operations, until they are attributed.
    attempts: BTreeMap<usize, CommandId>,
    /// Reads that are kept apart, for they were told what is past.
    pub(crate) stale: Vec<StaleRead>,
    application: PhantomData<fn() -> A>,
}

impl<A: Application> Default for History<A> {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            items: Vec::new(),
            values: Vec::new(),
            objects: Interner::default(),
            epochs: Interner::default(),
            attempts: BTreeMap::new(),
            stale: Vec::new(),
            application: PhantomData,
        }
    }
}

impl<A: Application> History<A> {
    /// An empty history, of a service without objects.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a request that ended. The times of all clients must be read from one clock.
    ///
    /// # Panics
    /// If it was answered before it was invoked.
    pub fn push(&mut self, client: ClientId, request: &Request, completion: &Completion) {
        let times = completion.invoked.micros()..=completion.completed.micros();
        let sent = completion.last_attempt.is_some();
        let index = self.add(client, request, &completion.outcome, times, sent);
        if self.operations[index].answered {
            self.tell(index, completion.timestamp, &completion.touched);
        } else {
            let attempt = completion.last_attempt.map(|attempt| (index, attempt));
            self.attempts.extend(attempt);
        }
    }

    /// Adds a request of which only the outcome is known, and when it began and ended: what a
    /// client of any interface can tell. Only the black-box check can judge such a history.
    ///
    /// # Panics
    /// If it was answered before it was invoked.
    pub fn observe(
        &mut self,
        client: ClientId,
        request: &Request,
        outcome: &Outcome,
        times: RangeInclusive<Micros>,
    ) {
        let index = self.add(client, request, outcome, times, true);
        self.operations[index].unwitnessed = true;
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

    /// The objects that operations name, each once, in the order in which they appeared.
    #[must_use]
    pub fn objects(&self) -> &[ObjectId] {
        self.objects.values()
    }

    /// The operations that ended unanswered and are not attributed yet, with the attempt to ask the
    /// groups for.
    pub fn unanswered(&self) -> impl Iterator<Item = (usize, CommandId)> {
        self.attempts
            .iter()
            .map(|(&index, &attempt)| (index, attempt))
    }

    /// Says what the groups recorded for an operation of [`History::unanswered`]: the answer, or
    /// `None` if all of them have finished all they ever will and none executed it. The witnessed
    /// check then knows its writes; the black-box check goes on knowing nothing. An answer whose
    /// reply the group has forgotten says too little: the operation stays unanswered.
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
            Verdict::Failed => Fate::Failed,
            Verdict::Changed => Fate::Changed,
            Verdict::AlreadyExists => Fate::AlreadyExists,
            Verdict::NotFound => Fate::NotFound,
            Verdict::Retry | Verdict::SessionExpired | Verdict::TooLarge => Fate::Nothing,
            Verdict::Forgotten => {
                self.attempts.insert(operation, attempt);
                return;
            }
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
        let end = next.map_or(self.items.len(), |next| next.first_item);
        self.operations[operation].first_item..end
    }

    /// Adds a request and its outcome. Returns its index.
    fn add(
        &mut self,
        client: ClientId,
        request: &Request,
        outcome: &Outcome,
        times: RangeInclusive<Micros>,
        sent: bool,
    ) -> usize {
        let (invoked, completed) = times.into_inner();
        assert!(
            invoked <= completed,
            "time runs backwards: {client:?} asked at {invoked} us, was answered at {completed} us"
        );
        let fate = match outcome {
            Outcome::Done(reply) => Fate::Done(reply.clone()),
            Outcome::Failed => Fate::Failed,
            Outcome::Changed => Fate::Changed,
            Outcome::AlreadyExists => Fate::AlreadyExists,
            Outcome::NotFound => Fate::NotFound,
            Outcome::Unsupported | Outcome::Refused(_) => Fate::Nothing,
            Outcome::Unknown => Fate::Unknown,
        };
        let answered = fate != Fate::Unknown;
        self.operations.push(Operation {
            client,
            invoked,
            completed,
            op: request.op.clone(),
            answered,
            // What was never sent cannot have taken effect.
            fate: if answered || sent {
                fate
            } else {
                Fate::Nothing
            },
            timestamp: None,
            unwitnessed: false,
            tells_of_others: false,
            first_item: self.items.len(),
        });
        for (object, intent) in request.intents() {
            let expected = match request.expected_of(*object) {
                None => Observed::Untold,
                Some(Expected::Absent) => Observed::Absent,
                Some(Expected::At(revision)) => self.observed(Some(revision)),
            };
            let object = self.objects.number(*object);
            let action = Action::of(intent, |value| {
                self.values.push(value.clone());
                narrow(self.values.len() - 1)
            });
            let (before, after) = (Observed::Untold, Observed::Untold);
            self.items.push(Item {
                object,
                action,
                expected,
                before,
                after,
            });
        }
        self.operations.len() - 1
    }

    /// Notes what an answer says of an operation's place in the order, and of its objects.
    fn tell(&mut self, operation: usize, timestamp: Option<Timestamp>, touched: &[Touch]) {
        self.operations[operation].timestamp = timestamp;
        for touch in touched {
            let (before, after) = (self.observed(touch.before), self.observed(touch.after));
            let range = self.range(operation);
            let (objects, items) = (self.objects.values(), &mut self.items[range]);
            match items.binary_search_by_key(&touch.object, |item| objects[item.object as usize]) {
                Ok(place) => (items[place].before, items[place].after) = (before, after),
                Err(_) => self.operations[operation].tells_of_others = true,
            }
        }
    }

    fn observed(&mut self, revision: Option<Revision>) -> Observed {
        revision.map_or(Observed::Absent, |Revision { epoch, version }| {
            Observed::At {
                epoch: self.epochs.number(epoch),
                version: u32::try_from(version)
                    .unwrap_or_else(|_| panic!("version {version} is absurd")),
            }
        })
    }
}
