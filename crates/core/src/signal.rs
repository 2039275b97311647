//! Signals: what the destinations of a command tell each other, and from which all of them compute
//! the verdict (rule R4).

use crate::command::MessageId;
use crate::id::{Encoded, ObjectId, Revision};
use serde::{Deserialize, Serialize};

/// What a destination of a command tells the others: what it has, lacks, and knows of existence.
///
/// `V` is how the values are carried: in full within a group, perhaps as references on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signal<V = Encoded> {
    /// The command that it belongs to.
    pub message: MessageId,
    /// The command's session had expired at the sender.
    pub expired: bool,
    /// How many bytes the values have that the sender owns and the command reads or moves, whether
    /// or not they come along.
    pub operand_bytes: u64,
    /// One entry for each object of which the sender has something to say, ascending. It lacks the
    /// others and has no authority over them.
    pub reports: Vec<ObjectReport<V>>,
}

/// What one destination says of one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectReport<V = Encoded> {
    /// Which object.
    pub object: ObjectId,
    /// What the sender knows of it.
    pub status: ObjectStatus<V>,
}

/// An object's status at one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ObjectStatus<V = Encoded> {
    /// The group owns it; with the value where the receiver needs it.
    Owned(Revision, Option<V>),
    /// The group is an authority for it and knows that it exists elsewhere.
    Present,
    /// The group is an authority for it and knows that it does not exist.
    Absent,
}

impl<V> ObjectStatus<V> {
    /// The value, where it came along.
    #[must_use]
    pub fn value(&self) -> Option<&V> {
        match self {
            Self::Owned(_, value) => value.as_ref(),
            Self::Present | Self::Absent => None,
        }
    }
}

impl ObjectStatus {
    /// How many bytes of value it carries.
    #[must_use]
    pub fn size(&self) -> usize {
        self.value().map_or(0, Encoded::len)
    }
}

impl<V> Signal<V> {
    /// The values that it carries, with object and revision.
    pub fn values_mut(&mut self) -> impl Iterator<Item = (ObjectId, Revision, &mut V)> {
        let reports = self.reports.iter_mut();
        reports.filter_map(|report| match &mut report.status {
            ObjectStatus::Owned(revision, Some(value)) => Some((report.object, *revision, value)),
            _ => None,
        })
    }

    /// The same signal with its values carried in another way.
    pub fn map_values<W>(self, mut map: impl FnMut(ObjectId, Revision, V) -> W) -> Signal<W> {
        let reports = self
            .reports
            .into_iter()
            .map(|ObjectReport { object, status }| {
                let status = match status {
                    ObjectStatus::Owned(revision, value) => {
                        let value = value.map(|value| map(object, revision, value));
                        ObjectStatus::Owned(revision, value)
                    }
                    ObjectStatus::Present => ObjectStatus::Present,
                    ObjectStatus::Absent => ObjectStatus::Absent,
                };
                ObjectReport { object, status }
            });
        Signal {
            message: self.message,
            expired: self.expired,
            operand_bytes: self.operand_bytes,
            reports: reports.collect(),
        }
    }
}
