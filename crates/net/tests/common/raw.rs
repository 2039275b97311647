//! A service of byte strings, and connections to it that say what they like.

use bytes::Bytes;
use serde::Serialize;
use ssmr_core::{Access, Application, ClientMessage, ObjectId, Objects, Topology, codec};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Byte strings that nothing is done with.
pub(crate) struct Blobs;

impl Application for Blobs {
    const NAME: &'static str = "blobs";
    type Object = Bytes;
    type Op = ObjectId;
    type Reply = Bytes;

    fn access(object: &ObjectId) -> Access {
        Access {
            reads: vec![*object],
            writes: Vec::new(),
        }
    }

    fn execute(object: &ObjectId, blobs: &mut Objects<Bytes>) -> Bytes {
        blobs.get(*object).cloned().unwrap_or_default()
    }
}

/// The groups of the clusters that are spoken to.
pub(crate) fn topology() -> Topology {
    Topology::new(1, 3).unwrap()
}

/// A client, as it says it in its greeting.
pub(crate) fn client(id: u64) -> impl Serialize {
    (1u32, id)
}

/// An operator, as it says it in its greeting.
pub(crate) const OPERATOR: u32 = 2;

/// A greeting as it is on the wire, of a cluster with strategy global.
pub(crate) fn greeting(incarnation: u64, role: impl Serialize) -> Vec<u8> {
    let identity = (incarnation, ("blobs", 1u32), "global", topology());
    frame(&codec::encode(&(*b"ssmr", 9u16, identity, role)))
}

/// A frame with this body.
pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    frame
}

/// A connection that has sent its greeting.
pub(crate) async fn dial(to: SocketAddr, role: impl Serialize) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(&greeting(1, role)).await.unwrap();
    stream
}

/// The next frame's body.
pub(crate) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let read = async {
        let length = stream.read_u32().await.unwrap();
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).await.unwrap();
        body
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap()
}

/// A question with a long answer, as a frame.
pub(crate) fn long_question() -> Vec<u8> {
    let objects = vec![ObjectId::new(9, 9); 4096];
    frame(&codec::encode(&ClientMessage::Consult(objects)))
}

/// The other end closes the connection. Returns what it has said before.
pub(crate) async fn assert_closed(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said));
    // It may also be reset, with what it had said.
    let _ = read.await.unwrap();
    said
}
