//! Faults built in on purpose: under strategy global too the checks of the clients' histories find
//! them. Assertions inside mostly find them first, so some take many seeds.

use ssmr_core::Execution::Exchange;
use ssmr_core::Mutant::{self, AbandonAttempts, NoSignalWait, OpenQueues};
use ssmr_core::Oracle;
use ssmr_sim::conformance::{catch, catch_creator_only, catch_reads, catch_storage, hunt};
use ssmr_sim::{Options, Profile};
use ssmr_strategy_global::Global;

#[test]
fn a_missing_signal_wait_is_found() {
    let caught = hunt(
        &Global.into_shared(),
        NoSignalWait,
        Profile::Slow,
        Exchange,
        3,
        600,
    );
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

#[test]
fn open_queues_are_found() {
    let caught = hunt(
        &Global.into_shared(),
        OpenQueues,
        Profile::Deaths,
        Exchange,
        3,
        60,
    );
    assert!(caught.witnessed().is_some(), "{caught:?}");
}

#[test]
fn abandoned_attempts_are_found() {
    let caught = hunt(
        &Global.into_shared(),
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
    catch_reads(&Global.into_shared());
}

#[test]
fn what_storage_and_snapshots_lose_is_found() {
    catch_storage(&Global.into_shared());
}

#[test]
fn authority_of_the_creator_alone_is_found() {
    catch_creator_only(&Global.into_shared());
}

#[test]
fn expectations_that_are_ignored_are_found() {
    let options = Options {
        mutant: Some(Mutant::IgnoredExpectations),
        ..Options::default()
    };
    let caught = catch(&Global.into_shared(), options, 20);
    assert!(caught.witnessed().is_some(), "{caught:?}");
}
