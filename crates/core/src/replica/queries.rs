//! Reads that are not ordered, at the replica that leads: they wait until it is sure of that, and
//! are answered or declined.

use super::engine::Engine;
use super::partition::{Partition, Reading};
use super::tally::CommandKind;
use super::{Replica, ReplicaOutbox};
use crate::answer::{Answer, ServerMessage, Touch, Verdict};
use crate::application::{Application, Operand, run};
use crate::id::{ClientId, Encoded, Groups, ObjectId, Timestamp};
use crate::limits::CLIENT_QUERIES;
use crate::multicast::{ConfirmedLeadership, ConfirmedReads, Snapshots};
use crate::mutant::{self, Mutant};
use crate::read::{Query, Reads};
use crate::time::{LocalTime, Micros};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many queries may wait; those beyond are declined.
const MOST: usize = 1 << 14;
/// How many bytes may be read in one round, unless a single query reads more. The others wait for
/// the next one.
const ROUND: u64 = 16 << 20;
/// How many of them for one client, unless a single query reads more: others come between.
const SHARE: u64 = 4 << 20;
/// A lease that ends sooner is renewed when it is used.
const SHORT: Micros = 200_000;

/// Queries that wait for their leader to be sure.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queries: Vec<(LocalTime, ClientId, Arc<Query>)>,
    /// How many of each client.
    counts: BTreeMap<ClientId, usize>,
}

impl Waiting {
    /// Whether one of this client may still wait.
    fn has_room(&self, client: ClientId) -> bool {
        let own = self.counts.get(&client).copied().unwrap_or_default();
        self.queries.len() < MOST && own < CLIENT_QUERIES
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.queries.len()
    }

    /// Since when the first of them waits.
    fn oldest(&self) -> Option<LocalTime> {
        self.queries.first().map(|(since, _, _)| *since)
    }

    fn push(&mut self, since: LocalTime, client: ClientId, query: Arc<Query>) {
        *self.counts.entry(client).or_default() += 1;
        self.queries.push((since, client, query));
    }
}

/// How many bytes were read in one round, of all clients and of each.
#[derive(Default)]
struct Round {
    bytes: u64,
    by_client: BTreeMap<ClientId, u64>,
}

impl Round {
    /// Whether a query of this client may still be read.
    fn has_room(&self, client: ClientId) -> bool {
        let own = self.by_client.get(&client).copied().unwrap_or_default();
        self.bytes < ROUND && own < SHARE
    }

    fn add(&mut self, client: ClientId, bytes: u64) {
        self.bytes += bytes;
        *self.by_client.entry(client).or_default() += bytes;
    }
}

impl<M: ConfirmedReads + Snapshots, P: Partition> Replica<M, P> {
    /// Takes a query in. Returns what the client is told at once, if anything.
    pub(super) fn query(
        &mut self,
        now: LocalTime,
        from: ClientId,
        query: Arc<Query>,
    ) -> Option<ServerMessage> {
        let id = query.id;
        if let Some(defect) = query.defect(self.placement.topology()) {
            return Some(ServerMessage::Refused { id, defect });
        }
        if !self.multicast.status().is_leader {
            let leader = self.multicast.status().leader;
            return Some(ServerMessage::NotLeader { leader });
        }
        if !self.waiting.has_room(from) {
            return Some(self.reply_to(&query, None));
        }
        let mut since = self.multicast.read_moment(now);
        if mutant::is_active(Mutant::ReusedConfirmations) {
            since = self.waiting.oldest().unwrap_or(since);
        }
        self.waiting.push(since, from, query);
        None
    }

    /// Answers the queries of which it is sure enough, and sees to it that it will be of the
    /// others. To be called when all that is committed is applied.
    pub(super) fn answer_queries(&mut self, now: LocalTime, out: &mut ReplicaOutbox<M>) {
        if self.waiting.queries.is_empty() {
            return;
        }
        if !self.multicast.status().is_leader {
            self.send_away(out);
            return;
        }
        let confirmed = self.multicast.confirmed_leadership(now);
        let leased = |query: &Query| query.reads == Reads::Lease;
        let sure = |confirmed: ConfirmedLeadership, since: LocalTime, query: &Query| {
            confirmed.confirmed_at >= since || leased(query) && confirmed.lease_until > now
        };
        let mut unsure = confirmed.is_none_or(|confirmed| {
            let short = confirmed.lease_until < now + SHORT;
            short
                && self
                    .waiting
                    .queries
                    .iter()
                    .any(|(_, _, query)| leased(query))
        });
        let mut round = Round::default();
        for (since, client, query) in std::mem::take(&mut self.waiting).queries {
            let sure = confirmed.is_some_and(|confirmed| sure(confirmed, since, &query));
            unsure |= !sure;
            if sure && round.has_room(client) {
                let read = self.partition.read(&query);
                round.add(client, read.as_ref().map_or(0, |reading| reading.bytes));
                out.clients.push((client, self.reply_to(&query, read)));
            } else {
                self.waiting.push(since, client, query);
            }
        }
        if unsure {
            self.multicast.confirm_leadership(now, &mut self.outbox);
            self.drain(out);
        }
    }

    /// Somebody else may lead by now.
    fn send_away(&mut self, out: &mut ReplicaOutbox<M>) {
        let leader = self.multicast.status().leader;
        let waiting = std::mem::take(&mut self.waiting).queries.into_iter();
        let told = waiting.map(|(_, client, _)| (client, ServerMessage::NotLeader { leader }));
        out.clients.extend(told);
    }

    /// The answer to a query that was read, or a refusal with what is known of the objects' places.
    fn reply_to(&mut self, query: &Query, read: Option<Reading>) -> ServerMessage {
        let declined = (Verdict::Retry, Encoded::new(), Vec::new());
        let done = |reading: Reading| match reading.reply {
            Some(reply) => (Verdict::Done, reply, reading.touched),
            None => (Verdict::Failed, Encoded::new(), reading.touched),
        };
        let (verdict, reply, touched) = read.map_or(declined, done);
        self.tally.add(CommandKind::Query, verdict);
        let hints = self.known_hints(&query.request, Groups::EMPTY, verdict, Vec::new());
        let status = self.multicast.status();
        let timestamp = Timestamp::new(status.clock, self.id.group);
        let answer = Answer {
            id: query.id,
            verdict,
            reply,
            timestamp,
            touched,
        };
        ServerMessage::Answer {
            answer: Arc::new(answer),
            hints,
            time: status.log_time,
        }
    }
}

impl<A: Application> Engine<A> {
    /// Runs a query on what is there now; `None` unless this group owns all its objects, no command
    /// is queued on any of them, and the values are not too large.
    pub(super) fn answer(&self, query: &Query) -> Option<Reading> {
        let request = &query.request;
        if !self.state.queues.are_free(request.objects())
            && !mutant::is_active(Mutant::ReadsPastQueues)
        {
            return None;
        }
        let held = |object: ObjectId| Some((object, self.state.store.object(object)?));
        let held: Vec<_> = request.objects().map(held).collect::<Option<_>>()?;
        let bytes: u64 = held.iter().map(|(_, held)| held.value.len() as u64).sum();
        if bytes > self.max_operands {
            return None;
        }
        let operands = held.iter().map(|&(object, held)| Operand {
            object,
            value: held.value.clone(),
            readable: true,
            writable: false,
        });
        let reply = if request.op.is_empty() {
            Some(Encoded::new())
        } else {
            let effect = run::<A>(&request.op, operands);
            effect.ok().map(|effect| effect.reply)
        };
        let touched = held.iter().map(|&(object, held)| {
            let revision = Some(held.revision);
            Touch {
                object,
                before: revision,
                after: revision,
            }
        });
        Some(Reading {
            reply,
            touched: touched.collect(),
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::SessionId;
    use crate::limits::MAX_OPERANDS;
    use crate::request::Request;
    use crate::time::LogTime;

    fn query(client: ClientId) -> Arc<Query> {
        let opened = LogTime::ZERO;
        let id = crate::command::CommandId {
            session: SessionId { client, opened },
            number: 1,
            attempt: 0,
        };
        let (reads, request) = (Reads::Index, Request::default());
        Arc::new(Query { id, reads, request })
    }

    #[test]
    fn one_client_cannot_take_all_places() {
        let mut waiting = Waiting::default();
        let [greedy, other] = [1, 2].map(ClientId);
        for _ in 0..CLIENT_QUERIES {
            assert!(waiting.has_room(greedy));
            waiting.push(LocalTime::ZERO, greedy, query(greedy));
        }
        assert!(!waiting.has_room(greedy) && waiting.has_room(other));
    }

    #[test]
    fn one_client_cannot_take_a_whole_round() {
        let mut round = Round::default();
        let [greedy, other] = [1, 2].map(ClientId);
        // A single one may be larger than a share.
        round.add(greedy, MAX_OPERANDS - 1);
        assert!(!round.has_room(greedy) && round.has_room(other));
        round.add(other, 1);
        assert!(!round.has_room(other) && !round.has_room(ClientId(3)));
    }
}
