//! Hunts for the faults that are built in on purpose: the checks on the clients' histories must
//! speak.

use crate::network::Seat;
use crate::violation::InvariantViolation;
use crate::{Options, Profile, simulate, simulate_seated};
use ssmr_check::{Rejection, ViolationKind};
use ssmr_core::{
    Execution, GroupId, Groups, Guess, LeaderHooks, Mutant, Needs, ObjectId, Oracle, PartitionId,
    Reads, Secret, Topology,
};
use std::sync::Arc;

/// A fault that a check on the history found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// With this seed.
    pub seed: u64,
    /// What the checks found.
    pub rejection: Rejection,
}

impl Caught {
    /// What the witnessed check found, if it found something.
    #[must_use]
    pub fn witnessed(&self) -> Option<ViolationKind> {
        match &self.rejection {
            Rejection::Witnessed(violation) => Some(violation.kind),
            Rejection::Both { witnessed, .. } => Some(witnessed.kind),
            Rejection::BlackBox(_) => None,
        }
    }

    /// What the black-box check found, if it found something.
    #[must_use]
    pub fn black_box(&self) -> Option<ViolationKind> {
        match &self.rejection {
            Rejection::Witnessed(_) => None,
            Rejection::Both { black_box, .. } => Some(black_box.kind),
            Rejection::BlackBox(violation) => Some(violation.kind),
        }
    }
}

/// Runs seeds from 0 on until a check of the clients' history (not an assertion inside, not a bound
/// of time) finds a violation.
///
/// # Panics
/// If `seeds` runs are not enough.
pub fn catch(oracle: &Arc<dyn Oracle>, options: Options, seeds: u64) -> Caught {
    let mut others = Vec::new();
    for seed in 0..seeds {
        let Err(failure) = simulate(oracle, seed, options) else {
            continue;
        };
        match *failure.violation {
            InvariantViolation::NotLinearizable(rejection) => return Caught { seed, rejection },
            other => others.push(other),
        }
    }
    panic!("{seeds} seeds under {options:?} show the checks nothing; other finds: {others:?}");
}

/// The same for a mutant, where a strategy shows it best.
///
/// # Panics
/// If `seeds` runs are not enough.
pub fn hunt(
    oracle: &Arc<dyn Oracle>,
    mutant: Mutant,
    profile: Profile,
    execution: Execution,
    partitions: u8,
    seeds: u64,
) -> Caught {
    let mutant = Some(mutant);
    let options = Options {
        mutant,
        profile,
        execution,
        partitions,
        ..Options::default()
    };
    catch(oracle, options, seeds)
}

/// A fault of reads that are not ordered, and what shows it: with few partitions more clients ask
/// the leader that is cut off.
struct ReadFault {
    mutant: Mutant,
    profile: Profile,
    reads: Reads,
    partitions: u8,
    clients: u64,
    objects: u64,
    window: usize,
    seeds: u64,
}

/// What shows most of them.
const USUAL: ReadFault = ReadFault {
    mutant: Mutant::UnconfirmedReads,
    profile: Profile::Depose,
    reads: Reads::Index,
    partitions: 1,
    clients: 4,
    objects: 4,
    window: 2,
    seeds: 300,
};

const READS: [ReadFault; 7] = [
    ReadFault {
        mutant: Mutant::ReadsPastQueues,
        profile: Profile::Slow,
        reads: Reads::Index,
        partitions: 2,
        seeds: 300,
        ..USUAL
    },
    ReadFault {
        mutant: Mutant::UnconfirmedReads,
        profile: Profile::Depose,
        reads: Reads::Index,
        seeds: 300,
        ..USUAL
    },
    ReadFault {
        mutant: Mutant::LongLeases,
        profile: Profile::Depose,
        reads: Reads::Lease,
        seeds: 300,
        ..USUAL
    },
    ReadFault {
        mutant: Mutant::LeaseWithoutMargin,
        profile: Profile::Drift,
        reads: Reads::Lease,
        seeds: 2_000,
        ..USUAL
    },
    ReadFault {
        mutant: Mutant::LeaseKept,
        profile: Profile::HandOver,
        reads: Reads::Lease,
        seeds: 500,
        ..USUAL
    },
    ReadFault {
        mutant: Mutant::LateRequestsObeyed,
        profile: Profile::HandOver,
        reads: Reads::Lease,
        seeds: 2_000,
        ..USUAL
    },
    ReadFault {
        mutant: Mutant::ReusedConfirmations,
        profile: Profile::Pause,
        reads: Reads::Index,
        clients: 12,
        objects: 2,
        window: 1,
        seeds: 500,
        ..USUAL
    },
];

/// Hunts for the faults of reads that are not ordered: the checks of the clients' history must find
/// each.
///
/// # Panics
/// If one of them is not found within its number of seeds.
pub fn catch_reads(oracle: &Arc<dyn Oracle>) {
    for fault in READS {
        let options = Options {
            mutant: Some(fault.mutant),
            profile: fault.profile,
            reads: fault.reads,
            partitions: fault.partitions,
            clients: fault.clients,
            objects: fault.objects,
            window: fault.window,
            ..Options::default()
        };
        let caught = catch(oracle, options, fault.seeds);
        assert!(caught.witnessed().is_some(), "{caught:?}");
    }
}

/// Faults of what replicas store, of snapshots and of the order, with the profile that shows them.
/// No client's history is needed: replicas that differ, deliveries out of order and commands that
/// never end are violations, too.
const STORAGE: [(Mutant, Profile, u64); 19] = [
    (Mutant::SnapshotsWithoutSessions, Profile::Crash, 200),
    (Mutant::SnapshotsWithoutSignals, Profile::Crash, 300),
    (Mutant::TimestampsReused, Profile::Stop, 60),
    (Mutant::VoteNotPersisted, Profile::Crash, 500),
    (Mutant::AnswerBeforeSync, Profile::Crash, 500),
    (Mutant::PanicsFailAtOwners, Profile::Calm, 200),
    (Mutant::ContentsConfused, Profile::Hostile, 10),
    (Mutant::CheckpointsWithoutTail, Profile::Disk, 20),
    (Mutant::UnsyncedFiles, Profile::Disk, 10),
    (Mutant::HeaderUnchecked, Profile::Disk, 20),
    (Mutant::AnswerBeforeSync, Profile::Disk, 30),
    (Mutant::LoneVoterSendsFirst, Profile::Crash, 50),
    (Mutant::LoneVoterSendsFirst, Profile::Disk, 50),
    (Mutant::AppendedBeforeSync, Profile::Crash, 500),
    (Mutant::AppendedBeforeSync, Profile::Disk, 500),
    (Mutant::PendingSessionsExpire, Profile::Expiry, 20),
    (Mutant::SeveralEntriesAtOnce, Profile::Stop, 200),
    (Mutant::HastyAnswer, Profile::Deaths, 50),
    (Mutant::FirstObjectIndexed, Profile::Calm, 10),
];

/// Hunts for the faults of what replicas store, of snapshots and of the order.
///
/// # Panics
/// If one of them is not found, by whatever invariant, within its number of seeds.
pub fn catch_storage(oracle: &Arc<dyn Oracle>) {
    for (mutant, profile, seeds) in STORAGE {
        let is_alone = mutant == Mutant::LoneVoterSendsFirst;
        let replicas = if is_alone { 1 } else { 3 };
        let mutant = Some(mutant);
        let options = Options {
            mutant,
            profile,
            replicas,
            ..Options::default()
        };
        let found = (0..seeds).find(|&seed| simulate(oracle, seed, options).is_err());
        assert!(found.is_some(), "{seeds} seeds do not show {options:?}");
    }
}

/// Breaks the law of authority: each participant takes its own partition for the authority over
/// everything, so a create goes to its creator's partition only.
#[derive(Clone, Debug)]
struct CreatorOnly {
    inner: Arc<dyn Oracle>,
    seat: GroupId,
}

impl Oracle for CreatorOnly {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn hooks(&self, topology: &Topology, secret: &Secret) -> Box<dyn LeaderHooks> {
        self.inner.hooks(topology, secret)
    }

    fn needs(&self) -> Needs {
        self.inner.needs()
    }

    fn authority(&self, _: &Topology, _: ObjectId) -> Groups {
        self.seat.into()
    }

    fn owner(&self, _: &Topology, _: ObjectId, _: Option<PartitionId>) -> PartitionId {
        self.seat.partition().unwrap_or(PartitionId(0))
    }

    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        self.inner.guess(topology, object)
    }

    fn movable(&self) -> bool {
        false
    }
}

/// The broken strategy of one participant; a client's creates go to a partition of its own.
fn creator_only(oracle: &Arc<dyn Oracle>, seat: Seat) -> Arc<dyn Oracle> {
    let partitions = u64::from(Options::default().partitions);
    let seat = match seat {
        Seat::Replica(id) => id.group,
        Seat::Client(id) => PartitionId((id.0 % partitions) as u8).into(),
    };
    let inner = oracle.clone();
    Arc::new(CreatorOnly { inner, seat })
}

/// Hunts for a cluster in which only the creator's partition has authority over an object.
///
/// # Panics
/// If nothing is found within 10 seeds.
pub fn catch_creator_only(oracle: &Arc<dyn Oracle>) {
    let options = Options::default();
    let found = (0..10).find(|&seed| simulate_seated(oracle, creator_only, seed, options).is_err());
    assert!(found.is_some(), "nobody misses the law of authority");
}
