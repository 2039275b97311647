//! The other replicas: two connections to each.
//!
//! What may be large goes through one of them, and what leaders are heard by through the other: a
//! heartbeat behind 16 MiB of values would come too late on a slow network. Each connection keeps
//! its order; messages on different ones overtake each other, which the protocol allows for. On an
//! emulated network they share the bandwidth to that replica.

use super::input::LoopInput;
use super::lanes::{Lanes, say_if_reachable};
use crate::connection::ConnectionStates;
use crate::delay_line::Pipe;
use crate::link::{Dialling, OutgoingConnection};
use crate::location::Location;
use crate::mailbox::Mailbox;
use crate::network::Party;
use crate::participant::Participant;
use crate::peer::Peer;
use crate::report::PeerReport;
use crate::traffic::Traffic;
use serde::Deserialize;
use ssmr_core::{PeerMessage, ReplicaId};
use ssmr_multicast::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// How many bytes of large messages may wait for a peer that reads slowly. Consensus and multicast
/// send again what is dropped; what waits here is late, and newer copies of it wait behind it.
const BULK: usize = 16 << 20;
/// How many bytes of other messages may wait for it.
const URGENT: usize = 1 << 20;

/// What a peer may say on a connection that it accepted: nothing.
#[derive(Debug, Deserialize)]
enum Nothing {}

/// The other replicas of the cluster.
#[derive(Debug)]
pub(super) struct Peers(BTreeMap<ReplicaId, Lanes>);

impl Peers {
    /// Starts the connections of replica `id`. They are dialled when there is something to say.
    pub(super) fn start(
        id: ReplicaId,
        peers: &[Peer],
        location: &Location,
        participant: &Arc<Participant>,
        inbox: &mpsc::Sender<LoopInput>,
        traffic: &Arc<Traffic>,
    ) -> Self {
        let dial = |peer: &Peer, limit, lane, pipe: &Pipe| {
            let states = ConnectionStates::new([peer.clone()].into_iter());
            let (states, standing) = watch::channel(states);
            let (there, clock) = (Party::Replica(peer.replica), location.clock);
            let way = location.way_to(there, lane, pipe);
            let mailbox = Arc::new(Mailbox::new(limit, traffic.clone()).over(way, clock));
            let link = OutgoingConnection {
                peer: peer.clone(),
                participant: participant.clone(),
                dialling: Dialling::WhenNeeded,
                mailbox: mailbox.clone(),
                traffic: traffic.clone(),
                states,
                clock,
                handshake: location.handshake(there),
            };
            tokio::spawn(link.run(|nothing: Nothing| match nothing {}, inbox.clone()));
            (mailbox, standing)
        };
        let lanes = |peer: &Peer| {
            let pipe = Pipe::default();
            let (urgent, first) = dial(peer, URGENT, 0, &pipe);
            let (bulk, second) = dial(peer, BULK, 1, &pipe);
            let standings = [first, second];
            tokio::spawn(say_if_reachable(id, peer.replica, standings.clone()));
            let lanes = Lanes {
                urgent,
                bulk,
                standings,
            };
            (peer.replica, lanes)
        };
        Self(peers.iter().map(lanes).collect())
    }

    /// How it is with all of them.
    pub(super) fn report(&self) -> Vec<PeerReport> {
        let report = |(id, lanes): (&ReplicaId, &Lanes)| lanes.report(*id);
        self.0.iter().map(report).collect()
    }

    /// Sends a message to another replica.
    pub(super) fn send(&self, to: ReplicaId, message: &PeerMessage<Message>) {
        let Some(lanes) = self.0.get(&to) else {
            return;
        };
        let bulk = match message {
            PeerMessage::Multicast(message) => message.is_bulk(),
            PeerMessage::Hints(_) => true,
        };
        let lane = if bulk { &lanes.bulk } else { &lanes.urgent };
        lane.push(message);
    }
}
