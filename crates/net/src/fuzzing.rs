//! For fuzz targets: what comes in over a connection, without a connection.
//!
//! Bytes are read as from a socket that hands over so many at a time, by the code that replicas and
//! clients run.

use crate::greeting::{Greeting, Role, introduce, welcome};
use crate::hottest::{HotObject, HotObjects};
use crate::operator::message::{OperatorAnswer, OperatorMessage};
use crate::peer::Peer;
use crate::samples;
use crate::wire::{Frames, Incoming, MAX_CLIENT_FRAME};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ssmr_core::replica::Milestone;
use ssmr_core::{ClientId, ClientMessage, Identity, ObjectId, ReplicaId, codec};
use ssmr_log::{FoundingRefused, HandOverRefused, Holding};
use std::fmt::Debug;
use std::net::SocketAddr;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};

pub use crate::cache::fuzzing::{CacheTalk, cache_client, cache_server};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("an event loop can be started");
}

pub(crate) fn block_on<F: Future>(work: F) -> F::Output {
    RUNTIME.with(|runtime| runtime.block_on(work))
}

/// The end of a connection over which `bytes` come, `piece` at a time, and then nothing more.
async fn over_a_connection<T>(
    bytes: &[u8],
    piece: usize,
    read: impl AsyncFnOnce(DuplexStream) -> T,
) -> T {
    let (mut sender, receiver) = tokio::io::duplex(piece.max(1));
    let send = async move {
        // It fails if the receiver has had enough.
        let _ = sender.write_all(bytes).await;
    };
    tokio::join!(send, read(receiver)).1
}

/// What a replica reads from a client that sends `bytes`: messages, and `None` for a farewell, up
/// to the first thing that is neither.
#[must_use]
pub fn client_frames(bytes: &[u8], piece: usize) -> Vec<Option<ClientMessage>> {
    block_on(over_a_connection(bytes, piece, async |reader| {
        let mut frames = Frames::new(reader, MAX_CLIENT_FRAME);
        let mut read = Vec::new();
        while let Ok(incoming) = frames.next().await {
            read.push(match incoming {
                Incoming::Message(message, _) => Some(message),
                Incoming::Farewell => None,
            });
        }
        read
    }))
}

/// Who greets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Another replica.
    Replica(ReplicaId),
    /// A client.
    Client,
    /// Somebody who looks after the cluster.
    Operator,
}

impl Speaker {
    fn greeting(self, identity: Identity) -> Greeting {
        let role = match self {
            Self::Replica(id) => Role::Replica(id),
            Self::Client => Role::Client(ClientId(7)),
            Self::Operator => Role::Operator,
        };
        Greeting::new(identity, role)
    }
}

/// A speaker dials the replica `to` and hears `bytes`. Returns what it says, and whether it is
/// content with what it hears.
#[must_use]
pub fn dial(identity: Identity, who: Speaker, to: ReplicaId, bytes: &[u8]) -> (Vec<u8>, bool) {
    let peer = Peer {
        replica: to,
        address: SocketAddr::from(([127, 0, 0, 1], 1)).into(),
    };
    block_on(over_a_connection(bytes, 64, async |reader| {
        let mut said = Vec::new();
        let own = who.greeting(identity);
        let heard = introduce(reader, &mut said, &own, &peer).await;
        (said, heard.is_ok())
    }))
}

/// A replica accepts a connection over which `bytes` come. Returns what it says, and whether it
/// goes on with the connection.
#[must_use]
pub fn accept(identity: Identity, replica: ReplicaId, bytes: &[u8]) -> (Vec<u8>, bool) {
    block_on(over_a_connection(bytes, 64, async |reader| {
        let mut said = Vec::new();
        let own = Speaker::Replica(replica).greeting(identity);
        let heard = welcome(reader, &mut said, &own, |_| Ok(())).await;
        (said, heard.is_ok())
    }))
}

/// Decodes what an operator says to a replica, or a replica to an operator; `false` if it is
/// neither.
///
/// # Panics
/// If what was decoded is another thing once it is encoded.
#[must_use]
pub fn operator_message(bytes: &[u8]) -> bool {
    comes_back::<OperatorMessage>(bytes) | comes_back::<OperatorAnswer>(bytes)
}

/// Whether `bytes` decode, to what comes back when it is encoded and decoded again.
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let Ok(value) = codec::decode::<T>(bytes) else {
        return false;
    };
    assert_eq!(codec::decode(&codec::encode(&value)), Ok(value));
    true
}

/// What operators and replicas say to each other.
#[must_use]
pub fn operator_messages(replica: ReplicaId) -> Vec<Bytes> {
    let messages = [
        OperatorMessage::Status,
        OperatorMessage::Inspect,
        OperatorMessage::Milestone(7),
        OperatorMessage::Prepare(samples::founders()),
        OperatorMessage::Found(samples::founders()),
        OperatorMessage::Report,
        OperatorMessage::Hottest(9),
        OperatorMessage::HandOver(None),
        OperatorMessage::HandOver(Some(2)),
    ];
    let answers = [
        OperatorAnswer::Status(samples::status(replica)),
        OperatorAnswer::Milestone(Milestone::Passed),
        OperatorAnswer::Done(Ok(())),
        OperatorAnswer::Done(Err(FoundingRefused::Holds(Holding::Nothing))),
        OperatorAnswer::Report(Box::new(samples::report(replica))),
        OperatorAnswer::Hottest(HotObjects {
            total: 17,
            objects: vec![HotObject {
                object: ObjectId::new(1, 2),
                at_least: 3,
                at_most: 4,
            }],
        }),
        OperatorAnswer::HandingOver(Ok(2)),
        OperatorAnswer::HandingOver(Err(HandOverRefused::UnderWay { to: 1 })),
    ];
    let messages = messages.iter().map(codec::encode);
    messages.chain(answers.iter().map(codec::encode)).collect()
}
