//! How a client begins: greetings that tell it the time, and numbers for its requests.

use super::{ClientEngine, ClientOutbox};
use crate::answer::ClientMessage;
use crate::oracle::Oracle;
use crate::time::LocalTime;

impl<O: Oracle> ClientEngine<O> {
    /// Asks the groups for their time, so that the first session is not born expired.
    pub(super) fn greet(&mut self, now: LocalTime, out: &mut ClientOutbox) {
        let due = self
            .greeted_at
            .is_none_or(|at| now >= at + self.settings.resend);
        if self.ungreeted.is_empty() || !due {
            return;
        }
        if let Some(at) = self.greeted_at {
            self.ungreeted
                .iter()
                .for_each(|group| self.contacts.suspect(now, group, at));
        } else {
            self.first_greeting = now;
        }
        self.greeted_at = Some(now);
        for group in self.ungreeted.iter() {
            out.messages
                .push((self.contacts.leader(group), ClientMessage::Hello));
        }
    }

    /// Whether the time is known: from every group, or after a while from one.
    pub(super) fn greeted(&self, now: LocalTime) -> bool {
        let some = self.ungreeted != self.placement.topology().groups();
        self.ungreeted.is_empty() || (some && now >= self.first_greeting + 4 * self.settings.resend)
    }

    /// Starts as many waiting tasks as there are free numbers.
    pub(super) fn admit(&mut self, now: LocalTime, out: &mut ClientOutbox) {
        if self.waiting.is_empty() {
            return;
        }
        if self.ungreeted.is_empty() && self.sessions.is_out_of_touch(now) {
            self.ungreeted = self.placement.topology().groups();
            self.greeted_at = None;
        }
        if !self.greeted(now) {
            self.greet(now, out);
            return;
        }
        while let Some(ticket) = self.waiting.pop_front() {
            let Some(task) = self.tasks.get_mut(&ticket) else {
                continue;
            };
            let Some((session, number)) = self.sessions.allot() else {
                self.waiting.push_front(ticket);
                return;
            };
            task.number = Some((session, number));
            task.attempt = 0;
            self.numbers.insert((session, number), ticket);
            self.plan(now, ticket, out);
        }
    }
}
