//! Founding: who becomes a voter, who does not, and what comes of it when it is interrupted,
//! repeated, done by two at once, or overtaken by a replica that forgets.

mod common;

use common::Trial;
use rand::RngExt;
use ssmr_log::{
    Founding, FoundingRefused, GroupLog, Holding, LogEntry, LogOutbox, LogPosition, MemberId,
    Members, Record, Stored,
};
use std::collections::BTreeSet;
use std::time::Duration;

type Founders = BTreeSet<MemberId>;

/// A replica of three that has begun this generation and holds nothing.
fn empty(index: u8, generation: u64) -> GroupLog {
    let stored = Stored {
        generation,
        ..Stored::default()
    };
    GroupLog::restore(index, 3, u64::from(index), stored)
}

fn members(generations: [u64; 3]) -> Founders {
    let member = |(index, generation)| MemberId::new(index, generation);
    (0..3).zip(generations).map(member).collect()
}

fn found(log: &mut GroupLog, founders: &Founders) -> (Result<(), FoundingRefused>, LogOutbox) {
    let mut out = LogOutbox::default();
    let founded = log.found(Duration::ZERO, founders, &mut out);
    (founded, out)
}

#[test]
fn who_holds_nothing_is_nobodys_voter() {
    for generation in [1, 9, MemberId::LAST_GENERATION] {
        let mut log = empty(1, generation);
        assert!(!log.is_member() && !log.is_voter());
        assert_eq!(log.holding(), Holding::Nothing);
        let mut out = LogOutbox::default();
        for step in 0..1_000 {
            log.on_timer(Duration::from_millis(10 * step), &mut out);
        }
        assert!(out.records.is_empty() && log.term() == 0, "it campaigns");
        let joins = |body: &_| *body == ssmr_log::Body::Join;
        assert!(out.messages.iter().all(|(_, message)| joins(&message.body)));
    }
}

#[test]
fn the_founders_are_the_first_entry_and_nothing_else_changes() {
    let founders = members([4, 5, 6]);
    let mut log = empty(0, 4);
    assert_eq!(log.prepare(&founders), Ok(()));
    let (founded, out) = found(&mut log, &founders);
    assert_eq!(founded, Ok(()));
    let entry = LogEntry::Members(Members::voters(founders.clone()));
    let first = Record::Append {
        after: LogPosition::ZERO,
        entries: vec![entry],
    };
    assert_eq!(out.records, std::slice::from_ref(&first));
    assert!(log.is_member() && log.term() == 0);
    assert_eq!(log.holding(), Holding::Founding(founders.clone()));

    // The same once more is as well; so it is after a restart.
    let again = found(&mut log, &founders);
    assert_eq!((again.0, again.1.records.len()), (Ok(()), 0));
    let mut disk = Stored {
        generation: 4,
        ..Stored::default()
    };
    disk.add(first);
    let mut log = GroupLog::restore(0, 3, 1, disk);
    assert_eq!(log.holding(), Holding::Founding(founders.clone()));
    assert_eq!(found(&mut log, &founders).0, Ok(()));

    let other = members([4, 5, 7]);
    let held = FoundingRefused::Holds(Holding::Founding(founders));
    assert_eq!(log.prepare(&other), Err(held.clone()));
    assert_eq!(found(&mut log, &other).0, Err(held));
}

#[test]
fn strangers_foundings_are_refused_and_break_nothing() {
    let mut log = empty(0, 4);
    let wrong = [
        Founders::new(),
        members([4, 5, 6]).into_iter().take(2).collect(),
        [0, 1, 3].map(|index| MemberId::new(index, 4)).into(),
        [0, 1, 2, 3].map(|index| MemberId::new(index, 4)).into(),
        [0, 1, 1]
            .into_iter()
            .zip(4..)
            .map(|(i, g)| MemberId::new(i, g))
            .collect(),
        [u64::MAX, 0, 1 << 8].map(MemberId::from).into(),
    ];
    for founders in wrong {
        assert_eq!(log.prepare(&founders), Err(FoundingRefused::NotTheGroup));
        let (founded, out) = found(&mut log, &founders);
        assert_eq!(founded, Err(FoundingRefused::NotTheGroup));
        assert!(out.records.is_empty() && out.messages.is_empty());
    }
    // It has forgotten since it was asked.
    let former = members([3, 5, 6]);
    assert_eq!(
        log.prepare(&former),
        Err(FoundingRefused::OtherGeneration(4))
    );
    assert_eq!(
        found(&mut log, &former).0,
        Err(FoundingRefused::OtherGeneration(4))
    );
    let mut second = empty(1, 5);
    let founded = found(&mut second, &members([4, 5, 6])).0;
    assert_eq!(founded, Err(FoundingRefused::NotTheFirst));
    assert_eq!(log.holding(), Holding::Nothing);
}

#[test]
fn founders_that_are_taken_for_granted_cannot_be_founded_again() {
    let mut log = GroupLog::new(0, 3, 1);
    let held = Holding::Founding(members([0, 0, 0]));
    assert_eq!(log.holding(), held);
    let stored = Stored {
        generation: 0,
        ..Stored::default()
    };
    assert_eq!(GroupLog::restore(0, 3, 1, stored).holding(), held);
    assert!(found(&mut log, &members([0, 5, 6])).0.is_err());
}

#[test]
fn a_group_is_judged_by_all_of_its_replicas() {
    let founders = members([1, 2, 3]);
    let said = |holdings: [Holding; 3]| {
        let said: Vec<_> = founders.iter().copied().zip(holdings).collect();
        Founding::of(&said)
    };
    let nothing = || Holding::Nothing;
    let this = || Holding::Founding(founders.clone());
    let other = || Holding::Founding(members([1, 2, 9]));
    let log = || Holding::Log(LogPosition { term: 1, index: 7 });
    let due = Founding::Due(founders.clone());
    assert_eq!(said([nothing(), nothing(), nothing()]), due);
    assert_eq!(said([this(), nothing(), nothing()]), Founding::Done);
    assert_eq!(said([this(), this(), this()]), Founding::Done);
    let refused = |index, holding| Founding::Refused(MemberId::new(index, index.into()), holding);
    let by = |finding| match finding {
        Founding::Refused(member, holding) => refused(member.index(), holding),
        other => other,
    };
    assert_eq!(by(said([nothing(), nothing(), log()])), refused(2, log()));
    assert_eq!(by(said([this(), log(), this()])), refused(1, log()));
    assert_eq!(
        by(said([other(), nothing(), nothing()])),
        refused(0, other())
    );
}

/// Somebody who founds the group, one question or order after the other, with pauses.
#[derive(Default)]
struct Founder {
    said: Vec<(MemberId, Holding)>,
    prepared: u8,
}

impl Founder {
    /// The next step. Begins again whenever it is refused, or a replica does not answer.
    fn step(&mut self, trial: &mut Trial) {
        if self.act(trial).is_none() {
            *self = Self::default();
        }
    }

    fn act(&mut self, trial: &mut Trial) -> Option<()> {
        if self.said.len() < 3 {
            let log = trial.seats[self.said.len()].log.as_ref()?;
            self.said.push((log.member(), log.holding()));
            return Some(());
        }
        let Founding::Due(founders) = Founding::of(&self.said) else {
            return None;
        };
        if self.prepared < 3 {
            let log = trial.seats[usize::from(self.prepared)].log.as_mut()?;
            self.prepared += 1;
            return log.prepare(&founders).ok();
        }
        let now = trial.now;
        // Whether it goes well is seen the next time.
        trial.with(0, |log, out| drop(log.found(now, &founders, out)));
        None
    }
}

impl Trial {
    /// Whether somebody knows of voters most of whom are there in the generations in which they
    /// were made voters.
    fn can_go_on(&self) -> bool {
        let present = |member: &&MemberId| {
            self.seats[usize::from(member.index())].disk.generation == member.generation()
        };
        let most = |voters: &Founders| 2 * voters.iter().filter(present).count() > voters.len();
        self.seats.iter().any(|seat| {
            let mut entries = seat.disk.entries.iter().rev();
            entries
                .find_map(|entry| match entry {
                    LogEntry::Members(of) => Some(
                        most(&of.voters) && (of.next_voters.is_empty() || most(&of.next_voters)),
                    ),
                    LogEntry::Term(_) | LogEntry::Batch(_) => None,
                })
                .unwrap_or(false)
        })
    }

    /// Whoever holds anything begins anew.
    fn empty_all(&mut self) {
        for index in 0..3 {
            if !self.seats[usize::from(index)].disk.entries.is_empty() {
                self.crash(index, true);
                self.start(index);
            }
        }
    }

    /// A replica goes down and what was on its way to it is lost, as its connections are.
    fn crash(&mut self, index: u8, forgets: bool) {
        match forgets {
            true => self.forget(index),
            false => self.seats[usize::from(index)].log = None,
        }
        self.drop_mail(index);
    }
}

/// Two people found a group whose replicas crash, and forget as long as nothing was committed.
/// Messages are slow, so that those of the forgetful are under way for long.
fn turmoil(seed: u64) -> Trial {
    let mut trial = Trial::empty(seed, 30);
    let mut founders = [Founder::default(), Founder::default()];
    for _ in 0..800 {
        if trial.rng.random_range(0..10) == 0 {
            trial.step();
        }
        let who = trial.rng.random_range(0..founders.len());
        founders[who].step(&mut trial);
        let index = trial.rng.random_range(0..3);
        match trial.rng.random_range(0..40) {
            0 if trial.agreed.is_empty() || trial.is_whole() => trial.crash(index, true),
            1 => trial.crash(index, false),
            2..10 => (0..3).for_each(|index| trial.start(index)),
            _ => {}
        }
    }
    trial
}

#[test]
fn a_group_has_one_founding_whoever_forgets_meanwhile() {
    let (mut completed, mut begun_anew, mut lost) = (0, 0, 0);
    for seed in 0..2_000 {
        let mut trial = turmoil(seed);
        (0..3).for_each(|index| trial.start(index));
        if trial.can_go_on() {
            completed += 1;
        } else if trial.agreed.is_empty() {
            begun_anew += 1;
            let mut founder = Founder::default();
            while trial.agreed.is_empty() {
                if !trial.can_go_on() {
                    // What is held of a founding can never win: the holders have to begin anew.
                    trial.empty_all();
                }
                (0..10).for_each(|_| founder.step(&mut trial));
                trial.step();
                assert!(
                    trial.now < Duration::from_secs(30),
                    "seed {seed}: not founded"
                );
            }
        } else {
            // The last acknowledgement that was needed came from one that had forgotten already.
            lost += 1;
            continue;
        }
        trial.heal();
    }
    let seen = (completed, begun_anew, lost);
    assert!(
        completed > 1_000 && begun_anew > 200 && lost < 80,
        "{seen:?}"
    );
}

/// A founding reaches the first replica while the others wait: they vote for it in the generations
/// that it names, and learn it as any other entry.
#[test]
fn the_first_replica_suffices() {
    let mut trial = Trial::empty(3, 0);
    let mut founder = Founder::default();
    (0..7).for_each(|_| founder.step(&mut trial));
    trial.heal();
    let voters = Members::voters(members([1, 2, 3]));
    for seat in &trial.seats {
        let settled = seat.log.as_ref().unwrap().settled_members();
        assert_eq!(settled.as_ref(), Some(&voters));
    }
}

/// The fault that this is about: started again with the same command line, in memory, it must not
/// vote as the voter it was.
#[test]
fn one_that_forgets_after_the_founding_comes_back_as_another() {
    let mut trial = Trial::empty(5, 0);
    let mut founder = Founder::default();
    (0..7).for_each(|_| founder.step(&mut trial));
    trial.heal();
    trial.crash(2, true);
    trial.start(2);
    let log = trial.seats[2].log.as_ref().unwrap();
    assert!(!log.is_member() && !log.is_voter());
    assert_eq!(log.holding(), Holding::Nothing);
    // Nobody can make it a founder: the others hold something.
    let mut founder = Founder::default();
    for _ in 0..50 {
        trial.step();
        founder.step(&mut trial);
    }
    trial.heal();
    let settled = trial.seats[0].log.as_ref().unwrap().settled_members();
    assert_eq!(settled, Some(Members::voters(members([1, 2, 4]))));
}
