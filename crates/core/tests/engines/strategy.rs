//! Small strategies, so that core is tested without the crates that stand on it.
//!
//! An object's home is the partition that its attribute names: a test can tell homes at a glance.

use bytes::Bytes;
use ssmr_core::codec;
use ssmr_core::{
    CacheCall, GroupId, Groups, Guess, LeaderHooks, LocalTime, Needs, ObjectEvent, ObjectId,
    Oracle, PartitionId, Secret, Topology, ValueCodec,
};
use std::collections::VecDeque;

/// Who knows of an object, and where a client looks for it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestStrategy {
    /// The home is authority and directory; clients look there.
    Home,
    /// The home is authority and directory; clients look at the shared cache, then ask the home.
    SharedCache,
    /// An oracle group is authority and directory; clients ask it.
    OracleGroup,
    /// Every partition is an authority and is told of moves, none is a directory; clients ask any.
    Everywhere,
}

/// The home of an object.
fn home(object: ObjectId) -> PartitionId {
    PartitionId(u8::try_from(object.attribute).expect("an attribute that names a partition"))
}

impl Oracle for TestStrategy {
    fn name(&self) -> &'static str {
        "test"
    }

    fn hooks(&self, _: &Topology, _: &Secret) -> Box<dyn LeaderHooks> {
        Box::<Notes>::default()
    }

    fn needs(&self) -> Needs {
        Needs {
            oracle_group: *self == Self::OracleGroup,
            shared_cache: *self == Self::SharedCache,
        }
    }

    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups {
        match self {
            Self::Home | Self::SharedCache => home(object).into(),
            Self::OracleGroup => GroupId::ORACLE.into(),
            Self::Everywhere => topology.partitions(),
        }
    }

    fn directory(&self, topology: &Topology, object: ObjectId) -> Groups {
        match self {
            Self::Everywhere => Groups::EMPTY,
            _ => self.authority(topology, object),
        }
    }

    fn owner(&self, _: &Topology, object: ObjectId, wish: Option<PartitionId>) -> PartitionId {
        wish.unwrap_or_else(|| home(object))
    }

    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        match self {
            Self::Home => Guess::At(home(object)),
            Self::SharedCache => Guess::Shared {
                key: location_key(object),
                otherwise: home(object).into(),
            },
            Self::OracleGroup | Self::Everywhere => Guess::Ask(self.authority(topology, object)),
        }
    }

    fn told_of_moves(&self, topology: &Topology, _: ObjectId) -> Groups {
        match self {
            Self::Everywhere => topology.partitions(),
            _ => Groups::EMPTY,
        }
    }
}

/// Where the shared cache keeps the place of an object.
pub(crate) fn location_key(object: ObjectId) -> Bytes {
    codec::encode(&object)
}

/// Hooks that note each change as a call to the cache, where a test sees which replica made it.
#[derive(Debug, Default)]
pub(crate) struct Notes(VecDeque<CacheCall>);

impl ValueCodec for Notes {}

impl LeaderHooks for Notes {
    fn on_change(&mut self, _: LocalTime, event: &ObjectEvent) {
        let (key, value) = (location_key(event.object), Bytes::new());
        self.0.push_back(CacheCall::Set { key, value });
    }

    fn poll_cache_call(&mut self) -> Option<CacheCall> {
        self.0.pop_front()
    }
}
