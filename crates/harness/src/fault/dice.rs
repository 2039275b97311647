//! What is broken next where that is left to chance.
//!
//! Random numbers come from the run's seed, equally many for each throw, so that what is drawn does
//! not depend on how fast the machine is. Who can be struck does: a group in which some replica is
//! ailing is spared, so that no group ever lacks more than one.

use super::agenda::{SECOND, Step};
use super::ailments::Ailments;
use super::trouble::Trouble;
use super::word::Word;
use crate::workload::random::{OF_NO_CLIENT, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use ssmr_core::{GroupId, Micros, ReplicaId, Topology};
use std::ops::Range;

/// The stream of random numbers that chooses victims; the one below belongs to the workload.
const VICTIMS: u64 = OF_NO_CLIENT - 1;

/// How long what is drawn lasts, if it is not a kill: too short for an election, or long enough.
const LENGTHS: Range<Micros> = SECOND / 5..3 * SECOND;

/// The random numbers of a schedule.
#[derive(Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(stream(seed, VICTIMS))
    }

    /// Draws one of these words and whom it strikes: what is to be done, and what puts it right
    /// again, so much later. `None` if nobody is there who can be struck.
    pub(super) fn throw(
        &mut self,
        words: &[Word],
        ailments: &Ailments,
        cache_servers: usize,
    ) -> Option<(Step, Option<(Micros, Step)>)> {
        let mut draw = || self.0.random::<u64>();
        let (word, group, member, server) = (draw(), draw(), draw(), draw());
        let length = self.0.random_range(LENGTHS);
        let word = *words.get(below(word, words.len())?)?;
        let trouble = match word {
            Word::FlushCache => return Some((Step::Flush, None)),
            Word::StopCache => Trouble::StoppedCache,
            Word::KillCache | Word::FreezeCache | Word::CutCache => {
                Trouble::of_server(word, below(server, cache_servers)?)?
            }
            _ => {
                let id = victim(ailments, group, member)?;
                match Trouble::of_replica(word, id) {
                    Some(trouble) => trouble,
                    None => return Some((Step::Kill(id, None), None)),
                }
            }
        };
        Some((Step::Break(trouble), Some((length, Step::Mend(trouble)))))
    }
}

/// A random number below `bound`, which is 0 if there is none.
fn below(random: u64, bound: usize) -> Option<usize> {
    let bound = u64::try_from(bound).ok()?;
    (bound > 0).then(|| (random % bound) as usize)
}

/// A random replica of a random group of which all replicas are well; the next such group if that
/// one is not.
fn victim(ailments: &Ailments, group: u64, member: u64) -> Option<ReplicaId> {
    let topology: Topology = ailments.topology();
    let groups: Vec<GroupId> = topology.groups().iter().collect();
    let first = below(group, groups.len())?;
    let well = |group: &GroupId| ailments.is_group_well(*group);
    let mut in_turn = groups[first..].iter().chain(&groups[..first]).copied();
    let group = in_turn.find(well)?;
    let index = (member % u64::from(topology.replica_count(group))) as u8;
    Some(ReplicaId { group, index })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::ailments::Ailment;
    use crate::settings::names::DurabilityName;
    use std::collections::BTreeSet;

    const WORDS: [Word; 4] = [
        Word::Kill,
        Word::CutOut,
        Word::FreezeCache,
        Word::FlushCache,
    ];

    fn well() -> Ailments {
        Ailments::new(Topology::new(2, 3).unwrap(), DurabilityName::Sync)
    }

    fn victim_of(step: &Step) -> Option<ReplicaId> {
        match step {
            Step::Kill(id, _) | Step::Break(Trouble::Cut(id, _)) => Some(*id),
            _ => None,
        }
    }

    #[test]
    fn everything_is_drawn_sooner_or_later() {
        let (mut dice, ailments) = (Dice::new(1), well());
        let (mut victims, mut servers, mut flushed) = (BTreeSet::new(), BTreeSet::new(), false);
        for _ in 0..200 {
            let (step, then) = dice.throw(&WORDS, &ailments, 3).unwrap();
            victims.extend(victim_of(&step));
            match step {
                Step::Break(trouble) => {
                    let (length, mend) = then.unwrap();
                    assert!(LENGTHS.contains(&length) && mend == Step::Mend(trouble));
                    servers.extend(match trouble {
                        Trouble::FrozenCache(number) => Some(number),
                        _ => None,
                    });
                }
                Step::Flush => flushed = true,
                _ => assert_eq!(then, None),
            }
        }
        assert_eq!((victims.len(), servers.len(), flushed), (6, 3, true));
    }

    #[test]
    fn groups_that_lack_a_replica_are_spared() {
        let (mut dice, mut ailments) = (Dice::new(1), well());
        let ids: Vec<ReplicaId> = ailments.topology().replicas().collect();
        ailments.set(ids[1], Ailment::CatchingUp);
        let mut throw = |ailments: &Ailments| dice.throw(&[Word::Kill, Word::Pause], ailments, 0);
        for _ in 0..100 {
            let (step, _) = throw(&ailments).unwrap();
            let struck = match step {
                Step::Kill(id, _) | Step::Break(Trouble::Paused(id)) => id,
                other => panic!("{other:?}"),
            };
            assert_eq!(struck.group, ids[3].group);
        }
        ailments.set(ids[3], Ailment::Hindered);
        assert_eq!(throw(&ailments), None);
    }

    #[test]
    fn the_same_seed_draws_the_same_whoever_ails() {
        let (mut one, mut other) = (Dice::new(7), Dice::new(7));
        let mut ailing = well();
        let ids: Vec<ReplicaId> = ailing.topology().replicas().collect();
        ailing.set(ids[0], Ailment::Dead);
        ailing.set(ids[3], Ailment::Dead);
        assert_eq!(other.throw(&[Word::Kill], &ailing, 3), None);
        one.throw(&[Word::Kill], &well(), 3);
        let (first, second) = (
            one.throw(&WORDS, &well(), 3),
            other.throw(&WORDS, &well(), 3),
        );
        assert!(first.is_some());
        assert_eq!(first, second);
    }
}
