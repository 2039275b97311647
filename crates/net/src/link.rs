//! A connection that is dialled when there is something to say, and again when it breaks.
//!
//! Replicas dial each other for what they send and listen for what they receive, so a link between replicas carries
//! messages one way; a client's link carries the answers too. While the other end is away its messages are dropped.

use crate::clock::Clock;
use crate::mailbox::Mailbox;
use crate::traffic::Traffic;
use crate::wire::{Frames, Handshake, append};
use bytes::BytesMut;
use serde::de::DeserializeOwned;
use ssmr_core::{Micros, limits};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that lived this long was good: dialling starts over with the shortest pause.
const GOOD: Micros = 1_000_000;

/// Where a link goes and how it introduces itself.
#[derive(Debug)]
pub(crate) struct Link {
    /// The other end.
    pub(crate) address: SocketAddr,
    /// The first frame.
    pub(crate) handshake: Handshake,
    /// What is to be sent.
    pub(crate) mailbox: Arc<Mailbox>,
    /// Where what comes in is counted.
    pub(crate) traffic: Arc<Traffic>,
    /// For judging how long a connection lived.
    pub(crate) clock: Clock,
}

impl Link {
    /// Keeps the link going until the task is dropped. Each message that comes in is handed on as `wrap` makes it.
    pub(crate) async fn run<T, I>(self, wrap: impl Fn(T) -> I, inbox: mpsc::Sender<I>)
    where
        T: DeserializeOwned,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            self.mailbox.filled().await;
            let dialled = self.clock.now();
            if let Err(error) = self.connect(&wrap, &inbox).await {
                tracing::debug!(address = %self.address, %error, "a link broke");
            }
            if self.clock.now() - dialled > GOOD {
                pause = FIRST_PAUSE;
            }
            self.mailbox.shut(true);
            sleep(pause).await;
            self.mailbox.shut(false);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Dials, and carries messages until the connection breaks.
    async fn connect<T, I>(&self, wrap: &impl Fn(T) -> I, inbox: &mpsc::Sender<I>) -> io::Result<()>
    where
        T: DeserializeOwned,
    {
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(self.address)).await??;
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let mut greeting = BytesMut::new();
        append(&mut greeting, &self.handshake);
        writer.write_all(&greeting).await?;
        let frames = Frames::new(reader, limits::MAX_FRAME);
        tokio::select! {
            broken = self.mailbox.write_to(writer) => broken,
            broken = receive(frames, &self.traffic, wrap, inbox) => broken,
        }
    }
}

/// Hands on what comes in, until the connection breaks. It waits while the inbox is full: whoever drains it never waits
/// for anybody, so it goes on soon.
pub(crate) async fn receive<R, T, I>(
    mut frames: Frames<R>,
    traffic: &Traffic,
    wrap: impl Fn(T) -> I,
    inbox: &mpsc::Sender<I>,
) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    T: DeserializeOwned,
{
    loop {
        let (message, bytes) = frames.next().await?;
        traffic.received(bytes);
        let handed_on = inbox.send(wrap(message)).await;
        handed_on.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    }
}
