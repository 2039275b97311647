//! The ideal order: what is promised of [`Multicast`], by one sequencer.

use ssmr_core::{
    ClientId, Command, CommandId, Delivery, GroupId, Groups, LocalTime, LogTime, LogicalClock,
    Multicast, ObjectId, Outbox, PartitionId, Refusal, ReplicaId, Request, SessionId, Signal,
    Timestamp,
};
use ssmr_multicast::{IdealMulticast, Sequencer};
use std::sync::Arc;

fn session() -> SessionId {
    SessionId {
        client: ClientId(1),
        opened: LogTime::ZERO,
    }
}

fn group(partition: u8) -> GroupId {
    PartitionId(partition).into()
}

fn command<const N: usize>(number: u64, partitions: [u8; N]) -> Arc<Command> {
    let id = CommandId {
        session: session(),
        number,
        attempt: 1,
    };
    let destinations = partitions.into_iter().map(group).collect::<Groups>();
    let request = Request::lookup(ObjectId::new(0, number));
    Arc::new(Command::new(id, destinations, request))
}

fn replica(sequencer: &Sequencer, partition: u8, index: u8) -> IdealMulticast {
    let group = group(partition);
    sequencer.replica(ReplicaId { group, index })
}

fn deliveries(replica: &mut IdealMulticast) -> Vec<Delivery> {
    std::iter::from_fn(|| replica.poll_deliver()).collect()
}

/// The commands that a replica delivers next: number, timestamp, and whether the session is over.
fn commands(replica: &mut IdealMulticast) -> Vec<(u64, Timestamp, bool)> {
    let of = |delivery| match delivery {
        Delivery::Command {
            command,
            timestamp,
            expired,
        } => Some((command.id.number, timestamp, expired)),
        _ => None,
    };
    deliveries(replica).into_iter().filter_map(of).collect()
}

fn signal(number: u64) -> Signal {
    Signal {
        message: command(number, [0]).message_id(),
        expired: false,
        operand_bytes: 0,
        reports: Vec::new(),
    }
}

#[test]
fn all_destinations_deliver_in_one_order_with_one_timestamp() {
    let sequencer = Sequencer::default();
    for (number, to) in (1..).zip([[0, 1], [1, 2], [0, 2], [0, 1]]) {
        sequencer.order(command(number, to));
    }
    let [p0, p1, p2] = [0, 1, 2].map(|partition| {
        let first = commands(&mut replica(&sequencer, partition, 0));
        let second = commands(&mut replica(&sequencer, partition, 1));
        assert_eq!(first, second, "replicas of p{partition}");
        assert!(first.is_sorted_by_key(|(_, timestamp, _)| *timestamp));
        first
    });
    for (delivered, expected) in [
        (&p0, vec![1, 3, 4]),
        (&p1, vec![1, 2, 4]),
        (&p2, vec![2, 3]),
    ] {
        let numbers: Vec<u64> = delivered.iter().map(|(number, ..)| *number).collect();
        assert_eq!(numbers, expected);
    }
    assert_eq!(p0[0], p1[0]);
    assert_eq!(p0[1], p2[1]);
}

#[test]
fn a_command_is_delivered_once_however_often_it_is_handed_in() {
    let sequencer = Sequencer::default();
    let [mut p0, mut p1] = [0, 1].map(|partition| replica(&sequencer, partition, 0));
    for replica in [&mut p0, &mut p1] {
        for _ in 0..2 {
            assert_eq!(replica.submit(LocalTime::ZERO, command(1, [0, 1])), Ok(()));
        }
    }
    assert_eq!((commands(&mut p0).len(), commands(&mut p1).len()), (1, 1));
    assert_eq!((commands(&mut p0).len(), commands(&mut p1).len()), (0, 0));
}

#[test]
fn a_command_is_ordered_after_what_its_client_has_seen() {
    let sequencer = Sequencer::default();
    sequencer.order(command(1, [0]));
    let mut late = Command::clone(&command(2, [0]));
    late.clock = LogicalClock(100);
    sequencer.order(Arc::new(late));
    sequencer.order(command(3, [0]));
    let clocks = commands(&mut replica(&sequencer, 0, 0));
    let clocks: Vec<u64> = clocks.iter().map(|(_, at, _)| at.clock.0).collect();
    assert_eq!(clocks, [1, 101, 102]);
}

#[test]
fn only_replica_0_takes_commands() {
    let sequencer = Sequencer::default();
    let mut follower = replica(&sequencer, 0, 1);
    let refused = follower.submit(LocalTime::ZERO, command(1, [0]));
    assert_eq!(refused, Err(Refusal::NotLeader));
    assert!(!follower.status().is_leader && follower.leader_of(group(0)).index == 0);
    assert_eq!(follower.poll_deliver(), None);
}

#[test]
fn a_signal_arrives_once_though_every_replica_sends_it() {
    let sequencer = Sequencer::default();
    let [mut first, mut second] = [0, 1].map(|index| replica(&sequencer, 0, index));
    // The second one lags, then overtakes the first one.
    first.signal(group(1), signal(1));
    second.signal(group(1), signal(1));
    second.signal(group(1), signal(2));
    second.signal(group(2), signal(2));
    first.signal(group(1), signal(2));
    first.signal(group(2), signal(2));
    let arrived = |partition: u8| deliveries(&mut replica(&sequencer, partition, 0));
    let from = group(0);
    let expected = |number| Delivery::Signal {
        from,
        signal: signal(number),
    };
    assert_eq!(arrived(1), [expected(1), expected(2)]);
    assert_eq!(arrived(2), [expected(2)]);
    assert_eq!(arrived(0), []);
}

#[test]
fn after_the_end_of_a_session_its_commands_are_expired_everywhere() {
    let sequencer = Sequencer::default();
    sequencer.order(command(1, [0, 1]));
    sequencer.end_session(session(), group(0));
    sequencer.order(command(2, [0, 1]));
    for partition in 0..2 {
        let delivered = commands(&mut replica(&sequencer, partition, 0));
        let expired: Vec<_> = delivered
            .iter()
            .map(|(number, _, e)| (*number, *e))
            .collect();
        assert_eq!(expired, [(1, false), (2, true)]);
        let ends = deliveries(&mut replica(&sequencer, partition, 1));
        let ended = ends.contains(&Delivery::SessionEnded(session()));
        assert_eq!(ended, partition == 0, "p0 alone forgets it at once");
    }
}

#[test]
fn it_has_nothing_to_store_or_to_send() {
    let sequencer = Sequencer::default();
    let mut replica = replica(&sequencer, 0, 0);
    let mut out = Outbox::default();
    sequencer.order(command(1, [0]));
    replica.on_timer(LocalTime::ZERO, &mut out);
    assert!(!replica.flush(LocalTime::ZERO, &mut (), &mut out));
    assert!(out.records.is_empty() && out.messages.is_empty());
    let before = replica.digest();
    assert!(replica.poll_deliver().is_some());
    assert_ne!(replica.digest(), before);
    assert_eq!(replica.status().applied, 1);
}
