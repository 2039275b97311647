//! Faults built in on purpose: under strategy cache too the checks of the clients' histories find
//! them. Assertions inside mostly find them first, so some take many seeds.

use ssmr_core::Execution::{Exchange, Gather};
use ssmr_core::Mutant::{self, AbandonAttempts, NoSignalWait, OpenQueues};
use ssmr_core::Oracle;
use ssmr_sim::conformance::{catch, catch_creator_only, catch_reads, catch_storage, hunt};
use ssmr_sim::{Options, Profile};
use ssmr_strategy_cache::Cache;

#[test]
fn a_missing_signal_wait_is_found() {
    let caught = hunt(
        &Cache.into_shared(),
        NoSignalWait,
        Profile::Calm,
        Gather,
        2,
        60,
    );
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

#[test]
fn open_queues_are_found() {
    let caught = hunt(
        &Cache.into_shared(),
        OpenQueues,
        Profile::Deaths,
        Exchange,
        3,
        40,
    );
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

#[test]
fn abandoned_attempts_are_found() {
    let caught = hunt(
        &Cache.into_shared(),
        AbandonAttempts,
        Profile::Lossy,
        Exchange,
        3,
        10,
    );
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

#[test]
fn reads_of_the_past_are_found() {
    catch_reads(&Cache.into_shared());
}

#[test]
fn what_storage_and_snapshots_lose_is_found() {
    catch_storage(&Cache.into_shared());
}

#[test]
fn authority_of_the_creator_alone_is_found() {
    catch_creator_only(&Cache.into_shared());
}

#[test]
fn mutable_cache_keys_are_found() {
    let options = Options {
        mutant: Some(Mutant::MutableCacheKeys),
        ..Options::default()
    };
    let caught = catch(&Cache.into_shared(), options, 40);
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

/// A cache that lies is believed if the digest is not looked at.
#[test]
fn forgeries_that_are_believed_are_found() {
    let options = Options {
        mutant: Some(Mutant::ForgeriesBelieved),
        profile: Profile::Cache,
        ..Options::default()
    };
    let caught = catch(&Cache.into_shared(), options, 40);
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

#[test]
fn expectations_that_are_ignored_are_found() {
    let options = Options {
        mutant: Some(Mutant::IgnoredExpectations),
        ..Options::default()
    };
    let caught = catch(&Cache.into_shared(), options, 20);
    assert!(caught.witnessed().is_some(), "{caught:?}");
}
