//! Scenarios of reads that are not ordered.

use super::failures::two_apart;
use super::stage::{LONG, MOMENT, P0, Stage, create, each, is_done, read, update};
use crate::options::Options;
use ssmr_core::{GroupId, Layout, Oracle, Reads};

/// The ways of reading that do not go through the log.
const UNORDERED: [Reads; 2] = [Reads::Index, Reads::Lease];

/// Scenario 22: A leader is cut off from its group and does not know it; a client that does not know it either is not told
/// what was true before.
pub fn a_deposed_leader_answers_no_reads<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    each(UNORDERED.into_iter().map(|reads| {
        let mut stage = Stage::with(make, 22, options(reads));
        let x = stage.object(P0, 1);
        stage.done(1, create(x, 7, P0));
        stage.pass(LONG);
        for client in [1, 2] {
            stage.read(client, x);
            let told = stage.run(client, read(&[x]));
            assert!(told.cost.unordered, "client {client} knows where x is");
        }
        let owner = GroupId::from(stage.owner(x, P0));
        let old = stage.world.leader(owner).expect("the group has a leader");
        stage.world.sever(old, false, false);
        // Client 1 hands it in at the old leader first, which cannot commit it.
        stage.done(1, update(&[x], 1));
        let ticket = stage.ask(2, read(&[x]));
        stage.pass(MOMENT);
        assert!(!stage.has_ended(ticket), "the old leader cannot know");
        let told = super::stage::value(&stage.wait(ticket));
        assert_eq!(told.map(|register| register.writes), Some(1));
        stage.world.heal(false);
        stage.pass(LONG);
        assert!(stage.run(2, read(&[x])).cost.unordered);
        stage.close()
    }))
}

/// Scenario 23: A command was answered by one of its partitions and still waits for signals at another (rule R3): a read there is
/// not told what was true before.
pub fn a_read_waits_for_what_is_queued<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    each(UNORDERED.into_iter().map(|reads| {
        let mut stage = Stage::with(make, 23, options(reads));
        let objects = two_apart(&mut stage);
        stage.done(1, read(&objects));
        stage.done(2, read(&objects[1..]));
        stage.pass(LONG);
        assert!(stage.done(2, read(&objects[1..])).cost.unordered);
        stage.world.lose_signals(Some(P0.into()));
        stage.done(1, update(&objects, 1));
        let ticket = stage.ask(2, read(&objects[1..]));
        stage.pass(LONG);
        assert!(
            !stage.has_ended(ticket),
            "the update has not finished there"
        );
        stage.world.lose_signals(None);
        let told = stage.wait(ticket);
        assert!(is_done(&told) && !told.cost.unordered, "it was declined");
        let seen = super::stage::value(&told);
        assert_eq!(seen.map(|register| register.writes), Some(1));
        stage.close()
    }))
}

fn options(reads: Reads) -> Options {
    Options {
        partitions: 2,
        reads,
        ..Options::default()
    }
}
