//! Values of everything that a replica tells, for tests and fuzz targets.

use crate::histogram::Histogram;
use crate::report::{
    ConnectionReport, LogReport, PeerReport, Queues, Refusals, ReplicaReport, SnapshotReport,
};
use crate::status::ReplicaStatus;
use crate::traffic::TrafficCount;
use ssmr_core::replica::{CommandKind, Counters, Tally};
use ssmr_core::{Defect, GroupId, ReplicaId, Verdict};
use ssmr_log::{Holding, MemberId};
use ssmr_multicast::LinkState;
use std::collections::BTreeSet;
use std::time::Duration;

/// The founders of a group.
pub(crate) fn founders() -> BTreeSet<MemberId> {
    (0..3).map(|index| MemberId::new(index, 5)).collect()
}

/// How a replica is.
pub(crate) fn status(id: ReplicaId) -> ReplicaStatus {
    ReplicaStatus {
        id,
        member: MemberId::new(id.index, 5),
        holding: Holding::Founding(founders()),
        is_member: true,
        is_voter: true,
        is_leader: false,
        leader: Some(id),
        hears_leader: true,
        term: 2,
        committed: 3,
        applied: 3,
        digest: Some(4),
        counters: Counters::default(),
        unfinished: 2,
        objects: 6,
        object_bytes: 7,
        uptime_us: 1_500_000,
        processor_us: 5,
        traffic: TrafficCount {
            messages_sent: 8,
            bytes_sent: 9,
            messages_received: 10,
            bytes_received: 11,
            messages_dropped: 12,
        },
    }
}

/// All that a replica tells, with a sample of each kind.
pub(crate) fn report(id: ReplicaId) -> ReplicaReport {
    let mut histogram = Histogram::default();
    histogram.add(Duration::from_millis(3));
    let mut answers = Tally::default();
    answers.add(CommandKind::Move, Verdict::Retry);
    ReplicaReport {
        status: status(id),
        version: "1.2.3".into(),
        answers,
        latencies: vec![(CommandKind::Query, histogram)],
        refusals: Refusals {
            requests: vec![(Defect::Malformed, 13)],
            not_leader: 14,
            ..Refusals::default()
        },
        queues: Queues::default(),
        peers: vec![PeerReport {
            replica: id,
            is_reachable: Some(false),
            urgent_bytes: 15,
            bulk_bytes: 16,
        }],
        links: vec![LinkState {
            to: GroupId::ORACLE,
            sent: 5,
            acknowledged: 3,
            received: 4,
            resends: 1,
            pulls_in_full: 2,
        }],
        log: LogReport {
            stores: histogram,
            ..LogReport::default()
        },
        snapshots: SnapshotReport::default(),
        connections: ConnectionReport::default(),
        certified_until: Some(1_800_000_000),
    }
}
