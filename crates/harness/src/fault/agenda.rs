//! What is to be done next: steps by time, in the order in which they came up.

use super::grammar::{Fault, ORACLE, Strike};
use super::target::{group, replica};
use super::trouble::Trouble;
use super::word::Word;
use ssmr_core::{GroupId, Micros, ReplicaId, Topology};
use std::collections::BTreeMap;

/// A second, in microseconds.
pub(super) const SECOND: Micros = 1_000_000;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Kill who leads the group; it is back so much later.
    KillLeader(GroupId, Option<Micros>),
    /// Kill a replica; it is back so much later.
    Kill(ReplicaId, Option<Micros>),
    /// Start a replica that was killed.
    Restart(ReplicaId),
    /// See whether it has caught up with the others, who had applied so much.
    Follow(ReplicaId, u64),
    /// Break something.
    Break(Trouble),
    /// Put it right again.
    Mend(Trouble),
    /// Have the caches forget everything.
    Flush,
    /// Draw one of these words, and do so again a second later.
    Draw(Vec<Word>),
}

/// The steps that are still to be done. Times count from the start of measuring.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// By time, and in the order in which they came up.
    steps: BTreeMap<(Micros, u64), Step>,
    step_count: u64,
}

impl Agenda {
    /// The steps of a schedule that have a target in this topology.
    pub(super) fn new(schedule: &[Fault], topology: &Topology) -> Self {
        let mut agenda = Self::default();
        for fault in schedule {
            agenda.plan(fault, topology);
        }
        agenda
    }

    fn plan(&mut self, fault: &Fault, topology: &Topology) {
        match fault {
            Fault::Random(words) => self.add(SECOND, Step::Draw(words.clone())),
            Fault::At(strike) => {
                let Strike { at, length, .. } = *strike;
                match first_step(strike, topology) {
                    None => {}
                    Some(Step::Break(trouble)) => {
                        self.add(at, Step::Break(trouble));
                        self.add(at + length.unwrap_or(SECOND), Step::Mend(trouble));
                    }
                    Some(step) => self.add(at, step),
                }
            }
        }
    }

    /// Adds a step.
    pub(super) fn add(&mut self, at: Micros, step: Step) {
        self.steps.insert((at, self.step_count), step);
        self.step_count += 1;
    }

    /// Whether there never was anything to do.
    pub(super) fn was_always_empty(&self) -> bool {
        self.step_count == 0
    }

    /// When the next step is due, if there is one.
    pub(super) fn next_at(&self) -> Option<Micros> {
        self.steps.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next step.
    pub(super) fn take(&mut self) -> Option<Step> {
        self.steps.pop_first().map(|(_, step)| step)
    }

    /// Drops what is still to be done.
    pub(super) fn clear(&mut self) {
        self.steps.clear();
    }
}

/// What begins it, if its target is there.
fn first_step(strike: &Strike, topology: &Topology) -> Option<Step> {
    let Strike {
        word,
        target,
        length,
        ..
    } = strike;
    let replica = || replica(topology, target);
    Some(match word {
        Word::KillLeader => Step::KillLeader(group(topology, target)?, *length),
        Word::KillOracleLeader => Step::KillLeader(group(topology, ORACLE)?, *length),
        Word::Kill => Step::Kill(replica()?, *length),
        Word::FlushCache => Step::Flush,
        Word::StopCache => Step::Break(Trouble::StoppedCache),
        Word::KillCache | Word::FreezeCache | Word::CutCache => {
            Step::Break(Trouble::of_server(*word, target.parse().ok()?)?)
        }
        _ => Step::Break(Trouble::of_replica(*word, replica()?)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_by_time_and_then_as_they_came_up() {
        let topology = Topology::new(1, 3).unwrap();
        let schedule = ["stop-cache@1s+2s", "cut:p0r1@1s+1s", "cut:p7r1@1s+1s"];
        let schedule = schedule.map(|fault| fault.parse().unwrap());
        let mut agenda = Agenda::new(&schedule, &topology);
        let id = topology
            .members(GroupId::from(ssmr_core::PartitionId(0)))
            .nth(1)
            .unwrap();
        let cut = Trouble::Cut(id, ssmr_net::Cut::Peers);
        let mut next = || Some((agenda.next_at()?, agenda.take()?));
        assert_eq!(next(), Some((SECOND, Step::Break(Trouble::StoppedCache))));
        assert_eq!(next(), Some((SECOND, Step::Break(cut))));
        assert_eq!(next(), Some((2 * SECOND, Step::Mend(cut))));
        assert_eq!(
            next(),
            Some((3 * SECOND, Step::Mend(Trouble::StoppedCache)))
        );
        assert_eq!(next(), None);
        assert!(!agenda.was_always_empty());
        assert!(Agenda::new(&[], &topology).was_always_empty());
    }
}
