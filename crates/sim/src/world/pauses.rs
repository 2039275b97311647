//! Processes that do nothing for a while and then wake: what came meanwhile waits in their sockets,
//! and they handle it in the order in which it came over each of them, in one round or several.
//!
//! A paused process' clock goes on; that of a machine that is suspended as a whole stands still.

use super::{Member, ReplicaInput, World, WorldEvent};
use crate::network::Seat;
use rand::RngExt;
use ssmr_core::{Micros, PeerMessage, ReplicaId, ReplicaOutbox};
use ssmr_log::Body;
use ssmr_multicast::{GroupMulticast, Message};
use std::collections::{BTreeMap, VecDeque};

/// The most inputs of one round, as over TCP.
const ROUND: usize = 4096;

/// What a paused replica has not handled yet.
#[derive(Default)]
pub(super) struct Pause {
    is_on: bool,
    waiting: Vec<WorldEvent>,
}

impl Pause {
    /// It begins.
    pub(super) fn on() -> Self {
        Self {
            is_on: true,
            waiting: Vec::new(),
        }
    }
}

impl World {
    /// A replica does nothing for so long, from now on. Its machine's clock goes on unless it is
    /// `suspended` too.
    pub(crate) fn pause(&mut self, id: ReplicaId, length: Micros, suspended: bool) {
        let goes_on = |member: &&mut Member| !member.pause.is_on;
        let Some(member) = self.members.get_mut(&id).filter(goes_on) else {
            return;
        };
        member.pause = Pause::on();
        if suspended {
            member.clock.suspend(self.now);
        }
        let start = member.start;
        self.report.pauses += 1;
        let what = if suspended {
            "is suspended"
        } else {
            "is paused"
        };
        self.lament(id, what);
        self.schedule(length, WorldEvent::Wake(id, start));
    }

    /// A replica is paused as soon as it has asked the others whether it leads: with a read that
    /// waits for their answers.
    pub(crate) fn pause_when_it_asks(&mut self, id: ReplicaId, length: Micros, suspended: bool) {
        self.pauses.insert(id, (length, suspended));
    }

    /// A replica has sent all this.
    pub(super) fn pause_if_it_asked(&mut self, id: ReplicaId, out: &ReplicaOutbox<GroupMulticast>) {
        if !self.pauses.contains_key(&id) {
            return;
        }
        let asks = out.peers.iter().any(|(_, message)| match message {
            PeerMessage::Multicast(Message::Log(message)) => {
                matches!(message.body, Body::ConfirmLeadership { .. })
            }
            _ => false,
        });
        if asks && let Some((length, suspended)) = self.pauses.remove(&id) {
            self.pause(id, length, suspended);
        }
    }

    /// Keeps what happens to a replica that is paused for later; returns it if it is not.
    pub(super) fn keep_if_paused(&mut self, event: WorldEvent) -> Option<WorldEvent> {
        let paused = event.replica().and_then(|id| self.members.get_mut(&id));
        match paused.filter(|member| member.pause.is_on) {
            Some(member) => {
                member.pause.waiting.push(event);
                self.report.queued += 1;
                None
            }
            None => Some(event),
        }
    }

    /// A paused replica goes on.
    pub(super) fn wake(&mut self, id: ReplicaId, start: u64) {
        let Some(member) = self.members.get_mut(&id).filter(|m| m.start == start) else {
            return;
        };
        member.clock.resume(self.now);
        let Pause { waiting, .. } = std::mem::take(&mut member.pause);
        let (mut inputs, mut later) = (Vec::new(), Vec::new());
        for event in waiting {
            match event {
                WorldEvent::ToReplica(_, from, input) => inputs.push((from, input)),
                other => later.push(other),
            }
        }
        let rounds = match self.options.profile.pauses() {
            true => self.shuffle(inputs),
            false => vec![inputs],
        };
        let rounds = rounds
            .into_iter()
            .map(|inputs| WorldEvent::Round(id, inputs));
        rounds.chain(later).for_each(|event| self.happen(event));
    }

    /// A replica handles inputs in one round, or in several if they are too many for one.
    pub(super) fn round(&mut self, id: ReplicaId, mut inputs: Vec<(Seat, ReplicaInput)>) {
        let rest = inputs.split_off(inputs.len().min(ROUND));
        if inputs.is_empty() {
            return;
        }
        let now = self.clock_of(id);
        self.with_replica(id, inputs.len(), |replica, out| {
            for (from, input) in inputs {
                input.hand_to(now, from, replica, out);
            }
        });
        self.happen(WorldEvent::Round(id, rest));
    }

    /// Rounds of what has come over several connections: in order over each of them, and in any
    /// order over different ones.
    fn shuffle(&mut self, inputs: Vec<(Seat, ReplicaInput)>) -> Vec<Vec<(Seat, ReplicaInput)>> {
        let mut by_sender: BTreeMap<Seat, VecDeque<ReplicaInput>> = BTreeMap::new();
        for (from, input) in inputs {
            by_sender.entry(from).or_default().push_back(input);
        }
        let mut rounds = vec![Vec::new()];
        while !by_sender.is_empty() {
            let place = self.rng.random_range(0..by_sender.len());
            let Some((&from, queue)) = by_sender.iter_mut().nth(place) else {
                break;
            };
            let count = self.rng.random_range(1..=queue.len());
            if let Some(round) = rounds.last_mut() {
                round.extend(queue.drain(..count).map(|input| (from, input)));
            }
            by_sender.retain(|_, queue| !queue.is_empty());
            if self.rng.random_range(0..3) == 0 {
                rounds.push(Vec::new());
            }
        }
        rounds
    }
}
