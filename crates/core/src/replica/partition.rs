//! Seam 2, the partition: the state of one group, which applies what is delivered.

use crate::answer::Answer;
use crate::answer::Touch;
use crate::command::{Command, CommandId, MessageId};
use crate::hooks::ObjectEvent;
use crate::id::{Encoded, GroupId, Groups, Hint, ObjectId, Revision};
use crate::multicast::Delivery;
use crate::read::Query;
use crate::signal::Signal;
use crate::snapshot::StatePart;
use std::sync::Arc;

/// The replicated state of one group, changed by deliveries and by nothing else.
///
/// [`Engine`](super::Engine) is the implementation that all strategies share; the oracle group of
/// the broker runs it too.
pub trait Partition {
    /// Applies one delivery and appends what it led to: the same at every replica of the group
    /// (rule R6).
    fn on_deliver(&mut self, delivery: Delivery, out: &mut Applied);

    /// What this group would answer to a command if the signals that have arrived were delivered:
    /// `None` unless the command has signalled here, these and the delivered ones are those of all
    /// its destinations, and this group is the one that answers. Changes nothing of the state; it
    /// takes `&mut self` for the sake of observers.
    fn conclude(&mut self, message: MessageId, arrived: &[(GroupId, Signal)]) -> Option<Reply>;

    /// The recorded answer to exactly this attempt, if this group is the one that gave it.
    fn recorded(&self, id: CommandId) -> Option<&Arc<Answer>>;

    /// Where the object is as far as the ordered state says: exact for an owned object and at a
    /// directory.
    fn locate(&self, object: ObjectId) -> Option<Hint>;

    /// Revision and value of an object that the group owns, as far as deliveries were applied.
    fn held(&self, object: ObjectId) -> Option<(Revision, Encoded)>;

    /// Answers a query, if this group alone may do so now: it owns the objects and nothing that is
    /// delivered waits on them (rule R3).
    fn read(&self, query: &Query) -> Option<Reading>;

    /// How many delivered commands have not finished.
    fn unfinished_count(&self) -> usize;

    /// How many objects the group owns, and how large they are.
    fn holdings(&self) -> Holdings;

    /// A digest of the whole state: equal at replicas that applied the same deliveries.
    fn digest(&self) -> u64;

    /// A cheap copy of the whole state, for [`Delivery::Restore`] once it is encoded.
    fn image(&self) -> StatePart;
}

/// So that what drives a replica need not know the service.
impl<P: Partition + ?Sized> Partition for Box<P> {
    fn on_deliver(&mut self, delivery: Delivery, out: &mut Applied) {
        (**self).on_deliver(delivery, out);
    }

    fn conclude(&mut self, message: MessageId, arrived: &[(GroupId, Signal)]) -> Option<Reply> {
        (**self).conclude(message, arrived)
    }

    fn recorded(&self, id: CommandId) -> Option<&Arc<Answer>> {
        (**self).recorded(id)
    }

    fn locate(&self, object: ObjectId) -> Option<Hint> {
        (**self).locate(object)
    }

    fn held(&self, object: ObjectId) -> Option<(Revision, Encoded)> {
        (**self).held(object)
    }

    fn read(&self, query: &Query) -> Option<Reading> {
        (**self).read(query)
    }

    fn unfinished_count(&self) -> usize {
        (**self).unfinished_count()
    }

    fn holdings(&self) -> Holdings {
        (**self).holdings()
    }

    fn digest(&self) -> u64 {
        (**self).digest()
    }

    fn image(&self) -> StatePart {
        (**self).image()
    }
}

/// What a group owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// How many objects.
    pub objects: u64,
    /// The bytes of their encoded values.
    pub bytes: u64,
}

/// What applying a delivery led to.
#[derive(Debug, Default)]
pub struct Applied {
    /// Signals for other groups, in the order in which they are to be sent.
    pub signals: Vec<(GroupId, Signal)>,
    /// Objects that a signal had to call lacking, and the groups it went to: a hint may help them.
    pub lacking: Vec<(Groups, ObjectId)>,
    /// Commands that have signalled and wait for others' signals.
    pub started: Vec<MessageId>,
    /// Answers that this group has to give.
    pub replies: Vec<Reply>,
    /// Changes of objects.
    pub events: Vec<ObjectEvent>,
}

/// An answer to be given.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The recorded part.
    pub answer: Arc<Answer>,
    /// The command that is answered.
    pub command: Arc<Command>,
    /// Where the signals say that the objects are, if the client should know.
    pub hints: Vec<Hint>,
}

/// What a query has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The application's encoded reply; `None` if the service panicked.
    pub reply: Option<Encoded>,
    /// The objects, ascending, each left as it was found.
    pub touched: Vec<Touch>,
    /// How many bytes the objects have.
    pub bytes: u64,
}
