//! What a replica tells of itself, and what it does for operators.

use super::event_loop::EventLoop;
use super::input::Question;
use super::intake::Intake;
use crate::clock;
use crate::operator::message::{OperatorAnswer, OperatorMessage};
use crate::report::{LogReport, Queues, ReplicaReport};
use crate::status::ReplicaStatus;
use ssmr_core::{LocalTime, Partition, ReplicaId};
use ssmr_log::{HandOverRefused, MemberId};
use ssmr_multicast::GroupMulticast;
use ssmr_storage::LogStore;

/// How many hot objects one answer tells at most.
const MOST_HOT: usize = 100;

impl EventLoop {
    /// Answers its owner.
    pub(super) fn answer(&self, question: Question) {
        // Whoever has asked may have gone.
        match question {
            Question::Status { digest, answer } => drop(answer.send(self.status(digest))),
            Question::Report(answer) => drop(answer.send(self.report())),
        }
    }

    /// Does what an operator wants. The answer must not leave before it is stored.
    pub(super) fn obey(&mut self, now: LocalTime, message: &OperatorMessage) -> OperatorAnswer {
        match message {
            OperatorMessage::Status => OperatorAnswer::Status(self.status(false)),
            OperatorMessage::Inspect => OperatorAnswer::Status(self.status(true)),
            OperatorMessage::Milestone(from) => {
                OperatorAnswer::Milestone(self.replica.milestone(*from))
            }
            OperatorMessage::Report => OperatorAnswer::Report(self.report()),
            OperatorMessage::Hottest(most) => {
                let most = usize::from(*most).min(MOST_HOT);
                let hottest = &mut self.replica.partition_mut().hottest;
                OperatorAnswer::Hottest(hottest.ask(now, most))
            }
            OperatorMessage::Prepare(founders) => {
                let prepare = |order: &mut GroupMulticast, _: &mut _| order.prepare(founders);
                OperatorAnswer::Done(self.replica.with_multicast(prepare, &mut self.out))
            }
            OperatorMessage::Found(founders) => {
                let found =
                    |order: &mut GroupMulticast, out: &mut _| order.found(now, founders, out);
                OperatorAnswer::Done(self.replica.with_multicast(found, &mut self.out))
            }
            OperatorMessage::HandOver(to) => {
                OperatorAnswer::HandingOver(self.hand_over(now, *to).map(MemberId::index))
            }
        }
    }

    pub(super) fn hand_over(
        &mut self,
        now: LocalTime,
        to: Option<u8>,
    ) -> Result<MemberId, HandOverRefused> {
        let hand_over = |order: &mut GroupMulticast, out: &mut _| order.hand_over(now, to, out);
        self.replica.with_multicast(hand_over, &mut self.out)
    }

    fn status(&self, digest: bool) -> ReplicaStatus {
        let (status, log) = (self.replica.status(), self.replica.multicast().log());
        let (group, partition) = (self.id.group, self.replica.partition());
        let holdings = partition.holdings();
        ReplicaStatus {
            id: self.id,
            member: log.member(),
            holding: log.holding(),
            is_member: log.is_member(),
            is_voter: status.is_voter,
            is_leader: status.is_leader,
            leader: status.leader.map(|index| ReplicaId { group, index }),
            hears_leader: self.replica.multicast().hears_leader(self.clock.now()),
            term: log.term(),
            committed: log.commit_index(),
            applied: status.applied,
            digest: digest.then(|| self.replica.digest()),
            counters: self.replica.counters(),
            unfinished: partition.unfinished_count() as u64,
            objects: holdings.objects,
            object_bytes: holdings.bytes,
            uptime_us: self.clock.now().since(self.started),
            processor_us: clock::thread_processor_us(),
            traffic: self.traffic.count(),
        }
    }

    fn report(&self) -> Box<ReplicaReport> {
        let order = self.replica.multicast();
        let mut refusals = self.recorder.refusals();
        self.visitors.count(&mut refusals);
        Box::new(ReplicaReport {
            status: self.status(false),
            version: env!("CARGO_PKG_VERSION").into(),
            answers: *self.replica.tally(),
            latencies: self.recorder.latencies(),
            refusals,
            queues: Queues {
                inputs: self.inbox.len() as u64,
                held_back: self.intake.as_ref().map_or(0, Intake::len) as u64,
                uncommitted: order.log().in_flight(),
                undelivered: order.pending_count() as u64,
                reads: self.replica.waiting_queries() as u64,
                unread_bytes: self.clients.unread() as u64,
            },
            peers: self.peers.report(),
            links: order.links(),
            log: LogReport {
                entries: order.log().entry_count() as u64,
                bytes: order.log_bytes() as u64,
                limit_bytes: self.log_limit as u64,
                written_bytes: self.log.as_ref().map_or(0, LogStore::written_bytes),
                stores: self.recorder.stores,
            },
            snapshots: self.recorder.snapshots,
            connections: self.visitors.connections(),
            certified_until: self.participant.certified_until().map(|it| it.as_secs()),
        })
    }
}
