//! Random histories with a fault at every place: what was acknowledged is read back, in order, and
//! nothing else.

use super::model::{Fault, History};
use crate::faulty::Faults;
use ssmr_core::mutant::{self, Mutant};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Plays the history of a seed with a fault at each place, until it is one that nobody reaches.
fn everywhere(seed: u64, sync: bool, fault: fn(u64) -> Fault, sum: &mut Sum) {
    for place in 1.. {
        let mut history = History::new(seed, sync, fault(place));
        let unhurt = history.play();
        history.recover((seed + place).is_multiple_of(2));
        sum.add(&history);
        if unhurt {
            return;
        }
    }
}

#[derive(Default)]
struct Sum {
    faults: Faults,
    memory_lost: u64,
}

impl Sum {
    fn add(&mut self, history: &History) {
        let faults = history.files.faults();
        self.faults.lost += faults.lost;
        self.faults.torn += faults.torn;
        self.faults.reordered += faults.reordered;
        self.faults.names_lost += faults.names_lost;
        self.faults.failed_syncs += faults.failed_syncs;
        self.faults.full += faults.full;
        self.faults.crashes += faults.crashes;
        self.memory_lost += history.lost;
    }
}

#[test]
fn a_synced_log_survives_a_crash_at_every_operation() {
    let mut sum = Sum::default();
    (0..12).for_each(|seed| everywhere(seed, true, Fault::Crash, &mut sum));
    let Faults {
        lost,
        torn,
        reordered,
        names_lost,
        crashes,
        ..
    } = sum.faults;
    let counts = [lost, torn, reordered, names_lost, crashes, sum.memory_lost];
    assert!(counts.iter().all(|count| *count > 4), "{counts:?}");
}

#[test]
fn an_unsynced_log_survives_the_death_of_its_process_at_every_operation() {
    let mut sum = Sum::default();
    (0..12).for_each(|seed| everywhere(seed, false, Fault::Crash, &mut sum));
    let counts = [sum.faults.crashes, sum.memory_lost];
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}

#[test]
fn a_log_survives_a_sync_that_fails() {
    let mut sum = Sum::default();
    let fault = |place| Fault::FailedSync(place - 1);
    (0..12).for_each(|seed| everywhere(seed, true, fault, &mut sum));
    (0..4).for_each(|seed| everywhere(seed, false, fault, &mut sum));
    assert!(sum.faults.failed_syncs > 200, "{:?}", sum.faults);
}

#[test]
fn a_log_survives_a_full_disk() {
    let mut sum = Sum::default();
    let fault = |place: u64| Fault::Full(place as usize * 150);
    (0..12).for_each(|seed| everywhere(seed, true, fault, &mut sum));
    (0..4).for_each(|seed| everywhere(seed, false, fault, &mut sum));
    assert!(sum.faults.full > 200, "{:?}", sum.faults);
}

/// What a mutant loses, some seed shows: a test that cannot fail would prove nothing.
fn is_caught(mutant: Mutant, fault: fn(u64) -> Fault) {
    let hunt = || (0..20).for_each(|seed| everywhere(seed, true, fault, &mut Sum::default()));
    let hunted = catch_unwind(AssertUnwindSafe(|| mutant::with(Some(mutant), hunt)));
    assert!(hunted.is_err(), "{mutant:?} was not noticed");
}

#[test]
fn checkpoints_without_their_tail_are_found() {
    is_caught(Mutant::CheckpointsWithoutTail, Fault::Crash);
}

#[test]
fn files_that_are_not_synced_are_found() {
    is_caught(Mutant::UnsyncedFiles, Fault::Crash);
}

#[test]
fn appends_that_are_not_synced_are_found() {
    is_caught(Mutant::AnswerBeforeSync, Fault::Crash);
}
