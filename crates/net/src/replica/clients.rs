//! The connections of clients: a bounded number, each of which may fill a bounded part of memory.
//!
//! ```text
//!   client --> requests --> at most so many at once, so many bytes of all clients --> inbox
//!   client <-- answers  <-- mailbox: at most so many bytes, so many of all clients <-- event loop
//! ```
//!
//! A client that does not read is not read from either, so it comes to a stop by itself: what it
//! holds is what one client may, and it takes no time of anybody.

use super::input::{LoopInput, Room};
use crate::delay_line::Pipe;
use crate::greeting::Refusal;
use crate::limits::ConnectionLimits;
use crate::location::Location;
use crate::mailbox::{Mailbox, Together};
use crate::network::Party;
use crate::traffic::Traffic;
use crate::wire::{Frames, Incoming, MAX_CLIENT_FRAME, PREFIX, decode, invalid};
use ssmr_core::limits::MAX_OBJECTS;
use ssmr_core::{ClientId, ClientMessage};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

/// Requests of more bytes than this are counted while they are read.
const LARGE: usize = 16 << 10;

/// What the connections of all clients share.
#[derive(Debug)]
pub(super) struct Clients {
    limits: ConnectionLimits,
    /// One for each client that may still come.
    places: Arc<Semaphore>,
    /// The bytes of large requests that may still be read.
    requests: Arc<Semaphore>,
    unread: Together,
    inbox: mpsc::Sender<LoopInput>,
    traffic: Arc<Traffic>,
    /// That of their replica.
    location: Location,
}

/// A client's place, until it is dropped.
pub(super) type ClientPlace = OwnedSemaphorePermit;

impl Clients {
    /// No clients yet of the replica at this location.
    pub(super) fn new(
        limits: ConnectionLimits,
        unread: Together,
        inbox: mpsc::Sender<LoopInput>,
        traffic: Arc<Traffic>,
        location: Location,
    ) -> Self {
        // One request at its bound must fit, or it would wait for ever.
        let requests = limits.requests_together.max(MAX_CLIENT_FRAME);
        Self {
            limits,
            places: Arc::new(Semaphore::new(limits.clients)),
            requests: Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))),
            unread,
            inbox,
            traffic,
            location,
        }
    }

    /// A place for one more.
    pub(super) fn admit(&self) -> Result<ClientPlace, Refusal> {
        let limit = self.limits.clients;
        let place = self.places.clone().try_acquire_owned();
        place.map_err(|_| Refusal::Full { limit })
    }

    /// Takes requests of a client and writes answers, until either comes to an end.
    pub(super) async fn serve(
        &self,
        id: ClientId,
        connection: u64,
        frames: Frames<impl AsyncRead + Unpin>,
        writer: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let ConnectionLimits { unread, stall, .. } = self.limits;
        let together = self.unread.clone();
        let mailbox = Mailbox::among(unread, stall, together, self.traffic.clone());
        let way = self.location.way_to(Party::Client(id), 0, &Pipe::default());
        let mailbox = Arc::new(mailbox.over(way, self.location.clock));
        let came = LoopInput::Connected(id, connection, mailbox.clone());
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.inbox.send(came).await.map_err(|_| gone())?;
        let ended = tokio::select! {
            ended = self.receive(id, frames, &mailbox) => ended,
            ended = mailbox.write_to(writer) => ended,
        };
        let left = LoopInput::Disconnected(id, connection);
        self.inbox.send(left).await.map_err(|_| gone())?;
        ended
    }

    /// Hands on what the client asks, while it reads what it is answered.
    async fn receive(
        &self,
        id: ClientId,
        mut frames: Frames<impl AsyncRead + Unpin>,
        mailbox: &Mailbox,
    ) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let turns = Arc::new(Semaphore::new(self.limits.waiting.max(1)));
        loop {
            mailbox.has_room().await;
            let turn = turns.clone().acquire_owned().await.map_err(|_| gone())?;
            let length = frames.length().await?;
            let room = Room {
                _turn: turn,
                _bytes: self.bytes(length).await,
            };
            let late = |_| invalid("a request is not there whole in time");
            let body = timeout(self.limits.request_time, frames.next_frame()).await;
            let Incoming::Message(message, _) = decode::<ClientMessage>(&body.map_err(late)??)?
            else {
                return Ok(());
            };
            self.traffic.received(length + PREFIX);
            if let ClientMessage::Consult(objects) = &message
                && objects.len() > MAX_OBJECTS
            {
                let asked = objects.len();
                return Err(invalid(&format!(
                    "it asks for the places of {asked} objects: {MAX_OBJECTS} may be"
                )));
            }
            let request = LoopInput::Client(id, message, room);
            self.inbox.send(request).await.map_err(|_| gone())?;
        }
    }

    /// Waits until a request of this length may be read.
    async fn bytes(&self, length: usize) -> Option<OwnedSemaphorePermit> {
        let counted = u32::try_from(length).ok().filter(|_| length > LARGE)?;
        // It is never closed.
        self.requests.clone().acquire_many_owned(counted).await.ok()
    }
}
