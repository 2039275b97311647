//! The wire format: frames of a 32-bit big-endian length and a body in core's encoding; a handshake comes first.
//!
//! It neither authenticates nor encrypts: whoever can reach a replica's port may speak. The incarnation keeps apart
//! clusters that meet by mistake (a client of yesterday's run, a port that was used again).
//!
//! Invariant: bytes that are not what was expected are an error of their connection, never a panic and never an
//! allocation beyond the frame limit.

use bytes::BytesMut;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ssmr_core::{ClientId, ReplicaId, codec, limits};
use std::io;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

/// The bytes before a frame's body.
pub(crate) const PREFIX: usize = 4;

/// The largest frame that a client may send: a request at its bound and generous room for its object ids.
pub(crate) const MAX_CLIENT_FRAME: usize = limits::MAX_REQUEST + (1 << 20);

/// How long a fresh connection may take to say who it is.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

const MAX_HANDSHAKE: usize = 128;
/// Where reading starts; it grows with the frames. Small, for a thousand clients have a connection each.
const READ_BUFFER: usize = 16 << 10;
const MAGIC: [u8; 4] = *b"ssmr";
const VERSION: u16 = 1;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sender {
    /// A replica of the same cluster.
    Replica(ReplicaId),
    /// A client.
    Client(ClientId),
}

/// The first frame of each connection, sent by who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handshake {
    magic: [u8; 4],
    version: u16,
    incarnation: u64,
    sender: Sender,
}

impl Handshake {
    /// The handshake of `sender` in a cluster's incarnation.
    pub(crate) fn new(incarnation: u64, sender: Sender) -> Self {
        Self {
            magic: MAGIC,
            version: VERSION,
            incarnation,
            sender,
        }
    }
}

/// The incoming frames of one connection.
#[derive(Debug)]
pub(crate) struct Frames<R> {
    frames: FramedRead<R, LengthDelimitedCodec>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Frames of at most `limit` bytes.
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        let codec = LengthDelimitedCodec::builder()
            .max_frame_length(limit)
            .new_codec();
        Self {
            frames: FramedRead::with_capacity(reader, codec, READ_BUFFER),
        }
    }

    /// Waits for the handshake of a connection that was accepted, and checks it. Frames may be as large as the sender's
    /// kind allows from then on.
    pub(crate) async fn accept(reader: R, incarnation: u64) -> io::Result<(Self, Sender)> {
        let mut frames = Self::new(reader, MAX_HANDSHAKE);
        let waited = tokio::time::timeout(HANDSHAKE_TIMEOUT, frames.next::<Handshake>()).await;
        let silent = || io::Error::new(io::ErrorKind::TimedOut, "no handshake in time");
        let (handshake, _) = waited.map_err(|_| silent())??;
        if handshake != Handshake::new(incarnation, handshake.sender) {
            return Err(invalid("not of this cluster, or of another version of it"));
        }
        let limit = match handshake.sender {
            Sender::Replica(_) => limits::MAX_FRAME,
            Sender::Client(_) => MAX_CLIENT_FRAME,
        };
        frames.frames.decoder_mut().set_max_frame_length(limit);
        Ok((frames, handshake.sender))
    }

    /// The next message and the bytes it took; an error at the end of the stream too. Cancel safe.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<(T, usize)> {
        let frame = self.frames.next().await;
        let frame = frame.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))??;
        let message = codec::decode(&frame).map_err(|error| invalid(&error.to_string()))?;
        Ok((message, frame.len() + PREFIX))
    }
}

/// Appends a message as one frame. Returns the bytes it took; `None` if it is larger than a frame may be, and is left out.
///
/// The bounds on requests, batches and operands keep all messages well below that but for an application's replies.
pub(crate) fn append<T: Serialize>(buffer: &mut BytesMut, message: &T) -> Option<usize> {
    let body = codec::encode(message);
    if body.len() > limits::MAX_FRAME {
        tracing::error!(
            bytes = body.len(),
            "a message exceeds the frame limit and is dropped"
        );
        return None;
    }
    buffer.extend_from_slice(&(body.len() as u32).to_be_bytes());
    buffer.extend_from_slice(&body);
    Some(body.len() + PREFIX)
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Sender = Sender::Client(ClientId(7));

    fn greeting(incarnation: u64) -> BytesMut {
        let mut bytes = BytesMut::new();
        append(&mut bytes, &Handshake::new(incarnation, CLIENT));
        bytes
    }

    #[tokio::test]
    async fn a_greeting_and_the_messages_behind_it_arrive() {
        let mut bytes = greeting(5);
        append(&mut bytes, &(1u64, "one".to_owned()));
        append(&mut bytes, &2u8);
        let (mut frames, sender) = Frames::accept(&bytes[..], 5).await.unwrap();
        assert_eq!(sender, CLIENT);
        let (message, size) = frames.next::<(u64, String)>().await.unwrap();
        assert_eq!((message, size), ((1, "one".to_owned()), 4 + 8 + 8 + 3));
        assert_eq!(frames.next::<u8>().await.unwrap(), (2, 5));
        let end = frames.next::<u8>().await.unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn another_incarnation_garbage_and_oversized_frames_are_refused() {
        let refused = async |bytes: &[u8]| Frames::accept(bytes, 5).await.unwrap_err().kind();
        assert_eq!(refused(&greeting(6)).await, io::ErrorKind::InvalidData);
        let http = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n";
        assert_eq!(refused(http).await, io::ErrorKind::InvalidData);
        assert_eq!(refused(&[0, 0, 0, 9, 1, 2]).await, io::ErrorKind::Other);
        assert_eq!(refused(&[0, 0, 0, 1, 9]).await, io::ErrorKind::InvalidData);

        let mut bytes = greeting(5);
        bytes.extend_from_slice(&(MAX_CLIENT_FRAME as u32 + 1).to_be_bytes());
        let (mut frames, _) = Frames::accept(&bytes[..], 5).await.unwrap();
        assert!(frames.next::<u8>().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_given_up() {
        let (_held_open, silent) = tokio::io::duplex(64);
        let error = Frames::accept(silent, 5).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
