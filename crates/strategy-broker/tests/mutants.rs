//! Faults built in on purpose: under strategy broker too the checks of the clients' histories find them.
//! Assertions inside mostly find them first, so some take many seeds.

use ssmr_core::Execution::{self, Exchange};
use ssmr_core::Mutant::{self, AbandonAttempts, NoSignalWait, OpenQueues};
use ssmr_sim::conformance::{Caught, catch, catch_creator_only, catch_reads, catch_storage};
use ssmr_sim::{Options, Profile};
use ssmr_strategy_broker::Broker;

fn hunt(mutant: Mutant, profile: Profile, execution: Execution, seeds: u64) -> Caught {
    let mutant = Some(mutant);
    let options = Options {
        mutant,
        profile,
        execution,
        ..Options::default()
    };
    catch(Broker::new, options, seeds)
}

#[test]
fn a_missing_signal_wait_is_found() {
    let options = Options {
        mutant: Some(NoSignalWait),
        profile: Profile::Deaths,
        execution: Execution::Gather,
        partitions: 2,
        ..Options::default()
    };
    let caught = catch(Broker::new, options, 150);
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
    catch_reads(Broker::new);
}

#[test]
fn what_storage_and_snapshots_lose_is_found() {
    catch_storage(Broker::new);
}

#[test]
fn authority_of_the_creator_alone_is_found() {
    catch_creator_only(Broker::new);
}
