//! What strangers may take of one replica: how many connections, and how much memory.
//!
//! Bounds of single messages are core's ([`ssmr_core::limits`]). `docs/limits.md` lists all bounds
//! with what happens at each.

use std::time::Duration;

/// How many connections one replica holds, and what they may fill. Each limit has a default; what
/// happens at it is said beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// Clients that are connected at a time: 16,384, or fewer where the process may not open so
    /// many files. One more is refused by name, and tries again.
    pub clients: usize,
    /// Connections that have not introduced themselves yet: 8,192. The oldest gives way to a new
    /// one. Each has five seconds.
    pub ungreeted: usize,
    /// Connections of operators: 16. The oldest gives way to a new one.
    pub operators: usize,
    /// Connections of each other replica: 8, of which it uses two. The oldest gives way to a new
    /// one.
    pub per_replica: usize,
    /// Bytes of answers that one client has not read: 8 MiB. No request is read from a client that
    /// has not read half of it; answers beyond it are dropped, and the client asks again.
    pub unread: usize,
    /// Bytes of answers that all clients together have not read: 256 MiB. Beyond it the one that
    /// has read the least loses its connection.
    pub unread_together: usize,
    /// How long a connection may take nothing of what waits for it: 30 s. Then it is closed.
    pub stall: Duration,
    /// Requests of one client that are read and not taken yet: 256. It is not read from until some
    /// are.
    pub waiting: usize,
    /// Bytes of large requests that are being read, of all clients together: 256 MiB. Requests of
    /// up to 16 KiB are not counted; larger ones wait for their turn.
    pub requests_together: usize,
    /// How long a request may take from its first byte to its last: 60 s. Then the connection is
    /// closed.
    pub request_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            clients: 16_384,
            ungreeted: 8_192,
            operators: 16,
            per_replica: 8,
            unread: 8 << 20,
            unread_together: 256 << 20,
            stall: STALL,
            waiting: 256,
            requests_together: 256 << 20,
            request_time: Duration::from_secs(60),
        }
    }
}

/// Files that a replica needs for other things than clients and strangers: its log, and two
/// connections to and from each of a few dozen replicas.
const OTHER_FILES: usize = 512;

impl ConnectionLimits {
    /// These limits, where the process may open so many files.
    pub(crate) fn within(self, files: u64) -> Self {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let room = files.saturating_sub(OTHER_FILES).max(2);
        let ungreeted = self.ungreeted.min(room / 2);
        let clients = self.clients.min(room - ungreeted);
        if (clients, ungreeted) != (self.clients, self.ungreeted) {
            tracing::warn!(
                files,
                clients,
                ungreeted,
                "few files may be opened: fewer clients"
            );
        }
        Self {
            clients,
            ungreeted,
            ..self
        }
    }
}

/// How long the other end of any connection may take nothing of what waits for it.
pub(crate) const STALL: Duration = Duration::from_secs(30);

/// How long the other end may take for its greeting.
pub(crate) const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_files_leave_room_for_few_clients_and_the_log() {
        let limits = ConnectionLimits::default();
        assert_eq!(limits.within(u64::MAX), limits);
        for (files, clients, ungreeted) in [
            (30_000, 16_384, 8_192),
            (20_000, 11_296, 8_192),
            (1024, 256, 256),
            (100, 1, 1),
        ] {
            let within = limits.within(files);
            assert_eq!((within.clients, within.ungreeted), (clients, ungreeted));
        }
    }
}
