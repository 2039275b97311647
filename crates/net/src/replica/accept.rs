//! Incoming connections of one replica: welcome, read, decode, hand on.
//!
//! Each connection is a task. One that is silent, speaks another language or breaks off costs
//! itself and nothing else; how many there may be of each kind is bounded.

use super::clients::{ClientPlace, Clients};
use super::input::LoopInput;
use super::places::{Place, Places};
use super::visitors::{Visitor, Visitors};
use crate::greeting::{Refusal, Role, in_time};
use crate::limits::ConnectionLimits;
use crate::link::receive;
use crate::participant::Participant;
use crate::traffic::Traffic;
use crate::wire::{Frames, Incoming, Reader, Writer, frame};
use socket2::{SockRef, TcpKeepalive};
use ssmr_core::{ClientId, ReplicaId, codec};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// How long to wait when the system has no more file descriptors: nothing tells when there are some
/// again.
const OUT_OF_FILES: Duration = Duration::from_millis(20);

/// After so much silence the system asks whether the other end is still there, and again after
/// each [`ASKS_AGAIN`]; it gives up as it does with all connections.
const ASKS: Duration = Duration::from_secs(60);
const ASKS_AGAIN: Duration = Duration::from_secs(10);

/// What the tasks of incoming connections share.
#[derive(Debug)]
pub(super) struct Gate {
    /// The replica, as others see it.
    participant: Arc<Participant>,
    inbox: mpsc::Sender<LoopInput>,
    traffic: Arc<Traffic>,
    ungreeted: Arc<Places>,
    operators: Arc<Places>,
    replicas: BTreeMap<ReplicaId, Arc<Places>>,
    clients: Clients,
    visitors: Arc<Visitors>,
}

/// An accepted connection: who it is, and the place that it holds.
enum Accepted {
    Client(ClientId, ClientPlace),
    Operator(Place),
    Replica(ReplicaId, Place),
}

impl Gate {
    /// Nobody has come yet.
    pub(super) fn new(
        participant: Arc<Participant>,
        limits: &ConnectionLimits,
        clients: Clients,
        inbox: mpsc::Sender<LoopInput>,
        traffic: Arc<Traffic>,
        visitors: Arc<Visitors>,
    ) -> Self {
        let replicas = participant.cluster().topology.replicas();
        let places = |id| (id, Places::new(limits.per_replica));
        Self {
            replicas: replicas.map(places).collect(),
            participant,
            inbox,
            traffic,
            ungreeted: Places::new(limits.ungreeted),
            operators: Places::new(limits.operators),
            clients,
            visitors,
        }
    }

    /// Accepts connections until the task is dropped.
    pub(super) async fn run(self, listener: TcpListener) {
        let gate = Arc::new(self);
        for connection in 0.. {
            match listener.accept().await {
                Ok((stream, address)) => {
                    let gate = gate.clone();
                    tokio::spawn(async move {
                        let mut greeted = false;
                        match gate.serve(connection, stream, &mut greeted).await {
                            Err(error) => gate.visitors.ended(&error, address, greeted),
                            Ok(()) => tracing::debug!(%address, "a connection ended"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(OUT_OF_FILES).await;
                }
            }
        }
    }

    /// Serves a connection until it ends; `greeted` is set once its greeting was right.
    async fn serve(
        &self,
        connection: u64,
        stream: TcpStream,
        greeted: &mut bool,
    ) -> io::Result<()> {
        let mut ungreeted = self.ungreeted.take();
        let visit = self.visitors.enter(Visitor::Ungreeted);
        let welcomed = tokio::select! {
            biased;
            welcomed = in_time(self.greet(stream)) => welcomed,
            () = ungreeted.lost() => Err(gave_way()),
        };
        drop((ungreeted, visit));
        let (frames, mut writer, accepted) = welcomed?;
        *greeted = true;
        let _visit = self.visitors.enter(match &accepted {
            Accepted::Client(..) => Visitor::Client,
            Accepted::Operator(_) => Visitor::Operator,
            Accepted::Replica(..) => Visitor::Replica,
        });
        match accepted {
            Accepted::Client(id, _place) => {
                self.clients.serve(id, connection, frames, writer).await
            }
            Accepted::Operator(mut place) => tokio::select! {
                biased;
                () = place.lost() => Err(gave_way()),
                ended = self.serve_operator(frames, &mut writer) => ended,
            },
            // Nothing is said on this connection, but dropping the writer would close it at the
            // other end.
            Accepted::Replica(id, mut place) => tokio::select! {
                biased;
                () = place.lost() => Err(gave_way()),
                ended = self.serve_replica(id, frames) => ended,
            },
        }
    }

    /// Waits for a greeting and answers it. Until the first byte is there the connection has
    /// nothing but its place: of those that never greet there may be thousands a second.
    async fn greet(&self, stream: TcpStream) -> io::Result<(Frames<Reader>, Writer, Accepted)> {
        stream.readable().await?;
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(ASKS)
            .with_interval(ASKS_AGAIN);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        self.participant
            .accept(stream, |role| self.admit(role))
            .await
    }

    /// A place for a connection of this kind.
    fn admit(&self, role: Role) -> Result<Accepted, Refusal> {
        match role {
            Role::Client(id) => Ok(Accepted::Client(id, self.clients.admit()?)),
            Role::Operator => Ok(Accepted::Operator(self.operators.take())),
            Role::Replica(id) => match self.replicas.get(&id) {
                Some(places) => Ok(Accepted::Replica(id, places.take())),
                None => Err(Refusal::Mismatch(format!(
                    "{id} is no replica of this cluster"
                ))),
            },
        }
    }

    async fn serve_replica(&self, id: ReplicaId, frames: Frames<Reader>) -> io::Result<()> {
        let wrap = |message| LoopInput::Peer(id, message);
        receive(frames, &self.traffic, wrap, &self.inbox).await
    }

    /// Answers an operator's messages, one after the other.
    async fn serve_operator(
        &self,
        mut frames: Frames<Reader>,
        writer: &mut Writer,
    ) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        while let Incoming::Message(message, _) = frames.next().await? {
            let (answer, answered) = oneshot::channel();
            let asked = self.inbox.send(LoopInput::Operator(message, answer)).await;
            asked.map_err(|_| gone())?;
            let answer = answered.await.map_err(|_| gone())?;
            writer.write_all(&frame(&[&codec::encode(&answer)])).await?;
            writer.flush().await?;
        }
        Ok(())
    }
}

/// Why a connection of which there were too many is closed.
fn gave_way() -> io::Error {
    let why = "it was the oldest of its kind when one too many came";
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}
