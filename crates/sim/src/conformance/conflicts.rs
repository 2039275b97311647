//! Scenarios of who waits for whom in the order: a command waits for those that share an object
//! with it, for what these wait for, and for nobody else.

use super::failures::two_apart;
use super::scenario::{LONG, MOMENT, P0, P1, P2, Scenario, Ticket, create, is_done, read, update};
use crate::options::Options;
use ssmr_core::{ObjectId, Oracle, PartitionId};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Scenario 41: One of two groups has no majority for a while, and a command to both is pending.
/// The other group answers commands on other objects. Those that share an object with the pending
/// one wait, and so do those that share one with these. All of them end when the group is back.
pub fn a_group_without_a_majority_holds_up_what_is_tied_to_it(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 37);
    let [x, y] = two_apart(&mut scenario);
    let [z, u] = [2, 3].map(|number| another(&mut scenario, P0, number));
    scenario
        .world
        .note(|| "z and u were created at p0; all clients know where everything is".into());
    all_know(&mut scenario, 1..=5, &[x, y, z, u]);
    let inside = scenario.group(P1);
    scenario.world.cut(&inside, &inside);
    // The second one shares an object with the first, the third one with the second alone.
    let requests = [
        update(&[x, y], 1),
        update(&[x, z], 2),
        update(&[z], 3),
        read(&[x]),
    ];
    let asked = (1..).zip(requests).map(|(client, request)| {
        let ticket = scenario.ask(client, request);
        scenario.pass(MOMENT);
        ticket
    });
    let tied: Vec<Ticket> = asked.collect();
    for mark in 4..9 {
        assert!(is_done(&scenario.run(5, update(&[u], mark))));
    }
    scenario.pass(LONG);
    for &ticket in &tied {
        assert!(!scenario.has_ended(ticket), "{ticket:?} did not wait");
    }
    scenario.world.heal(false);
    for ticket in tied {
        assert!(is_done(&scenario.wait(ticket)));
    }
    scenario.read_written(5, &[(x, 2), (y, 1), (z, 2), (u, 5)]);
    scenario.close()
}

/// Scenario 42: The timestamp of a command to two groups is lost on its way to one of them. There a
/// command to that group and a third one, and commands to that group alone, do not wait for it.
pub fn a_command_does_not_wait_for_strangers(oracle: &Arc<dyn Oracle>) -> String {
    let options = Options {
        partitions: 3,
        ..Options::default()
    };
    let mut scenario = Scenario::with(oracle, 38, options);
    let [x, y] = two_apart(&mut scenario);
    let [z, u] = [2, 3].map(|number| another(&mut scenario, P0, number));
    let v = another(&mut scenario, P2, 4);
    scenario.world.note(|| {
        "z and u were created at p0, and v at p2; all clients know where everything is".into()
    });
    all_know(&mut scenario, 1..=3, &[x, y, z, u, v]);
    let (from, to) = (scenario.group(P1), scenario.group(P0));
    scenario.world.cut(&from, &to);
    let stranger = scenario.ask(1, update(&[x, y], 1));
    scenario.pass(MOMENT);
    for mark in 2..5 {
        assert!(is_done(&scenario.run(2, update(&[z, v], mark))));
        assert!(is_done(&scenario.run(3, update(&[u], mark))));
    }
    assert!(!scenario.has_ended(stranger), "its timestamp was not lost");
    scenario.world.heal(false);
    assert!(is_done(&scenario.wait(stranger)));
    scenario.read_written(2, &[(x, 1), (y, 1), (z, 3), (u, 3), (v, 3)]);
    scenario.close()
}

/// A new object at a partition. The trace does not show how it came to be.
fn another(scenario: &mut Scenario, home: PartitionId, number: u64) -> ObjectId {
    scenario.hush(true);
    let object = scenario.object(home, number);
    scenario.done(1, create(object, 7, home));
    scenario.hush(false);
    object
}

/// Has clients learn where objects are, which the trace does not show.
fn all_know(scenario: &mut Scenario, clients: RangeInclusive<u64>, objects: &[ObjectId]) {
    scenario.hush(true);
    for client in clients {
        for object in objects {
            scenario.read(client, *object);
        }
    }
    scenario.pass(LONG);
    scenario.hush(false);
}
