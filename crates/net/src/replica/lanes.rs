//! The two connections to one other replica, and whether it can be reached.
//!
//! Invariant: that it can be reached, or can no more, is said once each time that it changes,
//! however often it is dialled.

use crate::connection::{ConnectionState, ConnectionStates};
use crate::mailbox::Mailbox;
use crate::report::PeerReport;
use ssmr_core::ReplicaId;
use std::sync::Arc;
use tokio::sync::watch;

/// How one connection stands.
pub(super) type Standing = watch::Receiver<ConnectionStates>;

/// What waits for one replica, and how the connections to it stand.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) urgent: Arc<Mailbox>,
    pub(super) bulk: Arc<Mailbox>,
    pub(super) standings: [Standing; 2],
}

impl Lanes {
    /// How it is with them.
    pub(super) fn report(&self, replica: ReplicaId) -> PeerReport {
        PeerReport {
            replica,
            is_reachable: is_reachable(&self.standings, replica),
            urgent_bytes: self.urgent.unwritten() as u64,
            bulk_bytes: self.bulk.unwritten() as u64,
        }
    }
}

/// Whether a replica can be reached by one of its connections: not while one is down and none is
/// up; `None` if neither was tried.
fn is_reachable(standings: &[Standing; 2], replica: ReplicaId) -> Option<bool> {
    let states = standings.each_ref().map(|standing| standing.borrow());
    let mut states = states.iter().filter_map(|states| states.state(replica));
    if states.clone().any(ConnectionState::is_connected) {
        return Some(true);
    }
    let is_down = |state: &ConnectionState| matches!(state, ConnectionState::Down { .. });
    states.any(is_down).then_some(false)
}

/// Why a replica cannot be reached.
fn why(standings: &[Standing; 2], replica: ReplicaId) -> Option<String> {
    standings
        .iter()
        .find_map(|standing| match standing.borrow().state(replica) {
            Some(ConnectionState::Down { why }) => Some(why.to_string()),
            _ => None,
        })
}

/// Says whether `replica` can be reached by `id`, as it changes, until the connections are gone.
pub(super) async fn say_if_reachable(id: ReplicaId, replica: ReplicaId, standings: [Standing; 2]) {
    let mut said = None;
    let mut standings = standings;
    loop {
        let reachable = is_reachable(&standings, replica);
        if let Some(now) = reachable.filter(|_| reachable != said) {
            match (now, said) {
                (true, None) => tracing::info!(%id, peer = %replica, "a replica is reached"),
                (true, Some(_)) => tracing::info!(%id, peer = %replica, "a replica is back"),
                (false, _) => {
                    let why = why(&standings, replica);
                    tracing::info!(%id, peer = %replica, why, "a replica is unreachable");
                }
            }
            said = reachable;
        }
        let [urgent, bulk] = &mut standings;
        let changed = tokio::select! {
            changed = urgent.changed() => changed,
            changed = bulk.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::error::ConnectError;
    use crate::peer::Peer;
    use ssmr_core::GroupId;
    use std::net::SocketAddr;

    #[test]
    fn a_replica_is_reachable_by_one_connection_and_not_while_one_is_down_and_none_up() {
        let replica = ReplicaId {
            group: GroupId::ORACLE,
            index: 1,
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let peer = Peer {
            replica,
            address: address.into(),
        };
        let channel = || watch::channel(ConnectionStates::new([peer.clone()].into_iter()));
        let ((urgent, first), (bulk, second)) = (channel(), channel());
        let standings = [first, second];
        let note = |lane: &watch::Sender<ConnectionStates>, state: ConnectionState| {
            lane.send_modify(|states| states.note(replica, state));
            is_reachable(&standings, replica)
        };
        let clock = Clock::start();
        let up = || ConnectionState::Connected {
            since: clock.instant(clock.now()),
        };
        let down = || ConnectionState::Down {
            why: ConnectError::unreachable(&peer, std::io::ErrorKind::ConnectionRefused.into()),
        };
        assert_eq!(is_reachable(&standings, replica), None);
        assert_eq!(note(&urgent, ConnectionState::Dialling), None);
        assert_eq!(note(&urgent, up()), Some(true));
        assert_eq!(note(&bulk, down()), Some(true));
        assert_eq!(note(&urgent, down()), Some(false));
        assert_eq!(note(&urgent, ConnectionState::Dialling), Some(false));
        assert!(why(&standings, replica).is_some());
        assert_eq!(note(&bulk, up()), Some(true));
    }
}
