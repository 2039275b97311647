//! Incoming connections of one replica: welcome, read, decode, hand on.
//!
//! Each connection is a task. One that is silent, speaks another language or breaks off costs
//! itself and nothing else.

use super::input::LoopInput;
use crate::greeting::{Greeting, Role, welcome};
use crate::link::receive;
use crate::mailbox::Mailbox;
use crate::traffic::Traffic;
use crate::wire::{Frames, Incoming, frame};
use ssmr_core::{ClientId, codec};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// How many bytes may wait for a client that does not read.
const CLIENT_QUEUE: usize = 8 << 20;

/// How long to wait when the system has no more file descriptors: nothing tells when there are some
/// again.
const OUT_OF_FILES: Duration = Duration::from_millis(20);

/// What the tasks of incoming connections share.
#[derive(Debug)]
pub(super) struct Gate {
    /// What the replica says of itself.
    pub(super) greeting: Greeting,
    pub(super) inbox: mpsc::Sender<LoopInput>,
    pub(super) traffic: Arc<Traffic>,
}

impl Gate {
    /// Accepts connections until the task is dropped.
    pub(super) async fn run(self, listener: TcpListener) {
        let gate = Arc::new(self);
        for connection in 0.. {
            match listener.accept().await {
                Ok((stream, address)) => {
                    let gate = gate.clone();
                    tokio::spawn(async move {
                        match gate.welcome(connection, stream).await {
                            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                                tracing::warn!(%address, %error, "a connection was refused");
                            }
                            ended => tracing::debug!(%address, ?ended, "a connection ended"),
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

    async fn welcome(&self, connection: u64, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let (frames, role) = welcome(reader, &mut writer, &self.greeting).await?;
        match role {
            Role::Client(id) => self.serve_client(id, connection, frames, writer).await,
            Role::Operator => self.serve_operator(frames, writer).await,
            Role::Replica(id) => {
                let wrap = |message| LoopInput::Peer(id, message);
                let ended = receive(frames, &self.traffic, wrap, &self.inbox).await;
                // Nothing is said on this connection, but dropping the writer would close it at the
                // other end.
                drop(writer);
                ended
            }
        }
    }

    /// Answers an operator's messages, one after the other.
    async fn serve_operator(
        &self,
        mut frames: Frames<OwnedReadHalf>,
        mut writer: OwnedWriteHalf,
    ) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        while let Incoming::Message(message, _) = frames.next().await? {
            let (answer, answered) = oneshot::channel();
            let asked = self.inbox.send(LoopInput::Operator(message, answer)).await;
            asked.map_err(|_| gone())?;
            let answer = answered.await.map_err(|_| gone())?;
            writer.write_all(&frame(&[&codec::encode(&answer)])).await?;
        }
        Ok(())
    }

    async fn serve_client(
        &self,
        id: ClientId,
        connection: u64,
        frames: Frames<OwnedReadHalf>,
        writer: OwnedWriteHalf,
    ) -> io::Result<()> {
        let mailbox = Arc::new(Mailbox::new(CLIENT_QUEUE, self.traffic.clone()));
        let came = LoopInput::Connected(id, connection, mailbox.clone());
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.inbox.send(came).await.map_err(|_| gone())?;
        let wrap = |message| LoopInput::Client(id, message);
        let ended = tokio::select! {
            ended = receive(frames, &self.traffic, wrap, &self.inbox) => ended,
            ended = mailbox.write_to(writer) => ended,
        };
        let left = LoopInput::Disconnected(id, connection);
        self.inbox.send(left).await.map_err(|_| gone())?;
        ended
    }
}
