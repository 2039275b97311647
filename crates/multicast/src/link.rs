//! Links: a reliable first-in-first-out channel between each two groups, whose ends are replicated
//! state.
//!
//! What a group sends to another is a function of its log, numbered from 1. The receiver logs the
//! items in that order, each once; the sender keeps them until it has logged the acknowledgement.
//! So a timestamp or signal is never lost, doubled or overtaken, whichever replicas die on either
//! side, and acknowledgements are cumulative.

use serde::{Deserialize, Serialize};
use ssmr_core::{
    Encoded, GroupId, LocalTime, MessageId, ObjectId, Revision, Signal, Timestamp, Unpacked,
    ValueCodec, ValueReference,
};
use std::collections::{BTreeMap, VecDeque};

/// Something that one group tells another. `V` is how the values of signals are carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item<V = Encoded> {
    /// The timestamp that the sender gave to a command.
    Timestamp {
        /// Which command.
        message: MessageId,
        /// The sender's clock then.
        timestamp: Timestamp,
    },
    /// A signal of the sender's partition.
    Signal(Signal<V>),
}

/// A value as it travels between groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WireValue {
    /// All of it.
    Full(Encoded),
    /// Where the receiver finds it.
    Reference(ValueReference),
}

impl WireValue {
    fn size(&self) -> usize {
        match self {
            Self::Full(value) => value.len(),
            Self::Reference(reference) => reference.digest.len(),
        }
    }
}

impl Item {
    /// About how many bytes it takes in a log entry.
    pub(crate) fn size(&self) -> usize {
        self.size_with(Encoded::len)
    }

    /// The item with its values as references, as far as the codec has some.
    pub(crate) fn pack(self, now: LocalTime, values: &mut dyn ValueCodec) -> Item<WireValue> {
        self.map_values(|object, revision, value| {
            let reference = values.pack(now, object, revision, &value);
            reference.map_or(WireValue::Full(value), WireValue::Reference)
        })
    }

    /// The item with all its values, for somebody who did not find them.
    pub(crate) fn in_full(self, now: LocalTime, values: &mut dyn ValueCodec) -> Item<WireValue> {
        self.map_values(|object, revision, value| {
            values.on_missed(now, object, revision, &value);
            WireValue::Full(value)
        })
    }
}

impl Item<WireValue> {
    /// About how many bytes it takes in a message.
    pub(crate) fn size(&self) -> usize {
        self.size_with(WireValue::size)
    }

    /// Puts values in the place of references, as far as the codec has them. Returns the worst that
    /// became of any.
    pub(crate) fn unpack(&mut self, now: LocalTime, values: &mut dyn ValueCodec) -> Readiness {
        let Self::Signal(signal) = self else {
            return Readiness::Ready;
        };
        let mut readiness = Readiness::Ready;
        for (object, revision, value) in signal.values_mut() {
            let WireValue::Reference(reference) = *value else {
                continue;
            };
            match values.unpack(now, object, revision, reference) {
                Unpacked::Ready(bytes) => *value = WireValue::Full(bytes),
                Unpacked::Waiting => readiness = readiness.max(Readiness::Waiting),
                Unpacked::Missing => readiness = Readiness::Missing,
            }
        }
        readiness
    }

    /// The item with its values; `None` if one of them is a reference still.
    pub(crate) fn into_full(self) -> Option<Item> {
        let mut complete = true;
        let item = self.map_values(|_, _, value| match value {
            WireValue::Full(bytes) => bytes,
            WireValue::Reference(_) => {
                complete = false;
                Encoded::new()
            }
        });
        complete.then_some(item)
    }
}

/// Whether an item's values are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Readiness {
    /// All of them.
    Ready,
    /// The codec has not found out yet.
    Waiting,
    /// At least one cannot be found here.
    Missing,
}

impl<V> Item<V> {
    fn size_with(&self, size: impl Fn(&V) -> usize) -> usize {
        match self {
            Self::Timestamp { .. } => 48,
            Self::Signal(signal) => {
                let values = signal.reports.iter().map(|report| report.status.value());
                48 + values
                    .map(|value| 64 + value.map_or(0, &size))
                    .sum::<usize>()
            }
        }
    }

    fn map_values<W>(self, map: impl FnMut(ObjectId, Revision, V) -> W) -> Item<W> {
        match self {
            Self::Timestamp { message, timestamp } => Item::Timestamp { message, timestamp },
            Self::Signal(signal) => Item::Signal(signal.map_values(map)),
        }
    }
}

/// Both ends of all links of one group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Links {
    outgoing: BTreeMap<GroupId, Outgoing>,
    received: BTreeMap<GroupId, u64>,
}

/// The sending end of one link.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    acknowledged: u64,
    items: VecDeque<Item>,
}

impl Outgoing {
    /// The number of the last item that the receiver has logged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The number of the last item.
    pub(crate) fn last(&self) -> u64 {
        self.acknowledged + self.items.len() as u64
    }

    /// The items after number `after`.
    pub(crate) fn items_after(&self, after: u64) -> impl Iterator<Item = &Item> {
        self.items
            .iter()
            .skip(after.saturating_sub(self.acknowledged) as usize)
    }
}

impl Links {
    pub(crate) fn push(&mut self, to: GroupId, item: Item) {
        self.outgoing.entry(to).or_default().items.push_back(item);
    }

    /// The receiver has logged the items up to number `upto`: they need not be kept.
    pub(crate) fn acknowledged(&mut self, by: GroupId, upto: u64) {
        let Some(link) = self.outgoing.get_mut(&by) else {
            return;
        };
        let upto = upto.min(link.last());
        let count = upto.saturating_sub(link.acknowledged);
        link.items.drain(..count as usize);
        link.acknowledged += count;
    }

    /// The items that are new, of those that begin with number `first`.
    pub(crate) fn accept(&mut self, from: GroupId, first: u64, items: Vec<Item>) -> Vec<Item> {
        let received = self.received.entry(from).or_default();
        if first > *received + 1 {
            // Proposed by a leader that believed in entries which were lost with another leader:
            // the sender repeats.
            return Vec::new();
        }
        let known = (*received + 1 - first) as usize;
        let fresh: Vec<Item> = items.into_iter().skip(known).collect();
        *received += fresh.len() as u64;
        fresh
    }

    /// The number of the last item logged from a group.
    pub(crate) fn received(&self, from: GroupId) -> u64 {
        self.received.get(&from).copied().unwrap_or_default()
    }

    /// The sending end to one group.
    pub(crate) fn to(&self, group: GroupId) -> Option<&Outgoing> {
        self.outgoing.get(&group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::{ClientId, CommandId, LogTime, LogicalClock, PartitionId, SessionId};

    fn item(number: u64) -> Item {
        let session = SessionId {
            client: ClientId(1),
            opened: LogTime::ZERO,
        };
        let group = GroupId::from(PartitionId(0));
        let command = CommandId {
            session,
            number,
            attempt: 1,
        };
        Item::Timestamp {
            message: command.into(),
            timestamp: Timestamp::new(LogicalClock(number), group),
        }
    }

    #[test]
    fn items_are_accepted_once_and_in_order() {
        let (mut links, from) = (Links::default(), GroupId::ORACLE);
        assert_eq!(
            links.accept(from, 1, vec![item(1), item(2)]),
            [item(1), item(2)]
        );
        assert_eq!(links.accept(from, 2, vec![item(2), item(3)]), [item(3)]);
        assert_eq!(links.accept(from, 1, vec![item(1)]), []);
        assert_eq!(
            links.accept(from, 5, vec![item(5)]),
            [],
            "a gap is not accepted"
        );
        assert_eq!(links.received(from), 3);
    }

    #[test]
    fn items_are_kept_until_acknowledged() {
        let (mut links, to) = (Links::default(), GroupId::ORACLE);
        (1..=4).for_each(|n| links.push(to, item(n)));
        links.acknowledged(to, 2);
        links.acknowledged(to, 1);
        let link = links.to(to).unwrap();
        assert_eq!((link.acknowledged(), link.last()), (2, 4));
        assert_eq!(link.items_after(3).collect::<Vec<_>>(), [&item(4)]);
        links.acknowledged(to, 99);
        assert_eq!(links.to(to).unwrap().last(), 4);
    }
}
