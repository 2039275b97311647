//! How the cluster is at the end of a run: who of each group still takes part, and whether those
//! who do have the same state.
//!
//! These are two answers. A replica that is gone has lost nothing that its group acknowledged, and
//! says nothing of the others. Invariant: two replicas are compared only at the same entry of their
//! group's log.

use crate::deploy::deployment::Deployment;
use futures_util::future::join_all;
use ssmr_core::{GroupId, ReplicaId, Topology};
use ssmr_net::{Milestone, Operator, ReplicaStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, interval, sleep, timeout};

/// How long the replicas of a group have for meeting at the same place of their log.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a replica has for an answer, before it is asked again.
const ANSWER: Duration = Duration::from_secs(10);

/// How long until they are looked at again. Nothing tells when a follower has applied something.
const PAUSE: Duration = Duration::from_millis(10);

/// How many entries ahead of the furthest replica a place is named at which they are to be
/// compared, at first.
const LEAD: u64 = 32;

/// How long they may take to come there.
const COMING: Duration = Duration::from_secs(1);

/// How often it is looked whether replicas run while clients are at work.
const LOOK: Duration = Duration::from_millis(100);

/// How a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    /// Every replica of every group takes part.
    Healthy,
    /// A majority of each group does.
    Degraded,
    /// Some group has no majority.
    Lost,
}

impl Health {
    /// The word for it in the files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Lost => "lost",
        }
    }
}

/// Two replicas that applied the same entries and differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Divergence {
    /// Who was looked at first.
    pub(crate) first: ReplicaId,
    /// Who differs from it.
    pub(crate) other: ReplicaId,
    /// How many entries both applied.
    pub(crate) applied: u64,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            first,
            other,
            applied,
        } = self;
        let group = first.group;
        write!(
            f,
            "replicas {first} and {other} of {group} differ after the same {applied} entries"
        )
    }
}

/// What an inspection of a cluster found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inspection {
    pub(crate) health: Health,
    /// Who does not take part, and why, in words.
    pub(crate) absent: Vec<String>,
    pub(crate) divergence: Option<Divergence>,
    /// The groups of several replicas of which no two could be compared.
    pub(crate) uncompared: Vec<GroupId>,
    /// Whether any two replicas were compared.
    pub(crate) compared: bool,
}

impl Inspection {
    /// Nothing was looked at yet.
    fn new() -> Self {
        Self {
            health: Health::Healthy,
            absent: Vec::new(),
            divergence: None,
            uncompared: Vec::new(),
            compared: false,
        }
    }

    /// Whether replicas agree, if that can be said.
    pub(crate) fn agree(&self) -> Option<bool> {
        match self.divergence {
            Some(_) => Some(false),
            None => (self.compared && self.uncompared.is_empty()).then_some(true),
        }
    }

    /// Takes in what was found of a group of these members.
    fn add(&mut self, group: GroupId, members: &[ReplicaId], look: &Look) {
        let met = look.met();
        self.health = self.health.max(match met.len() {
            all if all == members.len() => Health::Healthy,
            most if most >= majority(members.len()) => Health::Degraded,
            _ => Health::Lost,
        });
        let absent = members.iter().filter(|id| !met.contains(id));
        self.absent.extend(absent.map(|id| look.why_absent(*id)));
        self.divergence = self.divergence.or(look.divergence);
        match met.len() {
            2.. => self.compared = true,
            _ if members.len() > 1 => self.uncompared.push(group),
            _ => {}
        }
    }
}

/// The least number of replicas without which a group cannot go on.
fn majority(replicas: usize) -> usize {
    replicas / 2 + 1
}

/// Waits until the replicas of each group have met at the same place of their log, as far as they
/// can, and compares them.
pub(crate) async fn inspect<D: Deployment>(cluster: &mut D) -> Inspection {
    let topology = cluster.config().topology;
    let mut inspection = Inspection::new();
    for group in topology.groups().iter() {
        let members: Vec<ReplicaId> = topology.members(group).collect();
        let look = match cluster.shared().cloned() {
            Some(operator) => meet_under_load(cluster, &operator, &members).await,
            None => meet(cluster, &members).await,
        };
        inspection.add(group, &members, &look);
    }
    inspection
}

/// Which state each place of the log leads to, and who said so.
type States = BTreeMap<u64, (Option<u64>, ReplicaId)>;

/// What the replicas of a group answered, all of them asked once.
#[derive(Debug, Default)]
struct Look {
    running: BTreeSet<ReplicaId>,
    places: BTreeMap<ReplicaId, u64>,
    divergence: Option<Divergence>,
}

impl Look {
    /// A replica is at a place of its log, in this state.
    fn take(&mut self, id: ReplicaId, applied: u64, digest: Option<u64>, states: &mut States) {
        self.places.insert(id, applied);
        let (known, first) = *states.entry(applied).or_insert((digest, id));
        if known != digest {
            let divergence = Divergence {
                first,
                other: id,
                applied,
            };
            self.divergence.get_or_insert(divergence);
        }
    }

    /// Those who have applied most.
    fn met(&self) -> Vec<ReplicaId> {
        let furthest = self.places.values().max();
        let there = self.places.iter().filter(|(_, at)| Some(*at) == furthest);
        there.map(|(id, _)| *id).collect()
    }

    fn why_absent(&self, id: ReplicaId) -> String {
        if !self.running.contains(&id) {
            format!("{id} does not run")
        } else if self.places.contains_key(&id) {
            format!("{id} has not caught up with its group")
        } else {
            format!("{id} does not answer")
        }
    }
}

/// Asks the replicas of a group until all of them that run are at the same place; those of a group
/// without a majority once, for nothing moves them any more.
async fn meet<D: Deployment>(cluster: &mut D, members: &[ReplicaId]) -> Look {
    let begun = Instant::now();
    let mut states = States::default();
    loop {
        let mut look = Look::default();
        for &id in members {
            let answer = timeout(ANSWER, cluster.inspect(id)).await;
            if let Some(status) = answer.ok().flatten() {
                look.take(id, status.applied, status.digest, &mut states);
            }
        }
        look.running = cluster.running();
        let running = members.iter().filter(|id| look.running.contains(id));
        let running = running.count();
        let met = look.met().len() >= running;
        let stuck = running < majority(members.len()) || begun.elapsed() > PATIENCE;
        if met || stuck || look.divergence.is_some() {
            return look;
        }
        sleep(PAUSE).await;
    }
}

/// Has the replicas of a group say their digests at a place of their log to which they are all
/// about to come: others go on using them. Where nobody does, they meet as they are. Only those are
/// waited for that answer.
async fn meet_under_load<D: Deployment>(
    cluster: &mut D,
    operator: &Operator,
    members: &[ReplicaId],
) -> Look {
    let begun = Instant::now();
    let mut lead = LEAD;
    loop {
        let asked = join_all(members.iter().map(|id| operator.status(*id))).await;
        let answered: Vec<ReplicaStatus> = asked.into_iter().flatten().collect();
        let furthest = answered.iter().map(|status| status.applied).max();
        let from = furthest.map_or(0, |furthest| furthest + lead);
        let there: Vec<ReplicaId> = answered.iter().map(|status| status.id).collect();
        let mut look = Look::default();
        let mut states = States::default();
        let named = Instant::now();
        while named.elapsed() < COMING && look.places.len() < there.len() {
            let said = join_all(there.iter().map(|id| operator.milestone(*id, from))).await;
            for (id, milestone) in there.iter().zip(said.into_iter().flatten()) {
                if let Milestone::Reached { index, digest } = milestone {
                    look.take(*id, index, Some(digest), &mut states);
                }
            }
            sleep(PAUSE).await;
        }
        if look.places.len() < there.len() && look.divergence.is_none() {
            // Nobody brings them there, or one of them was there before it was asked.
            let (mut rest, mut states) = (Look::default(), States::default());
            let said = join_all(there.iter().map(|id| operator.inspect(*id))).await;
            for status in said.into_iter().flatten() {
                rest.take(status.id, status.applied, status.digest, &mut states);
            }
            if rest.met().len() > look.met().len() || rest.divergence.is_some() {
                look = rest;
            }
        }
        look.running = cluster.running();
        let met = look.met().len() == there.len();
        if met || look.divergence.is_some() || begun.elapsed() > PATIENCE {
            return look;
        }
        lead *= 2;
    }
}

/// Waits until a group is without a majority of replicas that run or are `returning`: it will
/// answer nobody any more. Cancel safe.
pub(crate) async fn loss<D: Deployment>(
    cluster: &mut D,
    returning: BTreeSet<ReplicaId>,
) -> GroupId {
    let topology = cluster.config().topology;
    let mut look = interval(LOOK);
    loop {
        look.tick().await;
        if let Some(group) = lost(&topology, &cluster.running(), &returning) {
            return group;
        }
    }
}

/// A group without a majority of such replicas, if there is one.
fn lost(
    topology: &Topology,
    running: &BTreeSet<ReplicaId>,
    returning: &BTreeSet<ReplicaId>,
) -> Option<GroupId> {
    let there = |id: &ReplicaId| running.contains(id) || returning.contains(id);
    topology.groups().iter().find(|group| {
        let members = topology.members(*group);
        members.filter(there).count() < majority(topology.replica_count(*group).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::caches::Caches;
    use crate::deploy::threads::Threads;
    use crate::workload::contract::Workload;
    use crate::workload::kv::settings::Kv;
    use ssmr_net::{ClusterOptions, Leaders};
    use ssmr_strategy_static::Static;

    async fn started(replicas: u8) -> Threads {
        let topology = Topology::new(1, replicas).unwrap();
        let options = ClusterOptions::new(topology, Static::new());
        let cluster = Threads::start::<<Kv as Workload>::App>(options, Caches::None);
        let cluster = cluster.await.unwrap();
        let ready = Leaders::complete(cluster.leaders(), topology.groups(), PATIENCE);
        ready.await.unwrap();
        cluster
    }

    #[tokio::test]
    async fn replicas_that_are_gone_are_absent_and_say_nothing_of_the_others() {
        let mut cluster = started(3).await;
        let topology = cluster.config().topology;
        let ids: Vec<ReplicaId> = topology.replicas().collect();
        let nobody = BTreeSet::new();
        let found = inspect(&mut cluster).await;
        assert_eq!((found.health, found.agree()), (Health::Healthy, Some(true)));
        assert!(found.absent.is_empty());
        cluster.kill(ids[0]).await;
        let found = inspect(&mut cluster).await;
        assert_eq!(
            (found.health, found.agree()),
            (Health::Degraded, Some(true))
        );
        assert_eq!(found.absent, ["p0r0 does not run"]);
        assert_eq!(lost(&topology, &cluster.running(), &nobody), None);
        cluster.kill(ids[1]).await;
        let found = inspect(&mut cluster).await;
        assert_eq!((found.health, found.agree()), (Health::Lost, None));
        assert_eq!(found.absent.len(), 2);
        assert_eq!(loss(&mut cluster, nobody).await, ids[0].group);
        let returning = [ids[0]].into();
        assert_eq!(lost(&topology, &cluster.running(), &returning), None);
    }

    #[tokio::test]
    async fn a_replica_that_is_alone_agrees_with_nobody() {
        let mut cluster = started(1).await;
        let found = inspect(&mut cluster).await;
        assert_eq!((found.health, found.agree()), (Health::Healthy, None));
        assert!(found.uncompared.is_empty());
    }

    #[test]
    fn replicas_that_differ_are_a_finding_whoever_is_gone() {
        let id = |index| ReplicaId {
            group: ssmr_core::PartitionId(0).into(),
            index,
        };
        let divergence = Divergence {
            first: id(0),
            other: id(2),
            applied: 7,
        };
        let look = Look {
            running: [id(0), id(2)].into(),
            places: [(id(0), 7), (id(2), 7)].into(),
            divergence: Some(divergence),
        };
        let mut found = Inspection::new();
        found.add(id(0).group, &[id(0), id(1), id(2)], &look);
        assert_eq!(
            (found.health, found.agree()),
            (Health::Degraded, Some(false))
        );
        let told = "replicas p0r0 and p0r2 of p0 differ after the same 7 entries";
        assert_eq!(divergence.to_string(), told);
    }
}
