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
pub(crate) struct OutgoingConnection {
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

impl OutgoingConnection {
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
            if self.clock.now().since(dialled) > GOOD {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Sender;
    use ssmr_core::ClientId;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_broken_link_is_dialled_again_and_answers_come_in() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let traffic = Arc::new(Traffic::default());
        let mailbox = Arc::new(Mailbox::new(1 << 10, traffic.clone()));
        let link = OutgoingConnection {
            address: listener.local_addr().unwrap(),
            handshake: Handshake::new(3, Sender::Client(ClientId(1))),
            mailbox: mailbox.clone(),
            traffic,
            clock: Clock::start(),
        };
        let (inbox, mut received) = mpsc::channel(1);
        let task = tokio::spawn(link.run(|answer: u64| answer, inbox));
        for round in 0..3u64 {
            // What is said while the other end is away may be dropped, so it is said until somebody listens.
            let (stream, _) = loop {
                mailbox.push(&round);
                if let Ok(accepted) = timeout(Duration::from_millis(5), listener.accept()).await {
                    break accepted.unwrap();
                }
            };
            let (reader, mut writer) = stream.into_split();
            let (mut frames, _) = Frames::accept(reader, 3).await.unwrap();
            assert_eq!(frames.next::<u64>().await.unwrap().0, round);
            let mut answer = BytesMut::new();
            append(&mut answer, &(round + 100));
            writer.write_all(&answer).await.unwrap();
            assert_eq!(received.recv().await, Some(round + 100));
        }
        task.abort();
    }
}
