//! One message of each kind that comes over a connection: what decodes is the same thing once it is
//! encoded and decoded again.

use crate::Target;
use crate::samples;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ssmr_core::{ClientMessage, PartitionId, PeerMessage, ReplicaId, ServerMessage, codec};
use ssmr_multicast::Message;
use std::fmt::Debug;

/// What a message of the corpus may take: few bytes can claim few.
pub(crate) const MEMORY: usize = 8 << 20;

pub(crate) const CLIENT_MESSAGE: Target = Target {
    name: "client_message",
    run: comes_back::<ClientMessage>,
    seeds: || samples::encoded(&samples::client_messages()),
    memory: MEMORY,
};

pub(crate) const SERVER_MESSAGE: Target = Target {
    name: "server_message",
    run: comes_back::<ServerMessage>,
    seeds: || samples::encoded(&samples::server_messages()),
    memory: MEMORY,
};

/// Decoded only: replicas are believed, so what a forged message does is not defended.
pub(crate) const PEER_MESSAGE: Target = Target {
    name: "peer_message",
    run: |bytes| {
        let Ok(message) = codec::decode::<PeerMessage<Message>>(bytes) else {
            return false;
        };
        match message {
            PeerMessage::Multicast(message) => comes_back_as(message),
            PeerMessage::Hints(hints) => comes_back_as(hints),
        }
        true
    },
    seeds: || samples::encoded(&samples::peer_messages()),
    memory: MEMORY,
};

pub(crate) const OPERATOR_MESSAGE: Target = Target {
    name: "operator_message",
    run: ssmr_net::fuzzing::operator_message,
    seeds: || {
        let group = PartitionId(0).into();
        let messages = ssmr_net::fuzzing::operator_messages(ReplicaId { group, index: 0 });
        samples::numbered(messages.into_iter().map(Vec::from))
    },
    memory: MEMORY,
};

/// Whether bytes decode. What they mean must come back.
pub(crate) fn comes_back<T>(bytes: &[u8]) -> bool
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    codec::decode::<T>(bytes).is_ok_and(|value| {
        comes_back_as(value);
        true
    })
}

fn comes_back_as<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    assert_eq!(codec::decode(&codec::encode(&value)), Ok(value));
}
