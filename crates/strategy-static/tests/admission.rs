//! What a replica does not take from a client, whatever the client is: it must cost nobody else
//! anything.

use ssmr_core::limits::CLOCK_LEAD;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::{
    ClientId, ClientMessage, Command, CommandId, Defect, Engine, Groups, Intent, LocalTime,
    LogTime, LogicalClock, ObjectId, PartitionId, Placement, Query, Reads, Replica, ReplicaId,
    ReplicaOutbox, Request, ServerMessage, SessionId, Topology, Verdict,
};
use ssmr_multicast::{GroupMulticast, MulticastSettings};
use ssmr_sim::app::{Op, Registers};
use ssmr_strategy_static::Static;
use std::sync::Arc;

const CLIENT: ClientId = ClientId(7);

/// What a client is told when it hands a command in.
fn hand_in(command: Command) -> Option<ServerMessage> {
    say(ClientMessage::Submit(Arc::new(command)))
}

/// What a client is told by the only replica of the first of two partitions, which leads, when it
/// says something.
fn say(message: ClientMessage) -> Option<ServerMessage> {
    let topology = Topology::new(2, 1).unwrap();
    let id = ReplicaId {
        group: PartitionId(0).into(),
        index: 0,
    };
    let multicast = GroupMulticast::new(id, topology, MulticastSettings::default());
    let placement = Placement::new(Static::new(), topology);
    let engine = Engine::<Registers>::new(id.group, placement.clone());
    let mut replica = Replica::new(id, placement, multicast, engine);
    let mut out = ReplicaOutbox::default();
    let [start, next] = [0, 1].map(LocalTime::from_micros);
    replica.on_timer(start, &mut out);
    replica.flush(start, &mut out);
    assert!(replica.is_leader());
    replica.on_client(next, CLIENT, message, &mut out);
    replica.flush(next, &mut out);
    out.clients.pop().map(|(_, message)| message)
}

/// A lookup of an object that is at home in the first partition.
fn lookup() -> Command {
    let topology = Topology::new(2, 1).unwrap();
    let at_home = |object: &ObjectId| topology.home(*object) == PartitionId(0);
    let object = (0..).map(|n| ObjectId::new(n, n)).find(at_home).unwrap();
    let session = SessionId {
        client: CLIENT,
        opened: LogTime::ZERO,
    };
    let id = CommandId {
        session,
        number: 1,
        attempt: 1,
    };
    Command::new(id, PartitionId(0).into(), Request::lookup(object))
}

fn is_malformed(command: Command) -> bool {
    is_refusal(hand_in(command).as_ref())
}

fn is_refusal(told: Option<&ServerMessage>) -> bool {
    let malformed = Defect::Malformed;
    matches!(told, Some(ServerMessage::Refused { defect, .. }) if *defect == malformed)
}

/// A read of the object that [`lookup`] looks up, not to be ordered.
fn query() -> Query {
    let Command {
        mut id, request, ..
    } = lookup();
    id.attempt = 0;
    let objects = request.objects().collect();
    Query {
        id,
        reads: Reads::Index,
        request: Request::access::<Registers>(&Op::Read(objects)),
    }
}

fn ask(query: Query) -> Option<ServerMessage> {
    say(ClientMessage::Query(Arc::new(query)))
}

#[test]
fn a_sound_command_is_answered() {
    assert!(matches!(
        hand_in(lookup()),
        Some(ServerMessage::Answer { .. })
    ));
}

#[test]
fn a_command_for_others_is_refused() {
    let elsewhere = PartitionId(1).into();
    assert!(is_malformed(Command {
        destinations: elsewhere,
        ..lookup()
    }));
    assert!(is_malformed(Command {
        destinations: Groups::EMPTY,
        ..lookup()
    }));
}

#[test]
fn a_command_in_the_name_of_another_client_is_refused() {
    let mut command = lookup();
    command.id.session.client = ClientId(8);
    assert!(is_malformed(command));
}

#[test]
fn a_move_is_refused_where_the_strategy_moves_nothing() {
    let object = *lookup()
        .request
        .objects()
        .collect::<Vec<_>>()
        .first()
        .unwrap();
    let request = Request::relocate(object, PartitionId(1));
    let destinations = [0, 1].map(|n| PartitionId(n).into()).into_iter().collect();
    assert!(is_malformed(Command {
        request,
        destinations,
        ..lookup()
    }));
}

#[test]
fn impossible_numbers_are_refused() {
    for low_watermark in [0, 2, u64::MAX] {
        assert!(
            is_malformed(Command {
                low_watermark,
                ..lookup()
            }),
            "{low_watermark}"
        );
    }
    for (number, attempt) in [(0, 1), (1, 0), (u64::MAX, 1)] {
        let mut command = lookup();
        (command.id.number, command.id.attempt) = (number, attempt);
        assert!(is_malformed(command), "{number}, {attempt}");
    }
}

#[test]
fn a_clock_from_the_far_future_moves_the_group_a_little_and_turns_nobody_away() {
    for clock in [1 << 49, 1 << 62, u64::MAX] {
        let command = Command {
            clock: LogicalClock(clock),
            ..lookup()
        };
        let refused = mutant::with(Some(Mutant::ClocksRefused), || hand_in(command.clone()));
        assert_eq!(refused, None);
        let Some(ServerMessage::Answer { answer, .. }) = hand_in(command) else {
            panic!("{clock} was refused");
        };
        assert_eq!(answer.timestamp.clock, LogicalClock(CLOCK_LEAD + 1));
    }
}

#[test]
fn a_query_is_answered_or_declined_but_never_says_that_nothing_is_there() {
    let Some(ServerMessage::Answer { answer, .. }) = ask(query()) else {
        panic!("no answer");
    };
    assert_eq!(answer.verdict, Verdict::Retry);
}

#[test]
fn a_query_that_is_none_is_refused() {
    let sound = query();
    let mut attempt = sound.clone();
    attempt.id.attempt = 1;
    let mut foreign = sound.clone();
    foreign.id.session.client = ClientId(8);
    let ordered = Query {
        reads: Reads::Ordered,
        ..sound.clone()
    };
    let object = sound.request.objects().next().unwrap();
    let request = sound.request.clone().and(object, Intent::Write);
    let writes = Query {
        request,
        ..sound.clone()
    };
    let empty = Query {
        request: Request::default(),
        ..sound
    };
    for bad in [attempt, foreign, ordered, writes, empty] {
        assert!(is_refusal(ask(bad.clone()).as_ref()), "{bad:?}");
    }
}
