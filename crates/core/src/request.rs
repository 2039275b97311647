//! What clients ask for: intents on objects, and an operation to run on them.
//!
//! There is one shape of request. It declares, for each object it names, what it intends to do with
//! it. Nothing but the declared objects is ever touched.

use crate::application::{Access, Application};
use crate::codec;
use crate::id::{Encoded, Groups, ObjectId, PartitionId, Revision};
use crate::limits::{MAX_FAN_OUT, MAX_OBJECTS, MAX_OPERANDS, MAX_REQUEST, MAX_VALUE};
use crate::oracle::Placement;
use crate::topology::Topology;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a command intends to do with one of its objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// Create it with this value, at this partition if the strategy leaves the choice. It must not
    /// exist.
    Create {
        /// The wished-for owner; `None` leaves it to the strategy.
        at: Option<PartitionId>,
        /// The encoded value.
        value: Encoded,
    },
    /// Delete it.
    Delete,
    /// Read it: its value goes to every partition that executes the command.
    Read,
    /// Change it, unseen: only its owner sees the value, and the reply must not depend on it.
    Write,
    /// Read and change it.
    Update,
    /// Move it to a partition.
    Move {
        /// The new owner.
        to: PartitionId,
    },
    /// Ask in order whether it exists.
    Lookup,
}

impl Intent {
    /// Whether the value has to reach every partition that executes.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(self, Self::Read | Self::Update)
    }

    /// Whether the application may change the value.
    #[must_use]
    pub fn writes(&self) -> bool {
        matches!(self, Self::Write | Self::Update)
    }

    /// Whether the object's existence or place changes.
    #[must_use]
    pub fn places(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Delete | Self::Move { .. })
    }
}

/// How a request expects one of its objects to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expected {
    /// It is at this revision still.
    At(Revision),
    /// It does not exist.
    Absent,
}

/// What a user asks of the service: intents on objects, and an operation of the application to run
/// on those it reads or writes.
///
/// An object is named once: naming it again merges reading and writing into [`Intent::Update`], and
/// the stronger of any other two intents stays (the later one where they are alike).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Request {
    /// Ascending by object, each object once; whoever takes one from the wire checks it with
    /// [`Request::defect`].
    intents: Vec<(ObjectId, Intent)>,
    /// Ascending by object, each object once and among the intents.
    expected: Vec<(ObjectId, Expected)>,
    /// The encoded operation; empty if there is nothing to execute.
    pub op: Encoded,
}

/// Why a request is refused whatever the state: a pure function of the request, so that every group
/// says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Defect {
    /// A value is larger than [`MAX_VALUE`].
    ValueTooLarge,
    /// The values and the operation together are larger than [`MAX_REQUEST`].
    RequestTooLarge,
    /// It names more than [`MAX_OBJECTS`] objects.
    TooManyObjects,
    /// The values that it reads or moves are together larger than [`MAX_OPERANDS`], or larger than
    /// [`MAX_FAN_OUT`] if they are counted once for each group that they would be sent to.
    OperandsTooLarge,
    /// It names a partition that the cluster does not have.
    NoSuchPartition,
    /// It breaks the protocol (unordered objects, impossible destinations or numbers): not one of
    /// our clients.
    Malformed,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValueTooLarge => write!(f, "a value is larger than {MAX_VALUE} bytes"),
            Self::RequestTooLarge => write!(f, "the request is larger than {MAX_REQUEST} bytes"),
            Self::OperandsTooLarge => {
                write!(
                    f,
                    "the values that the request reads or moves are larger than {MAX_OPERANDS} \
                     bytes, or than {MAX_FAN_OUT} bytes for all groups that they are sent to"
                )
            }
            Self::TooManyObjects => write!(f, "the request names more than {MAX_OBJECTS} objects"),
            Self::NoSuchPartition => write!(f, "the request names a partition that does not exist"),
            Self::Malformed => write!(f, "the request is malformed"),
        }
    }
}

impl Request {
    /// Creates `object` with `value`, at partition `at` if the strategy leaves the choice.
    #[must_use]
    pub fn create<A: Application>(
        object: ObjectId,
        value: &A::Object,
        at: Option<PartitionId>,
    ) -> Self {
        Self::default().and(
            object,
            Intent::Create {
                at,
                value: codec::encode(value),
            },
        )
    }

    /// Deletes `object`.
    #[must_use]
    pub fn delete(object: ObjectId) -> Self {
        Self::default().and(object, Intent::Delete)
    }

    /// Moves `object` to partition `to`, from wherever it is.
    #[must_use]
    pub fn relocate(object: ObjectId, to: PartitionId) -> Self {
        Self::default().and(object, Intent::Move { to })
    }

    /// Asks, in order, whether `object` exists.
    #[must_use]
    pub fn lookup(object: ObjectId) -> Self {
        Self::default().and(object, Intent::Lookup)
    }

    /// Runs `op` on the objects that it declares ([`Application::access`]).
    #[must_use]
    pub fn access<A: Application>(op: &A::Op) -> Self {
        Self::declare(A::access(op), codec::encode(op))
    }

    /// Runs the operation that `op` encodes on the objects that `access` declares.
    #[must_use]
    pub fn declare(access: Access, op: Encoded) -> Self {
        let mut request = Self {
            op,
            ..Self::default()
        };
        for object in access.reads {
            request = request.and(object, Intent::Read);
        }
        for object in access.writes {
            request = request.and(object, Intent::Write);
        }
        request
    }

    /// This request with one more intent, so that several objects change in one atomic command.
    #[must_use]
    pub fn and(mut self, object: ObjectId, intent: Intent) -> Self {
        match self
            .intents
            .binary_search_by_key(&object, |(named, _)| *named)
        {
            Err(place) => self.intents.insert(place, (object, intent)),
            Ok(place) => {
                let old = &mut self.intents[place].1;
                match (&*old, &intent) {
                    (Intent::Read, Intent::Write)
                    | (Intent::Write, Intent::Read)
                    | (Intent::Update, Intent::Read | Intent::Write) => *old = Intent::Update,
                    (placing, touching) if placing.places() && !touching.places() => {}
                    (_, Intent::Lookup) => {}
                    _ => *old = intent,
                }
            }
        }
        self
    }

    /// This request, to take effect only if the object is still at this revision: else it ends as
    /// [`Outcome::Changed`](crate::Outcome::Changed). The request must name the object with another
    /// intent than to create it or look it up.
    ///
    /// Revisions come with completions ([`Touch`](crate::Touch)). They change with every write and
    /// every move.
    #[must_use]
    pub fn expecting(self, object: ObjectId, revision: Revision) -> Self {
        self.expect(object, Expected::At(revision))
    }

    /// This request, to take effect only if the object does not exist: else it ends as
    /// [`Outcome::Changed`](crate::Outcome::Changed). It [looks the object up](Intent::Lookup), and
    /// must do nothing else with it. What a request creates it expects to be absent anyway.
    #[must_use]
    pub fn expecting_absent(self, object: ObjectId) -> Self {
        let request = self.and(object, Intent::Lookup);
        request.expect(object, Expected::Absent)
    }

    fn expect(mut self, object: ObjectId, expected: Expected) -> Self {
        match self
            .expected
            .binary_search_by_key(&object, |(named, _)| *named)
        {
            Err(place) => self.expected.insert(place, (object, expected)),
            Ok(place) => self.expected[place].1 = expected,
        }
        self
    }

    /// What it expects, ascending by object.
    #[must_use]
    pub fn expected(&self) -> &[(ObjectId, Expected)] {
        &self.expected
    }

    /// How it expects an object to be, if it does.
    #[must_use]
    pub fn expected_of(&self, object: ObjectId) -> Option<Expected> {
        let expected = &self.expected;
        let place = expected.binary_search_by_key(&object, |(named, _)| *named);
        place.ok().map(|place| expected[place].1)
    }

    /// What it intends to do, ascending by object.
    #[must_use]
    pub fn intents(&self) -> &[(ObjectId, Intent)] {
        &self.intents
    }

    /// Where among the [`intents`](Self::intents) an object stands.
    #[must_use]
    pub fn place(&self, object: ObjectId) -> Option<usize> {
        self.intents
            .binary_search_by_key(&object, |(named, _)| *named)
            .ok()
    }

    /// What it intends to do with one object.
    #[must_use]
    pub fn intent(&self, object: ObjectId) -> Option<&Intent> {
        self.place(object).map(|place| &self.intents[place].1)
    }

    /// The objects that it names, ascending.
    pub fn objects(&self) -> impl Iterator<Item = ObjectId> {
        self.intents.iter().map(|(object, _)| *object)
    }

    /// How many bytes its values and operation take, with a little for each object.
    #[must_use]
    pub fn size(&self) -> usize {
        let value = |intent: &Intent| match intent {
            Intent::Create { value, .. } => value.len(),
            _ => 0,
        };
        self.op.len()
            + 32 * self.expected.len()
            + self
                .intents
                .iter()
                .map(|(_, intent)| 24 + value(intent))
                .sum::<usize>()
    }

    /// The groups that must be among the destinations whatever is known of the objects' places:
    /// authorities and directories of what is created or deleted, new owners, directories of what
    /// moves.
    #[must_use]
    pub fn required(&self, placement: &Placement) -> Groups {
        let mut groups = Groups::EMPTY;
        for (object, intent) in &self.intents {
            let object = *object;
            match intent {
                Intent::Create { at, .. } => groups.insert(placement.owner(object, *at).into()),
                Intent::Move { to } => groups.insert((*to).into()),
                _ => {}
            }
            if matches!(intent, Intent::Create { .. } | Intent::Delete) {
                groups = groups.union(placement.authority(object));
            }
            if intent.places() {
                groups = groups.union(placement.directory(object));
            }
        }
        groups
    }

    /// Why it must be refused, if it must: it breaks a bound of [`limits`](crate::limits) or is
    /// malformed.
    #[must_use]
    pub fn defect(&self, topology: &Topology) -> Option<Defect> {
        if self.intents.len() > MAX_OBJECTS {
            return Some(Defect::TooManyObjects);
        }
        let sorted = self.intents.is_sorted_by(|a, b| a.0 < b.0)
            && self.expected.is_sorted_by(|a, b| a.0 < b.0);
        // Revisions are told by owners, absence by authorities.
        let can_be_told =
            |(object, expected): &(ObjectId, Expected)| match (self.intent(*object), expected) {
                (None | Some(Intent::Create { .. }), _) => false,
                (Some(intent), Expected::At(_)) => *intent != Intent::Lookup,
                (Some(intent), Expected::Absent) => *intent == Intent::Lookup,
            };
        if !sorted || !self.expected.iter().all(can_be_told) {
            return Some(Defect::Malformed);
        }
        let mut size = self.op.len();
        for (_, intent) in &self.intents {
            let place = match intent {
                Intent::Create { at, value } => {
                    if value.len() > MAX_VALUE {
                        return Some(Defect::ValueTooLarge);
                    }
                    size += value.len();
                    *at
                }
                Intent::Move { to } => Some(*to),
                _ => None,
            };
            if place.is_some_and(|partition| partition.0 >= topology.partition_count()) {
                return Some(Defect::NoSuchPartition);
            }
        }
        (size > MAX_REQUEST).then_some(Defect::RequestTooLarge)
    }
}
