//! A connection that is dialled when there is something to say, and again when it breaks.
//!
//! It introduces itself, checks who answers, and tells how it stands.
//!
//! Replicas dial each other for what they send and listen for what they receive, so a link between
//! replicas carries messages one way; a client's link carries the answers too. While the other end
//! is away its messages are dropped.

use crate::clock::Clock;
use crate::connection::{ConnectionState, ConnectionStates};
use crate::error::ConnectError;
use crate::mailbox::Mailbox;
use crate::participant::Participant;
use crate::peer::Peer;
use crate::traffic::Traffic;
use crate::wire::{Frames, Incoming};
use serde::de::DeserializeOwned;
use ssmr_core::{LocalTime, Micros};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(10);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that lived this long was good: dialling starts over with the shortest pause.
const GOOD: Micros = 1_000_000;

/// When a link is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialling {
    /// When there is something to say.
    WhenNeeded,
    /// At once, and again whenever it breaks.
    Always,
}

/// Where a link goes and how it introduces itself.
#[derive(Debug)]
pub(crate) struct OutgoingConnection {
    /// The other end.
    pub(crate) peer: Peer,
    /// Who dials.
    pub(crate) participant: Arc<Participant>,
    /// When it is dialled.
    pub(crate) dialling: Dialling,
    /// What is to be sent.
    pub(crate) mailbox: Arc<Mailbox>,
    /// Where what comes in is counted.
    pub(crate) traffic: Arc<Traffic>,
    /// Where it tells how it stands.
    pub(crate) states: watch::Sender<ConnectionStates>,
    /// For judging how long a connection lived.
    pub(crate) clock: Clock,
    /// How long it takes besides to be set up, on an emulated network.
    pub(crate) handshake: Duration,
}

impl OutgoingConnection {
    /// Keeps the link going until the task is dropped. Each message that comes in is handed on as
    /// `wrap` makes it.
    pub(crate) async fn run<T, I>(self, wrap: impl Fn(T) -> I, inbox: mpsc::Sender<I>)
    where
        T: DeserializeOwned,
    {
        let mut pause = FIRST_PAUSE;
        let mut warned = false;
        loop {
            if self.dialling == Dialling::WhenNeeded {
                self.mailbox.filled().await;
            }
            let dialled = self.clock.now();
            let error = self.connect(&wrap, &inbox).await;
            if error.is_mismatch() && !warned {
                warned = true;
                tracing::warn!(%error, "a link cannot be used");
            } else {
                tracing::debug!(%error, "a link broke");
            }
            self.note(ConnectionState::Down { why: error });
            if self.clock.now().since(dialled) > GOOD {
                pause = FIRST_PAUSE;
            }
            self.mailbox.shut(true);
            sleep(pause).await;
            self.mailbox.shut(false);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Dials, and carries messages until the connection breaks. Returns why it did.
    async fn connect<T, I>(&self, wrap: &impl Fn(T) -> I, inbox: &mpsc::Sender<I>) -> ConnectError
    where
        T: DeserializeOwned,
    {
        self.states.send_if_modified(|states| {
            let first = matches!(
                states.state(self.peer.replica),
                Some(ConnectionState::NotDialled)
            );
            if first {
                states.note(self.peer.replica, ConnectionState::Dialling);
            }
            first
        });
        if !self.handshake.is_zero() {
            sleep(self.handshake).await;
        }
        let (frames, writer) = match self.participant.dial(&self.peer).await {
            Ok(connection) => connection,
            Err(error) => return error,
        };
        self.connected(self.clock.now());
        let broken = tokio::select! {
            broken = self.mailbox.write_to(writer) => broken,
            broken = receive(frames, &self.traffic, wrap, inbox) => broken,
        };
        broken.map_or_else(
            |error| ConnectError::of(&self.peer, error),
            |()| ConnectError::ShutDown {
                peer: self.peer.clone(),
            },
        )
    }

    fn connected(&self, now: LocalTime) {
        let since = self.clock.instant(now);
        self.note(ConnectionState::Connected { since });
    }

    fn note(&self, state: ConnectionState) {
        let replica = self.peer.replica;
        self.states
            .send_modify(|states| states.note(replica, state));
    }
}

/// Hands on what comes in, until the connection breaks or the other end says farewell. It waits
/// while the inbox is full: whoever drains it never waits for anybody, so it goes on soon.
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
        let Incoming::Message(message, bytes) = frames.next().await? else {
            return Ok(());
        };
        traffic.received(bytes);
        let handed_on = inbox.send(wrap(message)).await;
        handed_on.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClusterConfig;
    use crate::greeting::{Greeting, Refusal, Role, welcome};
    use crate::wire::{FAREWELL, append};
    use bytes::BytesMut;
    use ssmr_core::{ClientId, GroupId, ReplicaId, Topology};
    use ssmr_core::{Identity, ServiceVersion};
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(20);
    const SERVED: ReplicaId = ReplicaId {
        group: GroupId::ORACLE,
        index: 0,
    };

    fn identity() -> Identity {
        let service = ServiceVersion {
            name: "numbers".into(),
            version: 1,
        };
        Identity {
            incarnation: 3,
            service,
            strategy: "broker".into(),
            topology: Topology::new(1, 1).unwrap().with_oracle(1).unwrap(),
        }
    }

    fn greeting(role: Role) -> Greeting {
        Greeting::new(identity(), role)
    }

    fn anybody(_: Role) -> Result<(), Refusal> {
        Ok(())
    }

    /// A link to `listener`, its mailbox, and what it tells.
    async fn link(
        listener: &TcpListener,
        dialling: Dialling,
    ) -> (OutgoingConnection, watch::Receiver<ConnectionStates>) {
        let peer = Peer {
            replica: SERVED,
            address: listener.local_addr().unwrap().into(),
        };
        let traffic = Arc::new(Traffic::default());
        let (states, told) = watch::channel(ConnectionStates::new([peer.clone()].into_iter()));
        let config = ClusterConfig::new(identity().topology, 3, [(SERVED, peer.address.clone())]);
        let participant = Participant::new(identity(), Role::Client(ClientId(1)), &config).unwrap();
        let link = OutgoingConnection {
            peer,
            participant: Arc::new(participant),
            dialling,
            mailbox: Arc::new(Mailbox::new(1 << 10, traffic.clone())),
            traffic,
            states,
            clock: Clock::start(),
            handshake: Duration::ZERO,
        };
        (link, told)
    }

    #[tokio::test]
    async fn a_broken_link_is_dialled_again_and_answers_come_in() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (link, _told) = link(&listener, Dialling::WhenNeeded).await;
        let mailbox = link.mailbox.clone();
        let (inbox, mut received) = mpsc::channel(1);
        let task = tokio::spawn(link.run(|answer: u64| answer, inbox));
        let own = greeting(Role::Replica(SERVED));
        for round in 0..3u64 {
            // What is said while the other end is away may be dropped, so it is said until somebody
            // listens.
            let (stream, _) = loop {
                mailbox.push(&round);
                if let Ok(accepted) = timeout(Duration::from_millis(5), listener.accept()).await {
                    break accepted.unwrap();
                }
            };
            let (reader, mut writer) = stream.into_split();
            let (mut frames, _) = welcome(reader, &mut writer, &own, anybody).await.unwrap();
            let first = frames.next::<u64>().await.unwrap();
            assert!(matches!(first, Incoming::Message(said, _) if said == round));
            let mut answer = BytesMut::new();
            append(&mut answer, &(round + 100));
            writer.write_all(&answer).await.unwrap();
            assert_eq!(received.recv().await, Some(round + 100));
        }
        task.abort();
    }

    #[tokio::test]
    async fn it_tells_when_it_is_up_why_it_is_down_and_that_all_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (link, mut told) = link(&listener, Dialling::Always).await;
        assert!(matches!(
            told.borrow().state(SERVED),
            Some(ConnectionState::NotDialled)
        ));
        let (inbox, _received) = mpsc::channel(1);
        let task = tokio::spawn(link.run(|answer: u64| answer, inbox));
        let told = &mut told;
        let mut until = async |wanted: fn(&ConnectionState) -> bool| {
            let told = told.wait_for(|states| states.state(SERVED).is_some_and(wanted));
            timeout(PATIENCE, told).await.unwrap().unwrap().is_shut_down
        };
        let own = greeting(Role::Replica(SERVED));
        let (reader, mut writer) = listener.accept().await.unwrap().0.into_split();
        let (frames, _) = welcome(reader, &mut writer, &own, anybody).await.unwrap();
        assert!(!until(ConnectionState::is_connected).await);
        drop((frames, writer));
        let down = |state: &ConnectionState| matches!(state, ConnectionState::Down { .. });
        assert!(!until(down).await);

        let (reader, mut writer) = listener.accept().await.unwrap().0.into_split();
        let (_frames, _) = welcome(reader, &mut writer, &own, anybody).await.unwrap();
        assert!(!until(ConnectionState::is_connected).await);
        writer.write_all(&FAREWELL).await.unwrap();
        assert!(until(down).await);
        task.abort();
    }
}
