//! Faults built in on purpose: under strategy cache too the checks of the clients' histories find them.
//! Assertions inside mostly find them first, so some take many seeds.

use ssmr_core::Execution::{self, Exchange};
use ssmr_core::Mutant::{self, AbandonAttempts, NoSignalWait, OpenQueues};
use ssmr_sim::conformance::{Caught, catch, catch_creator_only, catch_reads, catch_storage};
use ssmr_sim::{Options, Profile};
use ssmr_strategy_cache::Cache;

fn hunt(mutant: Mutant, profile: Profile, execution: Execution, seeds: u64) -> Caught {
    let mutant = Some(mutant);
    let options = Options {
        mutant,
        profile,
        execution,
        ..Options::default()
    };
    catch(|layout| Cache::new(layout, 7), options, seeds)
}

#[test]
fn a_missing_signal_wait_is_found() {
    let options = Options {
        mutant: Some(NoSignalWait),
        profile: Profile::Calm,
        execution: Execution::Gather,
        partitions: 2,
        ..Options::default()
    };
    let caught = catch(|layout| Cache::new(layout, 7), options, 60);
    assert!(caught.says("witnessed: not linearizable: "));
}

#[test]
fn open_queues_are_found() {
    let caught = hunt(OpenQueues, Profile::Deaths, Exchange, 40);
    assert!(caught.says("witnessed: not linearizable: "));
}

#[test]
fn abandoned_attempts_are_found() {
    let caught = hunt(AbandonAttempts, Profile::Deaths, Exchange, 10);
    assert!(caught.says("witnessed: not linearizable: an object exists where it must not"));
}

#[test]
fn reads_of_the_past_are_found() {
    catch_reads(|layout| Cache::new(layout, 1));
}

#[test]
fn what_storage_and_snapshots_lose_is_found() {
    catch_storage(|layout| Cache::new(layout, 1));
}

#[test]
fn authority_of_the_creator_alone_is_found() {
    catch_creator_only(|layout| Cache::new(layout, 1));
}

#[test]
fn mutable_cache_keys_are_found() {
    let broken = |layout| Cache::new(layout, 1).with_mutant(Mutant::MutableCacheKeys);
    let caught = catch(broken, Options::default(), 40);
    assert!(caught.says("witnessed: not linearizable: "));
}
