//! The clients that are connected, and what they have not read.

use crate::mailbox::{Mailbox, Together};
use ssmr_core::{ClientId, ServerMessage};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The newest connection of each client.
#[derive(Debug)]
pub(super) struct Connected {
    clients: BTreeMap<ClientId, (u64, Arc<Mailbox>)>,
    /// What waits in all their mailboxes.
    unread: Together,
    limit: usize,
}

impl Connected {
    /// Nobody yet. All together may leave `limit` bytes of what they are sent unread, which is
    /// counted in `unread`.
    pub(super) fn new(unread: Together, limit: usize) -> Self {
        Self {
            clients: BTreeMap::new(),
            unread,
            limit,
        }
    }

    /// A client came, on the connection of this number. An older one of the same client is closed.
    pub(super) fn came(&mut self, client: ClientId, connection: u64, mailbox: Arc<Mailbox>) {
        if let Some((_, older)) = self.clients.insert(client, (connection, mailbox)) {
            older.close("the client has a newer connection");
        }
    }

    /// A client's connection of this number has ended.
    pub(super) fn left(&mut self, client: ClientId, connection: u64) {
        let newest = self.clients.get(&client).map(|(newest, _)| *newest);
        if newest == Some(connection) {
            self.clients.remove(&client);
        }
    }

    /// Sends a message to a client, if it is there. Where all have left too much unread, the one
    /// that has left the most loses its connection.
    pub(super) fn send(&mut self, to: ClientId, message: &ServerMessage) {
        if let Some((_, mailbox)) = self.clients.get(&to) {
            mailbox.push(message);
        }
        while self.unread.load(Relaxed) > self.limit {
            let mailboxes = self.clients.values().map(|(_, mailbox)| mailbox);
            let largest = mailboxes.max_by_key(|mailbox| mailbox.unwritten());
            let Some(largest) = largest.filter(|mailbox| mailbox.unwritten() > 0) else {
                return;
            };
            largest.close("it has left the most unread, and all together too much");
        }
    }

    /// How many bytes all have left unread.
    pub(super) fn unread(&self) -> usize {
        self.unread.load(Relaxed)
    }

    /// Says farewell to all.
    pub(super) fn end(&self) {
        self.clients.values().for_each(|(_, mailbox)| mailbox.end());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::STALL;
    use ssmr_core::LogTime;

    const MESSAGE: ServerMessage = ServerMessage::Time(LogTime::ZERO);

    struct Setting {
        unread: Together,
        connected: Connected,
        mailboxes: Vec<Arc<Mailbox>>,
    }

    /// So many clients, with ids from 0, whose messages nobody writes.
    fn setting(count: u64, limit: usize) -> Setting {
        let unread = Together::default();
        let mut connected = Connected::new(unread.clone(), limit);
        let mailbox = || Mailbox::among(1 << 20, STALL, unread.clone(), Arc::default());
        let mailboxes: Vec<_> = (0..count).map(|_| Arc::new(mailbox())).collect();
        for (id, mailbox) in (0..).zip(&mailboxes) {
            connected.came(ClientId(id), id, mailbox.clone());
        }
        Setting {
            unread,
            connected,
            mailboxes,
        }
    }

    fn unread(setting: &Setting) -> Vec<usize> {
        setting.mailboxes.iter().map(|it| it.unwritten()).collect()
    }

    #[test]
    fn who_reads_the_least_gives_way_when_all_together_read_too_little() {
        let mut one = setting(1, usize::MAX);
        one.connected.send(ClientId(0), &MESSAGE);
        let size = one.mailboxes[0].unwritten();
        let mut setting = setting(3, 4 * size);
        for to in [1, 0, 1, 2] {
            setting.connected.send(ClientId(to), &MESSAGE);
        }
        assert_eq!(unread(&setting), [size, 2 * size, size]);
        setting.connected.send(ClientId(2), &MESSAGE);
        // One of those that left most unread lost it all; it takes nothing any more.
        assert_eq!(unread(&setting), [size, 2 * size, 0]);
        assert_eq!(setting.unread.load(Relaxed), 3 * size);
        setting.connected.send(ClientId(2), &MESSAGE);
        assert_eq!(unread(&setting)[2], 0);
        setting.connected.send(ClientId(0), &MESSAGE);
        assert_eq!(unread(&setting), [2 * size, 2 * size, 0]);
    }

    #[test]
    fn a_newer_connection_of_a_client_takes_the_place_of_the_older_one() {
        let mut setting = setting(2, usize::MAX);
        let [older, newer] = &setting.mailboxes[..] else {
            unreachable!()
        };
        setting.connected.came(ClientId(0), 7, newer.clone());
        setting.connected.left(ClientId(0), 0);
        setting.connected.send(ClientId(0), &MESSAGE);
        assert!(older.unwritten() == 0 && newer.unwritten() > 0);
        older.push(&MESSAGE);
        assert_eq!(older.unwritten(), 0);
    }
}
