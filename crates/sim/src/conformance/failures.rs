//! Scenarios of failures: leaders stop, clients die, timestamps are lost, clocks jump.

use super::scenario::{
    LONG, MOMENT, P0, P1, Scenario, create, each, first, is_done, register, update,
};
use crate::network::Seat;
use ssmr_core::{ClientId, GroupId, Oracle, PartitionId, Request};
use std::sync::Arc;

/// Scenario 9: The leader of the owner dies after executing and before answering: the repeated
/// request gets the recorded outcome.
pub fn the_owners_leader_dies_before_answering(oracle: &Arc<dyn Oracle>) -> String {
    first((0..5).map(|seed| {
        let mut scenario = Scenario::new(oracle, seed);
        let x = scenario.object(P0, 1);
        scenario.done(1, create(x, 7, P1));
        scenario.read(1, x);
        let owner = scenario.owner(x, P1);
        let (replicas, client) = (scenario.group(owner), Seat::Client(ClientId(1)));
        scenario.world.hold(&replicas, &[client]);
        let ticket = scenario.ask(1, update(&[x], 1));
        scenario.pass(MOMENT);
        scenario.stop_leader(owner);
        let unheard = scenario.world.discard();
        assert!(unheard > 0, "it was executed and answered");
        assert!(!scenario.has_ended(ticket));
        let told = scenario.wait(ticket);
        assert_eq!(super::scenario::value(&told), Some(register(7)));
        assert_eq!(told.cost.retries, 0, "the same attempt was repeated");
        assert_eq!(scenario.read(2, x).map(|register| register.writes), Some(1));
        scenario.close()
    }))
}

/// Scenario 10: The oracle's leader dies during creates, moves and lookups: they stall for one
/// election and then finish.
pub fn the_oracles_leader_dies(oracle: &Arc<dyn Oracle>) -> String {
    first((0..5).map(|seed| {
        let mut scenario = Scenario::new(oracle, seed);
        let [a, b, c, d] = [1, 2, 3, 4].map(|n| scenario.object(P0, n));
        let oracle = scenario.placement().authority(a).iter().last();
        let oracle = oracle.unwrap_or(GroupId::from(P0));
        scenario.done(1, create(a, 7, P1));
        scenario.done(1, create(b, 8, P0));
        scenario.done(1, create(c, 9, P1));
        let begun = scenario.world.now();
        let requests = [
            create(d, 10, P1),
            Request::relocate(a, P0),
            Request::lookup(b),
            update(&[a, b], 1),
            Request::delete(c),
        ];
        let tickets: Vec<_> = (1..)
            .zip(requests)
            .map(|(client, request)| scenario.ask(client, request))
            .collect();
        scenario.pass(seed * 300);
        scenario.stop_leader(oracle);
        for (ticket, moves) in tickets.into_iter().zip([false, true, false, false, false]) {
            let completion = scenario.wait(ticket);
            let possible = !moves || scenario.oracle.movable();
            assert_eq!(is_done(&completion), possible, "{:?}", completion.outcome);
        }
        let stalled = scenario.world.now().since(begun);
        assert!(stalled < 50 * MOMENT, "it took {stalled} us");
        scenario.close()
    }))
}

/// Scenario 13: A client dies after its message reached one of two destination groups: the other
/// group is not blocked.
pub fn a_client_dies_half_way(oracle: &Arc<dyn Oracle>) -> String {
    each([P0, P1].into_iter().map(|reached| {
        let mut scenario = Scenario::new(oracle, 13);
        let objects = two_apart(&mut scenario);
        scenario.done(1, super::scenario::read(&objects));
        let (client, rest) = (Seat::Client(ClientId(1)), scenario.others(reached));
        scenario.world.hold(&[client], &rest);
        let ticket = scenario.ask(1, update(&objects, 1));
        scenario.pass(1_000);
        assert!(!scenario.has_ended(ticket));
        scenario.world.kill(ClientId(1));
        scenario.world.discard();
        let begun = scenario.world.now();
        scenario.done(2, update(&objects, 2));
        let waited = scenario.world.now().since(begun);
        assert!(waited < 10 * MOMENT, "blocked for {waited} us");
        for object in objects {
            let writes = scenario.read(2, object).map(|register| register.writes);
            assert_eq!(writes, Some(2), "what reached one group reached both");
        }
        scenario.close()
    }))
}

/// Scenario 16: The timestamp that A sent to B is lost after A has delivered the message: B still
/// completes, also if A's leader is lost with it.
pub fn a_timestamp_is_lost_after_the_delivery(oracle: &Arc<dyn Oracle>) -> String {
    each(
        [
            (P0, P1, false),
            (P1, P0, false),
            (P0, P1, true),
            (P1, P0, true),
        ]
        .into_iter()
        .map(|(a, b, stops)| {
            let mut scenario = Scenario::new(oracle, 16);
            let objects = two_apart(&mut scenario);
            scenario.done(1, super::scenario::read(&objects));
            let (from, to) = (scenario.group(a), scenario.group(b));
            scenario.world.cut(&from, &to);
            let ticket = scenario.ask(1, update(&objects, 1));
            scenario.pass(10 * MOMENT);
            assert!(
                !scenario.has_ended(ticket),
                "A's timestamp has not reached B"
            );
            if stops {
                scenario.stop_leader(a);
            }
            scenario.world.heal(false);
            assert!(is_done(&scenario.wait(ticket)));
            for object in objects {
                assert_eq!(
                    scenario.read(2, object).map(|register| register.writes),
                    Some(1)
                );
            }
            scenario.close()
        }),
    )
}

/// Scenario 20: A leader's machine clock jumps a day ahead: sessions go on.
pub fn a_clock_jumps_a_day_ahead(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 20);
    let objects = two_apart(&mut scenario);
    scenario.done(1, update(&objects, 1));
    for group in [P0, P1] {
        let pending = scenario.ask(1, update(&objects, 2));
        if let Some(leader) = scenario.world.leader(group.into()) {
            scenario.world.jump_ahead(leader, 86_400_000_000);
        }
        assert!(is_done(&scenario.wait(pending)));
        scenario.pass(20 * MOMENT);
        let later = scenario.done(1, update(&objects, 3));
        assert_eq!(later.cost.retries, 0);
    }
    for object in objects {
        assert_eq!(
            scenario.read(2, object).map(|register| register.writes),
            Some(5)
        );
    }
    scenario.close()
}

/// Two objects at different partitions. The trace does not show how they came to be.
pub(super) fn two_apart(scenario: &mut Scenario) -> [ssmr_core::ObjectId; 2] {
    scenario.hush(true);
    let objects = [P0, P1].map(|at: PartitionId| (at, scenario.object(at, 1)));
    let objects = objects.map(|(at, object)| {
        scenario.done(1, create(object, 7, at));
        object
    });
    scenario.pass(LONG);
    scenario.hush(false);
    scenario
        .world
        .note(|| "x was created at p0 and y at p1".into());
    objects
}
