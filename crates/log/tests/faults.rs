//! The group's log alone, on trial: faults of the network, of replicas and of their disks.

mod common;

use common::Trial;
use ssmr_log::LogEntry;
use std::time::Duration;

#[test]
fn whatever_happens_replicas_agree_and_go_on() {
    let mut installs = 0;
    for seed in 0..60 {
        let mut trial = Trial::new(seed, 30);
        for step in 0..1_500 {
            trial.step();
            if step % 40 == 39 {
                trial.strike();
            }
        }
        trial.heal();
        installs += trial.installs;
    }
    assert!(installs > 60, "only {installs} snapshots were installed");
}

/// Found with processes that were killed under load: a leader put its heartbeats off with every
/// proposal, and held back from a follower of which it knew nothing; so a replica with a long log
/// stayed behind until the load ended.
#[test]
fn a_replica_with_a_long_log_comes_back_under_load() {
    let mut trial = Trial::new(1, 0);
    (0..2_000).for_each(|_| trial.step());
    let leader = (0..3).find(|&index| trial.leads(index)).unwrap();
    trial.seats[usize::from(leader)].log = None;
    (0..1_000).for_each(|_| trial.step());
    trial.start(leader);
    let goal = trial.agreed.keys().next_back().copied().unwrap();
    assert!(goal > 1_000);
    let begun = trial.now;
    while trial.seats[usize::from(leader)].applied < goal {
        trial.step();
        let (applied, waited) = (trial.seats[usize::from(leader)].applied, trial.now - begun);
        assert!(
            waited < Duration::from_secs(2),
            "it is still at {applied} of {goal}"
        );
    }
}

#[test]
fn compacting_takes_nothing_that_is_behind() {
    let mut trial = Trial::new(2, 0);
    (0..1_000).for_each(|_| trial.step());
    let seat = &mut trial.seats[0];
    let log = seat.log.as_mut().unwrap();
    let middle = log.cut(seat.applied / 2);
    log.compact(middle.last, 0);
    let after = log.cut(seat.applied / 2);
    assert_eq!(after, middle);
    assert!(matches!(after.tail.first(), Some(LogEntry::Batch(_))));
}

/// It needed snapshot after snapshot where the log grew beyond what is kept while it stored one.
#[test]
fn a_replica_that_is_filled_needs_one_snapshot_however_fast_the_log_is_compacted() {
    for seed in 0..20 {
        let mut trial = Trial::new(seed, 0);
        while !(0..3).any(|index| trial.leads(index)) {
            trial.step();
        }
        let leader = (0..3).find(|index| trial.leads(*index)).unwrap();
        let filled = (leader + 1) % 3;
        trial.seats[usize::from(filled)].log = None;
        (0..500).for_each(|_| trial.step());
        trial.drop_mail(filled);
        trial.compact(leader);
        trial.start(filled);
        let mut stored = None;
        for step in 0..3_000 {
            trial.step();
            trial.compact(leader);
            if stored.is_none() && trial.installs > 0 {
                stored = Some(step + 500);
            }
            // It takes a second to store the snapshot.
            trial.busy = stored.filter(|end| step < *end).map(|_| filled);
        }
        assert_eq!(trial.installs, 1, "seed {seed}");
        let behind = trial.seats[usize::from(leader)].applied;
        let behind = behind - trial.seats[usize::from(filled)].applied;
        assert!(behind < 20, "seed {seed}: {behind} entries behind");
    }
}
