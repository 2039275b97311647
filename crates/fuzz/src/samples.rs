//! Real encodings: what a cluster and its client say to each other, and store, in a short life.

use crate::Seed;
use crate::cluster::{Cluster, Minutes, TICK};
use crate::service::{Numbers, Op};
use crate::talk::{Client, OWN};
use bytes::Bytes;
use serde::Serialize;
use ssmr_core::{
    ClientId, ClientMessage, Command, CommandId, Defect, Groups, Intent, LogTime, ObjectId,
    PartitionId, PeerMessage, Query, Reads, ReplicaId, Request, Revision, ServerMessage, SessionId,
    Stages, codec,
};
use ssmr_multicast::Message;
use std::collections::BTreeSet;
use std::mem::discriminant;
use std::sync::Arc;

/// Objects that are at both partitions.
pub(crate) fn objects() -> [ObjectId; 3] {
    [1, 2, 3].map(|key| ObjectId::new(key, key))
}

/// Requests of each kind.
pub(crate) fn requests() -> Vec<Request> {
    let [a, b, c] = objects();
    let at = |partition| Some(PartitionId(partition));
    let both = Op {
        read: vec![a, b],
        add: vec![(b, 5)],
    };
    let create = Request::create::<Numbers>(b, &2, at(1));
    vec![
        Request::create::<Numbers>(a, &1, at(0)),
        create.and(
            c,
            Intent::Create {
                at: None,
                value: codec::encode(&3u64),
            },
        ),
        Request::access::<Numbers>(&both),
        Request::relocate(a, PartitionId(1)),
        Request::lookup(c),
        Request::default().expecting_absent(ObjectId::new(9, 9)),
        Request::access::<Numbers>(&both).expecting(b, Revision::default()),
        Request::delete(c),
    ]
}

/// A command of the client with this id.
pub(crate) fn command(client: ClientId, number: u64, to: Groups, request: Request) -> Command {
    let session = SessionId {
        client,
        opened: LogTime::ZERO,
    };
    let id = CommandId {
        session,
        number,
        attempt: 1,
    };
    Command::new(id, to, request)
}

/// What clients say: each request to all groups of two, and whatever else there is.
pub(crate) fn client_messages() -> Vec<ClientMessage> {
    let (client, both) = (ClientId(1), Groups::partitions(2));
    let submit = |(request, number)| {
        let command = command(client, number, both, request);
        ClientMessage::Submit(Arc::new(command))
    };
    let mut messages: Vec<_> = requests().into_iter().zip(1..).map(submit).collect();
    let [a, b, _] = objects();
    for reads in [Reads::Index, Reads::Lease] {
        let op = Op {
            read: vec![a],
            add: Vec::new(),
        };
        let request = Request::access::<Numbers>(&op);
        let mut id = command(client, 20, both, Request::default()).id;
        id.attempt = 0;
        let query = Query { id, reads, request };
        messages.push(ClientMessage::Query(Arc::new(query)));
    }
    messages.push(ClientMessage::Consult(vec![a, b]));
    messages.push(ClientMessage::Hello);
    messages.push(ClientMessage::Publish(a));
    messages
}

/// What a client hears as its requests are carried out under a strategy, from whom.
pub(crate) fn heard(strategy: &str) -> Vec<(ReplicaId, ServerMessage)> {
    let mut cluster = Cluster::new(strategy, usize::MAX);
    let mut client = Client::new(&cluster);
    for request in requests() {
        client.request(&mut cluster, request);
    }
    client.heard
}

pub(crate) fn server_messages() -> Vec<ServerMessage> {
    let heard = ["broker", "static"].into_iter().flat_map(heard);
    let mut messages: Vec<_> = heard.map(|(_, message)| message).collect();
    messages.dedup();
    let id = command(OWN, 1, Groups::EMPTY, Request::default()).id;
    messages.push(ServerMessage::NotLeader { leader: Some(1) });
    messages.push(ServerMessage::Refused {
        id,
        defect: Defect::Malformed,
    });
    let time = LogTime::from_micros(77);
    messages.push(ServerMessage::Expired { id, time });
    let stages = Stages {
        order_us: 1,
        wait_us: 2,
        execute_us: u32::MAX,
    };
    messages.push(ServerMessage::Measured { id, stages });
    messages
}

/// What replicas of a group of three say and store as a client works with them.
pub(crate) fn minutes(strategy: &str) -> Minutes {
    let mut cluster = Cluster::recorded(strategy, 600);
    let mut client = Client::new(&cluster);
    for request in requests() {
        client.request(&mut cluster, request);
    }
    cluster.pass(TICK);
    cluster.minutes.take().unwrap_or_default()
}

/// One message of each length and kind: others are too much alike.
pub(crate) fn peer_messages() -> Vec<PeerMessage<Message>> {
    let all = ["broker", "cache"]
        .into_iter()
        .flat_map(|strategy| minutes(strategy).messages);
    let mut seen = BTreeSet::new();
    let mut different: Vec<_> = all
        .filter(|message| {
            let kind = match message {
                PeerMessage::Multicast(Message::Log(log)) => {
                    format!("{:?}", discriminant(&log.body))
                }
                PeerMessage::Multicast(message) => format!("{:?}", discriminant(message)),
                PeerMessage::Hints(_) => "hints".to_owned(),
            };
            seen.insert((kind, codec::encode(message).len()))
        })
        .collect();
    different.truncate(40);
    different
}

/// Values as seeds.
pub(crate) fn encoded<T: Serialize>(values: &[T]) -> Vec<Seed> {
    numbered(values.iter().map(|value| codec::encode(value).into()))
}

/// Inputs that need no better name than a number.
pub(crate) fn numbered(inputs: impl IntoIterator<Item = Vec<u8>>) -> Vec<Seed> {
    let inputs = inputs.into_iter().zip(1..);
    inputs
        .map(|(bytes, number)| Seed::new(format!("{number:02}"), bytes))
        .collect()
}

/// Parts of an input, each with its length before it.
pub(crate) fn join<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let part = part.as_ref();
        let length = u16::try_from(part.len()).expect("a seed is small");
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The parts of an input. The last one may be cut short.
pub(crate) fn parts(bytes: &[u8]) -> Vec<Bytes> {
    let mut rest = Bytes::copy_from_slice(bytes);
    let mut parts = Vec::new();
    while let Some(length) = rest.first_chunk().map(|length| u16::from_le_bytes(*length)) {
        let _ = rest.split_to(2);
        parts.push(rest.split_to(usize::from(length).min(rest.len())));
    }
    parts
}
