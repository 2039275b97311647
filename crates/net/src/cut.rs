//! Cuts: what is dropped on purpose of what a replica hears and says.
//!
//! Messages are lost while connections stay, as on a network that fails; nobody is told.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whom a replica is cut off from, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cut {
    /// From all other replicas, in both directions. Clients still reach it.
    Peers,
    /// It does not hear the other replicas, and they hear it.
    FromPeers,
    /// The other replicas do not hear it, and it hears them.
    ToPeers,
    /// From all clients, in both directions. Other replicas still reach it.
    Clients,
}

/// The cuts of one replica, set from outside while it runs.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    from_peers: AtomicBool,
    to_peers: AtomicBool,
    clients: AtomicBool,
}

impl Cuts {
    /// Begins or ends a cut. [`Cut::Peers`] is the other two of peers at once.
    pub(crate) fn set(&self, cut: Cut, off: bool) {
        let switches = match cut {
            Cut::Peers => &[&self.from_peers, &self.to_peers][..],
            Cut::FromPeers => &[&self.from_peers],
            Cut::ToPeers => &[&self.to_peers],
            Cut::Clients => &[&self.clients],
        };
        switches
            .iter()
            .for_each(|switch| switch.store(off, Relaxed));
    }

    /// Whether what other replicas say is dropped.
    pub(crate) fn drops_from_peers(&self) -> bool {
        self.from_peers.load(Relaxed)
    }

    /// Whether what is said to other replicas is dropped.
    pub(crate) fn drops_to_peers(&self) -> bool {
        self.to_peers.load(Relaxed)
    }

    /// Whether what clients and the replica say to each other is dropped.
    pub(crate) fn drops_clients(&self) -> bool {
        self.clients.load(Relaxed)
    }
}
