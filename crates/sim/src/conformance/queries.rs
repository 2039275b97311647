//! Scenarios of reads that are not ordered.

use super::failures::two_apart;
use super::scenario::{LONG, MOMENT, P0, Scenario, create, each, is_done, read, update};
use crate::options::Options;
use ssmr_core::{GroupId, Oracle, Reads};
use std::sync::Arc;

/// The ways of reading that do not go through the log.
const UNORDERED: [Reads; 2] = [Reads::Index, Reads::Lease];

/// Scenario 22: A leader is cut off from its group and does not know it; a client that does not
/// know it either is not told what was true before.
pub fn a_deposed_leader_answers_no_reads(oracle: &Arc<dyn Oracle>) -> String {
    each(UNORDERED.into_iter().map(|reads| {
        let mut scenario = Scenario::with(oracle, 22, options(reads));
        let x = scenario.object(P0, 1);
        scenario.done(1, create(x, 7, P0));
        scenario.pass(LONG);
        for client in [1, 2] {
            scenario.read(client, x);
            let told = scenario.run(client, read(&[x]));
            assert!(told.cost.unordered, "client {client} knows where x is");
        }
        let owner = GroupId::from(scenario.owner(x, P0));
        let old = scenario
            .world
            .leader(owner)
            .expect("the group has a leader");
        scenario.world.sever(old, false, false);
        // Client 1 hands it in at the old leader first, which cannot commit it.
        scenario.done(1, update(&[x], 1));
        let ticket = scenario.ask(2, read(&[x]));
        scenario.pass(MOMENT);
        assert!(!scenario.has_ended(ticket), "the old leader cannot know");
        let told = super::scenario::value(&scenario.wait(ticket));
        assert_eq!(told.map(|register| register.writes), Some(1));
        scenario.world.heal(false);
        scenario.pass(LONG);
        assert!(scenario.run(2, read(&[x])).cost.unordered);
        scenario.close()
    }))
}

/// Scenario 23: A command was answered by one of its partitions and still waits for signals at
/// another (rule R3): a read there is not told what was true before.
pub fn a_read_waits_for_what_is_queued(oracle: &Arc<dyn Oracle>) -> String {
    each(UNORDERED.into_iter().map(|reads| {
        let mut scenario = Scenario::with(oracle, 23, options(reads));
        let objects = two_apart(&mut scenario);
        scenario.done(1, read(&objects));
        scenario.done(2, read(&objects[1..]));
        scenario.pass(LONG);
        assert!(scenario.done(2, read(&objects[1..])).cost.unordered);
        scenario.world.lose_signals(Some(P0.into()));
        scenario.done(1, update(&objects, 1));
        let ticket = scenario.ask(2, read(&objects[1..]));
        scenario.pass(LONG);
        assert!(
            !scenario.has_ended(ticket),
            "the update has not finished there"
        );
        scenario.world.lose_signals(None);
        let told = scenario.wait(ticket);
        assert!(is_done(&told) && !told.cost.unordered, "it was declined");
        let seen = super::scenario::value(&told);
        assert_eq!(seen.map(|register| register.writes), Some(1));
        scenario.close()
    }))
}

fn options(reads: Reads) -> Options {
    Options {
        partitions: 2,
        reads,
        ..Options::default()
    }
}
