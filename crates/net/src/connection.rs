//! How the connections of a client stand: connected to whom, since when, why not.

use crate::error::ConnectError;
use crate::peer::Peer;
use ssmr_core::{GroupId, ReplicaId};
use std::collections::BTreeMap;
use std::time::Instant;

/// A connection of a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connection {
    /// The other end.
    pub peer: Peer,
    /// How it stands.
    pub state: ConnectionState,
}

/// How a connection stands.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Nobody has needed it yet.
    #[default]
    NotDialled,
    /// It is being dialled for the first time.
    Dialling,
    /// It is up: the other end has introduced itself as it should.
    Connected {
        /// Since when.
        since: Instant,
    },
    /// It is down, and dialled again now and then.
    Down {
        /// What went wrong last.
        why: ConnectError,
    },
}

impl ConnectionState {
    /// Whether it is up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }
}

/// How all connections of one client stand, as they change.
#[derive(Debug, Default)]
pub(crate) struct ConnectionStates {
    connections: BTreeMap<ReplicaId, Connection>,
    /// A replica has said that the cluster was shut down.
    pub(crate) is_shut_down: bool,
}

impl ConnectionStates {
    /// Connections to these replicas, none of which was dialled yet.
    pub(crate) fn new(peers: impl Iterator<Item = Peer>) -> Self {
        let state = ConnectionState::NotDialled;
        let connection = |peer: Peer| {
            let state = state.clone();
            (peer.replica, Connection { peer, state })
        };
        Self {
            connections: peers.map(connection).collect(),
            is_shut_down: false,
        }
    }

    /// Notes how a connection stands.
    pub(crate) fn note(&mut self, replica: ReplicaId, state: ConnectionState) {
        if let ConnectionState::Down {
            why: ConnectError::ShutDown { .. },
        } = &state
        {
            self.is_shut_down = true;
        }
        if let Some(connection) = self.connections.get_mut(&replica) {
            connection.state = state;
        }
    }

    /// How a connection stands.
    pub(crate) fn state(&self, replica: ReplicaId) -> Option<&ConnectionState> {
        Some(&self.connections.get(&replica)?.state)
    }

    /// All connections.
    pub(crate) fn list(&self) -> Vec<Connection> {
        self.connections.values().cloned().collect()
    }

    /// Whether a client can work: `Some(Ok)` with a connection to each group; `Some(Err)` once some
    /// group's replicas have all been tried and one of them is not what was expected; `None` while
    /// that is open.
    pub(crate) fn usable(&self) -> Option<Result<(), ConnectError>> {
        let mut open = false;
        for group in self.groups() {
            if self.of(group).any(ConnectionState::is_connected) {
                continue;
            }
            open = true;
            let all_tried = self.failures(group).count() == self.of(group).count();
            let mut mismatches = self.failures(group).filter(|why| why.is_mismatch());
            if let Some(why) = mismatches.next().filter(|_| all_tried) {
                return Some(Err(why.clone()));
            }
        }
        (!open).then_some(Ok(()))
    }

    /// Why the first group that cannot be reached cannot.
    pub(crate) fn first_failure(&self) -> Option<ConnectError> {
        let mut unreached = self
            .groups()
            .filter(|group| !self.of(*group).any(ConnectionState::is_connected));
        let group = unreached.next()?;
        let mismatch = self.failures(group).find(|why| why.is_mismatch());
        let why = mismatch.or_else(|| self.failures(group).next());
        let silent = || {
            let mut members = self.connections.values();
            let first = members.find(|connection| connection.peer.replica.group == group)?;
            let waited = std::io::ErrorKind::TimedOut.into();
            Some(ConnectError::unreachable(&first.peer, waited))
        };
        why.cloned().or_else(silent)
    }

    fn groups(&self) -> impl Iterator<Item = GroupId> {
        let mut groups: Vec<GroupId> = self.connections.keys().map(|id| id.group).collect();
        groups.dedup();
        groups.into_iter()
    }

    fn of(&self, group: GroupId) -> impl Iterator<Item = &ConnectionState> {
        let members = self.connections.range(
            ReplicaId { group, index: 0 }..=ReplicaId {
                group,
                index: u8::MAX,
            },
        );
        members.map(|(_, connection)| &connection.state)
    }

    fn failures(&self, group: GroupId) -> impl Iterator<Item = &ConnectError> {
        self.of(group).filter_map(|state| match state {
            ConnectionState::Down { why } => Some(why),
            _ => None,
        })
    }
}
