//! What happens when no answer comes: the same attempt again, to whoever may lead by now, until one does (rule R5).

use super::task::{Stage, patience};
use super::{ClientEngine, ClientOutbox};
use crate::answer::{ClientMessage, Outcome};
use crate::id::ReplicaId;
use crate::mutant::{self, Mutant};
use crate::oracle::{Guess, Oracle};
use crate::time::LocalTime;

impl<O: Oracle> ClientEngine<O> {
    /// Sends what has waited too long again.
    pub(super) fn repeat(&mut self, now: LocalTime, ticket: u64, out: &mut ClientOutbox) {
        let base = self.settings.resend;
        self.stop_querying(now, ticket, out);
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        match &mut task.stage {
            Stage::Attempting {
                command,
                sent,
                repeats,
            } if now >= *sent + patience(base, *repeats) => {
                let (command, before) = (command.clone(), *sent);
                *sent = now;
                *repeats += 1;
                if mutant::is_active(Mutant::AbandonAttempts) {
                    self.renumber(now, ticket, out);
                    return;
                }
                for group in command.destinations.iter() {
                    self.contacts.suspect(now, group, before);
                    let to = self.contacts.leader(group);
                    out.messages
                        .push((to, ClientMessage::Submit(command.clone())));
                }
            }
            Stage::Consulting {
                missing,
                asked,
                repeats,
            } if now >= *asked + patience(base, *repeats) => {
                let (objects, before): (Vec<_>, _) = (missing.iter().copied().collect(), *asked);
                *asked = now;
                *repeats += 1;
                for object in objects {
                    if let Guess::Ask(groups)
                    | Guess::Shared {
                        otherwise: groups, ..
                    } = self.placement.guess(object)
                    {
                        groups
                            .iter()
                            .for_each(|group| self.contacts.suspect(now, group, before));
                    }
                    self.consult(object, false, out);
                }
            }
            _ => {}
        }
    }

    /// A replica has named another leader: what its group was sent goes there at once.
    pub(super) fn resend_to(&mut self, now: LocalTime, from: ReplicaId, out: &mut ClientOutbox) {
        let to = self.contacts.leader(from.group);
        for task in self.tasks.values_mut() {
            let (sent, message) = match &mut task.stage {
                Stage::Attempting { command, sent, .. }
                    if command.destinations.contains(from.group) =>
                {
                    (sent, ClientMessage::Submit(command.clone()))
                }
                Stage::Querying { query, group, sent } if *group == from.group => {
                    (sent, ClientMessage::Query(query.clone()))
                }
                _ => continue,
            };
            *sent = now;
            out.messages.push((to, message));
        }
    }

    /// Tells the user that the outcome is unknown once the deadline has passed. A request without an attempt is dropped;
    /// an attempt goes on until it is answered, for only that lets the session's low watermark pass.
    pub(super) fn give_up_when_due(&mut self, now: LocalTime, ticket: u64) {
        let Some(task) = self.tasks.get_mut(&ticket) else {
            return;
        };
        if task.parent.is_some() || task.given_up || now < task.invoked + self.settings.deadline {
            return;
        }
        task.given_up = true;
        let completion = task.completion(ticket, now, Outcome::Unknown, None);
        let unsent = matches!(
            task.stage,
            Stage::Waiting | Stage::Consulting { .. } | Stage::Querying { .. }
        );
        if unsent
            && let Some(task) = self.tasks.remove(&ticket)
            && let Some((session, number)) = task.number
        {
            self.numbers.remove(&(session, number));
            self.sessions.answered(session, number);
        }
        self.completed.push_back(completion);
    }
}
