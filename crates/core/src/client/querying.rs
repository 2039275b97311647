//! Before the first attempt of a read: whether the leader of the one partition that has its objects answers it alone.
//!
//! A query has no effect, so nothing is owed to it: declined or unanswered, the request goes the ordered way.

use super::task::Stage;
use super::{ClientEngine, ClientOutbox};
use crate::answer::ClientMessage;
use crate::command::CommandId;
use crate::id::Groups;
use crate::oracle::Oracle;
use crate::read::{Query, Reads};
use crate::time::LocalTime;
use std::sync::Arc;

impl<O: Oracle> ClientEngine<O> {
    /// Makes a query of the request if it can be one and was not. Returns whether it did.
    pub(super) fn query(
        &mut self,
        now: LocalTime,
        ticket: u64,
        groups: Groups,
        out: &mut ClientOutbox,
    ) -> bool {
        let reads = self.settings.reads;
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return false;
        };
        let only = groups
            .first()
            .filter(|group| groups.len() == 1 && group.partition().is_some());
        let fresh = reads != Reads::Ordered && !task.queried && task.attempt == 0;
        let (Some(group), Some((session, number))) = (only.filter(|_| fresh), task.number) else {
            return false;
        };
        if !Query::suits(&task.request) {
            return false;
        }
        task.queried = true;
        task.cost.groups += 1;
        let query = Arc::new(Query {
            id: CommandId {
                session,
                number,
                attempt: 0,
            },
            reads,
            request: task.request.clone(),
        });
        let to = self.contacts.leader(group);
        out.messages.push((to, ClientMessage::Query(query.clone())));
        let sent = now;
        task.stage = Stage::Querying { query, group, sent };
        true
    }

    /// A query that has waited too long is given up for an attempt.
    pub(super) fn stop_querying(&mut self, now: LocalTime, ticket: u64, out: &mut ClientOutbox) {
        let stage = self.tasks.get(&ticket).map(|task| &task.stage);
        if let Some(Stage::Querying { group, sent, .. }) = stage
            && now >= *sent + self.settings.resend
        {
            self.contacts.suspect(now, *group, *sent);
            self.plan(now, ticket, out);
        }
    }
}
