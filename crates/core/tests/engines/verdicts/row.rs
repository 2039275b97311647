//! One row of the table, and how it is tried.

use crate::cluster::Cluster;
use crate::script::{groups, id};
use crate::service::{Digits, FULL};
use crate::strategy::TestStrategy::{self, Home};
use bytes::Bytes;
use ssmr_core::limits::MAX_VALUE;
use ssmr_core::{
    Encoded, GroupId, Groups, Intent, ObjectId, PartitionId, Request, Revision, Timestamp, Verdict,
    codec,
};

/// What an answer says of an object, before the command or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It does not exist.
    Absent,
    /// It exists; no destination owns it, so its revision is not known.
    Exists,
    /// It has had this version since before the command was ordered, or was written in place.
    Version(u64),
    /// The command placed it: its epoch is the command's timestamp.
    Placed(u64),
}
use Seen::{Absent, Exists, Placed, Version};

impl Seen {
    fn of(revision: Option<Revision>, command: Timestamp) -> Self {
        match revision {
            None => Absent,
            Some(revision) if revision == Revision::default() => Exists,
            Some(Revision { epoch, version }) if epoch == command => Placed(version),
            Some(Revision { version, .. }) => Version(version),
        }
    }
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What is tried.
    name: &'static str,
    /// Who is authority for what.
    strategy: TestStrategy,
    /// Which partition owns which object, with which value.
    held: Vec<(ObjectId, u8, Encoded)>,
    /// By how many writes the revisions that the command expects are ahead of those that are.
    expected: Vec<(ObjectId, u64)>,
    /// The groups that have forgotten the command's session.
    forgetful: Groups,
    /// The groups that the command is multicast to.
    destinations: Groups,
    /// What it asks for.
    request: Request,
    /// What must follow.
    verdict: Verdict,
    /// What the answer must say of which objects.
    touched: Vec<(ObjectId, Seen, Seen)>,
}

/// A row in which nothing is held, nothing is asked for, and nothing follows.
pub(super) fn row(name: &'static str) -> Row {
    Row {
        name,
        strategy: Home,
        held: Vec::new(),
        expected: Vec::new(),
        forgetful: Groups::EMPTY,
        destinations: Groups::EMPTY,
        request: Request::default(),
        verdict: Verdict::Done,
        touched: Vec::new(),
    }
}

impl Row {
    /// Under another strategy than [`Home`].
    pub(super) fn under(self, strategy: TestStrategy) -> Self {
        Self { strategy, ..self }
    }

    /// A partition owns a small object.
    pub(super) fn held(mut self, object: ObjectId, at: u8) -> Self {
        self.held.push((object, at, codec::encode(&7u64)));
        self
    }

    /// A partition owns a number to which nothing can be appended: the service panics.
    pub(super) fn held_full(mut self, object: ObjectId, at: u8) -> Self {
        self.held.push((object, at, codec::encode(&FULL)));
        self
    }

    /// A partition owns objects with values of the largest size.
    pub(super) fn held_large(
        mut self,
        objects: impl IntoIterator<Item = ObjectId>,
        at: u8,
    ) -> Self {
        let value = Bytes::from_static(&[0; MAX_VALUE]);
        let held = objects
            .into_iter()
            .map(|object| (object, at, value.clone()));
        self.held.extend(held);
        self
    }

    /// Partitions have forgotten the command's session.
    pub(super) fn forgotten_by<const N: usize>(self, partitions: [u8; N]) -> Self {
        let forgetful = groups(partitions);
        Self { forgetful, ..self }
    }

    /// The command: partitions, and a request.
    pub(super) fn asked<const N: usize>(self, partitions: [u8; N], request: Request) -> Self {
        let destinations = self.destinations.union(groups(partitions));
        Self {
            destinations,
            request,
            ..self
        }
    }

    /// The command expects an object at a revision that is so many writes ahead of its own.
    pub(super) fn expecting(mut self, object: ObjectId, ahead: u64) -> Self {
        self.expected.push((object, ahead));
        self
    }

    /// The oracle group is a destination too.
    pub(super) fn with_oracle(self) -> Self {
        let destinations = self.destinations.union(GroupId::ORACLE.into());
        Self {
            destinations,
            ..self
        }
    }

    /// What must follow: the verdict, and what the answer says of which objects.
    pub(super) fn is(
        self,
        verdict: Verdict,
        touched: impl IntoIterator<Item = (ObjectId, Seen, Seen)>,
    ) -> Self {
        Self {
            verdict,
            touched: touched.into_iter().collect(),
            ..self
        }
    }

    /// Tries it.
    ///
    /// # Panics
    /// If anything else follows.
    pub(super) fn check(self) {
        let name = self.name;
        let mut cluster = Cluster::new(self.strategy, 4);
        for (object, at, value) in self.held {
            cluster.place_encoded(object, at, value);
        }
        for group in self.forgetful.iter() {
            cluster.expire_at(group, id(1));
        }
        let before = cluster.objects();
        let revision = |object| {
            let mut all = before.values().flatten();
            let found = all.find(|(held, ..)| *held == object);
            found.map_or(Revision::default(), |(_, revision, _)| *revision)
        };
        let mut request = self.request;
        for (object, ahead) in self.expected {
            let Revision { epoch, version } = revision(object);
            let version = version + ahead;
            request = request.expecting(object, Revision { epoch, version });
        }
        let answer = cluster.execute(1, self.destinations, request);
        assert_eq!(answer.verdict, self.verdict, "{name}");
        let seen = |revision| Seen::of(revision, answer.timestamp);
        let touched = answer.touched.iter();
        let touched: Vec<_> = touched
            .map(|touch| (touch.object, seen(touch.before), seen(touch.after)))
            .collect();
        assert_eq!(touched, self.touched, "{name}: what it touched");
        if self.verdict != Verdict::Done {
            assert!(answer.reply.is_empty(), "{name}: no reply");
        }
        // A service that panics writes nothing; what is created, deleted and moved besides, is.
        if !matches!(self.verdict, Verdict::Done | Verdict::Failed) {
            assert_eq!(cluster.objects(), before, "{name}: nothing changes");
        }
        let owned = cluster.objects();
        for touch in answer
            .touched
            .iter()
            .filter(|touch| touch.after != Some(Revision::default()))
        {
            let mut all = owned.values().flatten();
            let found = all.find(|(held, ..)| *held == touch.object);
            let revision = found.map(|(_, revision, _)| *revision);
            assert_eq!(
                revision, touch.after,
                "{name}: {} is as the answer says",
                touch.object
            );
        }
        for partition in 0..4 {
            assert_eq!(cluster.waiting(partition), 0, "{name}: nothing waits");
        }
    }
}

/// A request with one intent.
pub(super) fn ask(object: ObjectId, intent: Intent) -> Request {
    Request::default().and(object, intent)
}

/// Creates an object at a partition.
pub(super) fn create(object: ObjectId, at: u8) -> Request {
    Request::create::<Digits>(object, &0, Some(PartitionId(at)))
}

/// Moves an object to a partition.
pub(super) fn relocate(object: ObjectId, to: u8) -> Request {
    Request::relocate(object, PartitionId(to))
}

/// The intent to create an object at a partition.
pub(super) fn create_intent(at: u8) -> Intent {
    let at = Some(PartitionId(at));
    let value = codec::encode(&0u64);
    Intent::Create { at, value }
}
