//! The wire format: frames of a 32-bit big-endian length and a body in core's encoding.
//!
//! A greeting comes first; see [`greeting`](crate::greeting). A frame without a body is a farewell:
//! the cluster has been shut down. No message is encoded as nothing, so the two cannot be mixed up.
//!
//! Invariant: bytes that are not what was expected are an error of their connection, never a panic
//! and never an allocation beyond the frame limit.

use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ssmr_core::{codec, limits};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{Decoder, FramedRead};

/// The bytes before a frame's body.
pub(crate) const PREFIX: usize = 4;

/// The largest frame that a client may send: a request at its bound and generous room for its
/// object ids.
pub(crate) const MAX_CLIENT_FRAME: usize = limits::MAX_REQUEST + (1 << 20);

/// A farewell.
pub(crate) const FAREWELL: [u8; PREFIX] = [0; PREFIX];

/// Where reading starts; it grows with the frames. Small, for ten thousand clients have a
/// connection each.
const READ_BUFFER: usize = 8 << 10;

/// What comes in on a connection.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// What goes out on a connection. It is to be flushed after what it is given.
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming<T> {
    /// A message, and the bytes it took.
    Message(T, usize),
    /// The cluster has been shut down.
    Farewell,
}

/// The incoming frames of one connection. All its functions are cancel safe: what was read is not
/// lost.
#[derive(Debug)]
pub(crate) struct Frames<R> {
    parts: FramedRead<R, FrameDecoder>,
    /// The length of the body that comes next, if it was read.
    length: Option<usize>,
}

/// Takes frames apart, so that a reader knows how long a body is before it takes room for it.
#[derive(Debug)]
struct FrameDecoder {
    limit: usize,
    /// The length of the body that comes next.
    body: Option<usize>,
}

/// Half of a frame.
enum Part {
    Length(usize),
    Body(BytesMut),
}

impl Decoder for FrameDecoder {
    type Item = Part;
    type Error = io::Error;

    fn decode(&mut self, read: &mut BytesMut) -> io::Result<Option<Part>> {
        let Some(length) = self.body else {
            if read.len() < PREFIX {
                return Ok(None);
            }
            let (length, limit) = (read.get_u32() as usize, self.limit);
            if length > limit {
                return Err(invalid(&format!(
                    "a frame of {length} bytes: {limit} may be"
                )));
            }
            self.body = Some(length);
            return Ok(Some(Part::Length(length)));
        };
        if read.len() < length {
            read.reserve(length - read.len());
            return Ok(None);
        }
        self.body = None;
        Ok(Some(Part::Body(read.split_to(length))))
    }
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Frames of at most `limit` bytes.
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        let decoder = FrameDecoder { limit, body: None };
        Self {
            parts: FramedRead::with_capacity(reader, decoder, READ_BUFFER),
            length: None,
        }
    }

    /// From now on frames have at most `limit` bytes.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.parts.decoder_mut().limit = limit;
    }

    /// The length of the next frame's body; an error at the end of the stream too.
    pub(crate) async fn length(&mut self) -> io::Result<usize> {
        if let Some(length) = self.length {
            return Ok(length);
        }
        match self.part().await? {
            Part::Length(length) => {
                self.length = Some(length);
                Ok(length)
            }
            Part::Body(_) => unreachable!("a length comes first"),
        }
    }

    /// The body of the next frame; an error at the end of the stream too.
    pub(crate) async fn next_frame(&mut self) -> io::Result<BytesMut> {
        self.length().await?;
        match self.part().await? {
            Part::Body(body) => {
                self.length = None;
                Ok(body)
            }
            Part::Length(_) => unreachable!("a body follows its length"),
        }
    }

    /// The next message, or a farewell; an error at the end of the stream too.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Incoming<T>> {
        decode(&self.next_frame().await?)
    }

    async fn part(&mut self) -> io::Result<Part> {
        let part = self.parts.next().await;
        part.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?
    }
}

/// What a frame's body says.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<Incoming<T>> {
    if body.is_empty() {
        return Ok(Incoming::Farewell);
    }
    let message = codec::decode(body).map_err(|error| invalid(&error.to_string()))?;
    Ok(Incoming::Message(message, body.len() + PREFIX))
}

/// A frame whose body consists of these parts.
pub(crate) fn frame(parts: &[&[u8]]) -> Bytes {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let prefix = (length as u32).to_be_bytes();
    [&[&prefix[..]], parts].concat().concat().into()
}

/// Appends a message as one frame. Returns the bytes it took; `None` if it is larger than a frame
/// may be, and is left out.
///
/// The bounds on requests, batches and operands keep all messages well below that but for an
/// application's replies.
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

/// Bytes that are not what was expected.
pub(crate) fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_and_a_farewell_arrive() {
        let mut bytes = BytesMut::new();
        append(&mut bytes, &2u8);
        bytes.extend_from_slice(&FAREWELL);
        bytes.extend_from_slice(&frame(&[&[3], &[4, 5]]));
        let mut frames = Frames::new(&bytes[..], 100);
        let first = frames.next::<u8>().await.unwrap();
        assert_eq!(first, Incoming::Message(2, 5));
        assert_eq!(frames.next::<u8>().await.unwrap(), Incoming::Farewell);
        assert_eq!(frames.length().await.unwrap(), 3);
        assert_eq!(frames.next_frame().await.unwrap()[..], [3, 4, 5]);
        let end = frames.next::<u8>().await.unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn what_is_no_message_and_what_is_too_large_are_errors() {
        let mut bytes = BytesMut::new();
        append(&mut bytes, &7u8);
        append(&mut bytes, &[0u8; 9]);
        let mut frames = Frames::new(&bytes[..], 8);
        let error = frames.next::<u64>().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(frames.next_frame().await.is_err());
    }
}
