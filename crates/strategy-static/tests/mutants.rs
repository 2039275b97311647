//! Faults built in on purpose: the checks of the clients' histories must find each of them, with
//! and without moves.

use ssmr_core::Mutant::{self, AbandonAttempts, NoSignalWait, OpenQueues};
use ssmr_core::Oracle;
use ssmr_sim::conformance::{catch, catch_creator_only, catch_reads, catch_storage};
use ssmr_sim::{Options, Profile, ViolationKind, chronicle, shrink, simulate};
use ssmr_strategy_static::Static;

fn options(mutant: Mutant, profile: Profile) -> Options {
    let mutant = Some(mutant);
    Options {
        mutant,
        profile,
        ..Options::default()
    }
}

#[test]
fn a_missing_signal_wait_is_found() {
    let caught = catch(
        &Static::new().into_shared(),
        options(NoSignalWait, Profile::Calm),
        10,
    );
    assert_eq!(caught.witnessed(), Some(ViolationKind::Existence));
    assert_eq!(caught.black_box(), Some(ViolationKind::NotLinearizable));
    let caught = catch(
        &Static::with_directory().into_shared(),
        options(NoSignalWait, Profile::Calm),
        10,
    );
    assert_eq!(caught.witnessed(), Some(ViolationKind::Existence));
}

#[test]
fn open_queues_are_found() {
    for strategy in [
        Static::new().into_shared(),
        Static::with_directory().into_shared(),
    ] {
        let caught = catch(&strategy, options(OpenQueues, Profile::Reorder), 20);
        assert!(caught.witnessed().is_some(), "{caught:?}");
    }
}

#[test]
fn abandoned_attempts_are_found() {
    let caught = catch(
        &Static::new().into_shared(),
        options(AbandonAttempts, Profile::Lossy),
        10,
    );
    assert!(caught.witnessed().is_some(), "{caught:?}");
    let caught = catch(
        &Static::with_directory().into_shared(),
        options(AbandonAttempts, Profile::Lossy),
        10,
    );
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

#[test]
fn reads_of_the_past_are_found() {
    catch_reads(&Static::with_directory().into_shared());
}

#[test]
fn what_storage_and_snapshots_lose_is_found() {
    catch_storage(&Static::with_directory().into_shared());
}

#[test]
fn authority_of_the_creator_alone_is_found() {
    catch_creator_only(&Static::with_directory().into_shared());
}

#[test]
fn a_failure_shrinks_and_is_told() {
    let options = options(NoSignalWait, Profile::Reorder);
    let attempt = |seed, options| simulate(&Static::new().into_shared(), seed, options).err();
    let failure = (0..20).find_map(|seed| attempt(seed, options)).unwrap();
    let shrunk = shrink(failure.clone(), 500, attempt).failure;
    assert_eq!(shrunk.invariant(), failure.invariant());
    let (old, new) = (failure.options, shrunk.options);
    assert!(new.requests < old.requests / 2 && new.clients <= old.clients);
    let again = attempt(shrunk.seed, shrunk.options).unwrap();
    assert_eq!(again.violation, shrunk.violation);
    let told = chronicle(
        &Static::new().into_shared(),
        shrunk.seed,
        shrunk.options,
        60,
    );
    assert!(told.contains("delivers it at") && told.lines().count() <= 60);
}

#[test]
fn expectations_that_are_ignored_are_found() {
    let options = Options {
        mutant: Some(Mutant::IgnoredExpectations),
        ..Options::default()
    };
    let caught = catch(&Static::with_directory().into_shared(), options, 20);
    assert!(caught.witnessed().is_some(), "{caught:?}");
}
