//! What clients are told: at once when they ask, or with the answer to a command, and what is known
//! besides of where objects are.

use super::partition::Partition;
use super::{CommandKind, Replica, ReplicaOutbox, Reply};
use crate::answer::{ServerMessage, Verdict};
use crate::command::Command;
use crate::id::{Groups, Hint, ObjectId};
use crate::multicast::{ConfirmedReads, Refusal, Snapshots};
use crate::request::{Defect, Intent, Request};
use crate::time::LocalTime;
use std::sync::Arc;

impl<M: ConfirmedReads + Snapshots, P: Partition> Replica<M, P> {
    /// Takes a command in. Returns what the client is told at once, if anything.
    pub(super) fn submit(
        &mut self,
        now: LocalTime,
        command: Arc<Command>,
    ) -> Option<ServerMessage> {
        let id = command.id;
        let here = command.destinations.contains(self.id.group);
        let defect = command.defect(&self.placement);
        if let Some(defect) = defect.or((!here).then_some(Defect::Malformed)) {
            return Some(ServerMessage::Refused { id, defect });
        }
        let command = command.with_digest();
        if let Some(answer) = self.partition.recorded(id).cloned() {
            let hints = Vec::new();
            return Some(self.answer_message(Reply {
                answer,
                command,
                hints,
            }));
        }
        if let Some(told) = self.early.told(command.message_id()).cloned() {
            return Some(self.answer_message(told));
        }
        match self.multicast.submit(now, command) {
            Ok(()) | Err(Refusal::Busy) => None,
            Err(Refusal::NotLeader) => Some(ServerMessage::NotLeader {
                leader: self.multicast.status().leader,
            }),
            Err(Refusal::Expired) => Some(ServerMessage::Expired {
                id,
                time: self.multicast.status().log_time,
            }),
        }
    }

    /// A client reads published values, if this replica leads: nobody else publishes any.
    pub(super) fn wanted(&mut self, now: LocalTime, object: ObjectId) {
        if self.is_leader() {
            self.hooks
                .on_wanted(now, object, self.partition.held(object));
        }
    }

    pub(super) fn consult(&mut self, objects: &[ObjectId]) -> ServerMessage {
        let (mut hints, mut unknown) = (Vec::new(), Vec::new());
        for &object in objects {
            match self.believe(object) {
                Some(hint) => hints.push(hint),
                None => unknown.push(object),
            }
        }
        ServerMessage::Consulted { hints, unknown }
    }

    /// The newest of what the ordered state and the hints say of an object's place. That it is
    /// here, only the ordered state can say.
    pub(super) fn believe(&mut self, object: ObjectId) -> Option<Hint> {
        let ordered = self.partition.locate(object);
        let here = self.id.group.partition();
        let newest = self.hints.newest(object, ordered);
        newest.filter(|hint| here != Some(hint.owner)).or(ordered)
    }

    /// The hints that go with an answer: a client whose plan failed must learn what is known here.
    /// After a retry it is not sent to one of the groups that were `tried`: their signals refute
    /// that the object is there.
    pub(super) fn known_hints(
        &mut self,
        request: &Request,
        tried: Groups,
        verdict: Verdict,
        mut hints: Vec<Hint>,
    ) -> Vec<Hint> {
        let is_retry = verdict == Verdict::Retry;
        let was_tried = |owner| tried.iter().any(|group| group.partition() == Some(owner));
        for (object, intent) in request.intents() {
            let asked = is_retry || matches!(intent, Intent::Lookup);
            if asked && hints.iter().all(|hint| hint.object != *object) {
                let believed = self.believe(*object);
                hints.extend(believed.filter(|hint| !(is_retry && was_tried(hint.owner))));
            }
        }
        hints
    }

    pub(super) fn send_answer(&mut self, reply: Reply, out: &mut ReplicaOutbox<M>) {
        let kind = CommandKind::of(&reply.command.request);
        self.tally.add(kind, reply.answer.verdict);
        let client = reply.answer.id.session.client;
        let message = self.answer_message(reply);
        out.clients.push((client, message));
    }

    /// An answer with what is known of the objects' places besides.
    fn answer_message(&mut self, reply: Reply) -> ServerMessage {
        let Reply {
            answer,
            command,
            hints,
        } = reply;
        let (request, tried) = (&command.request, command.destinations);
        let hints = self.known_hints(request, tried, answer.verdict, hints);
        let time = self.multicast.status().log_time;
        ServerMessage::Answer {
            answer,
            hints,
            time,
        }
    }
}
