//! Scenarios of creation and deletion: what readers see before, while and after an object comes or
//! goes.

use super::scenario::{
    LONG, MOMENT, P0, P1, Scenario, create, first, is_done, read, register, value,
};
use crate::options::{Options, Profile};
use ssmr_core::{Oracle, Outcome, Request};
use std::sync::Arc;

/// Scenario 1: Read before create: `NotFound`; create; the same reader finds it.
pub fn read_before_create(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 1);
    let x = scenario.object(P0, 1);
    assert_eq!(scenario.read(1, x), None);
    scenario.done(2, create(x, 7, P1));
    assert_eq!(scenario.read(1, x), Some(register(7)));
    scenario.close()
}

/// Scenario 2: A lookup overlaps a create that its oracle has not delivered: `NotFound` or the
/// value, consistently; no error, no hang.
pub fn lookup_overlaps_create(oracle: &Arc<dyn Oracle>) -> String {
    first((0..20u64).zip((0..).step_by(200)).map(|(seed, delay)| {
        let mut scenario = Scenario::new(oracle, seed);
        let x = scenario.object(P0, 1);
        scenario.read(2, x);
        // The create gets stuck between its groups, if it has several.
        let (inside, outside) = (scenario.group(P0), scenario.others(P0));
        scenario.world.hold(&inside, &outside);
        let creation = scenario.ask(1, create(x, 7, P1));
        scenario.pass(delay);
        let lookup = scenario.ask(2, Request::lookup(x));
        scenario.pass(MOMENT);
        let early = scenario.has_ended(creation);
        scenario.world.release();
        let seen = is_done(&scenario.wait(lookup));
        let later = is_done(&scenario.run(2, Request::lookup(x)));
        assert!(later || !seen, "what was there is gone");
        assert!(is_done(&scenario.wait(creation)));
        assert!(
            early || scenario.owner(x, P1) == P1,
            "only a create at one group ends early"
        );
        assert_eq!(scenario.read(2, x), Some(register(7)));
        scenario.close()
    }))
}

/// Scenario 3: The location is known while the create is still under way: the read waits and
/// returns the value.
pub fn location_known_before_the_create_ends(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 3);
    let x = scenario.object(P0, 1);
    let owner = scenario.owner(x, P1);
    let hint = super::hints::hint(x, owner, 1);
    let y = scenario.object(P0, 2);
    scenario.read(2, y);
    let (inside, outside) = (scenario.group(owner), scenario.others(owner));
    scenario.world.hold(&outside, &inside);
    let creation = scenario.ask(1, create(x, 7, P1));
    scenario.pass(MOMENT);
    scenario
        .world
        .tell_client(ssmr_core::ClientId(2), vec![hint]);
    scenario.pass(MOMENT);
    let reading = scenario.ask(2, read(&[x]));
    scenario.pass(MOMENT);
    // Where several groups must agree on the create, neither can have ended.
    assert_eq!(scenario.has_ended(reading), scenario.has_ended(creation));
    scenario.world.release();
    let found = scenario.wait(reading);
    assert_eq!(
        value(&found),
        Some(register(7)),
        "the read was ordered behind the create"
    );
    // It may come back, where another group's clock puts the create behind its first attempt.
    assert_eq!(found.cost.fallbacks, 0);
    assert!(is_done(&scenario.wait(creation)));
    scenario.close()
}

/// Scenario 4: The location is announced but the create loses (the id exists): the reader sees the
/// winner, the loser `AlreadyExists`.
pub fn announced_but_lost(oracle: &Arc<dyn Oracle>) -> String {
    first((4..24).map(|seed| {
        let mut scenario = Scenario::new(oracle, seed);
        let x = scenario.object(P0, 1);
        scenario.done(1, create(x, 7, P0));
        let y = scenario.object(P0, 2);
        scenario.read(3, y);
        // Until every replica that may be consulted knows the winner.
        scenario.pass(LONG);
        let announced = super::hints::hint(x, P1, 1 << 40);
        scenario
            .world
            .tell_client(ssmr_core::ClientId(3), vec![announced]);
        let losing = scenario.ask(2, create(x, 8, P1));
        let reading = scenario.ask(3, read(&[x]));
        assert_eq!(scenario.wait(losing).outcome, Outcome::AlreadyExists);
        let found = scenario.wait(reading);
        assert_eq!(value(&found), Some(register(7)));
        let cost = found.cost;
        assert!(cost.retries <= 1 && cost.fallbacks == 0, "{seed}: {cost:?}");
        scenario.close()
    }))
}

/// Scenario 8: Two creates of one id aimed at different partitions: one winner everywhere.
pub fn two_creates_have_one_winner(oracle: &Arc<dyn Oracle>) -> String {
    first((0..20).map(|seed| {
        let options = Options {
            partitions: 2,
            profile: Profile::Reorder,
            ..Options::default()
        };
        let mut scenario = Scenario::with(oracle, seed, options);
        let x = scenario.object(P0, 1);
        let first = scenario.ask(1, create(x, 7, P0));
        let second = scenario.ask(2, create(x, 8, P1));
        let (first, second) = (scenario.wait(first).outcome, scenario.wait(second).outcome);
        let won = matches!(first, Outcome::Done(_));
        let loser = if won { second } else { first };
        assert_eq!(loser, Outcome::AlreadyExists);
        for reader in 1..=4 {
            assert_eq!(
                scenario.read(reader, x),
                Some(register(if won { 7 } else { 8 }))
            );
        }
        scenario.close()
    }))
}

/// Scenario 7: Delete with cached locations: once anybody knows that the object is gone, no cached
/// location finds its value.
pub fn delete_with_cached_locations(oracle: &Arc<dyn Oracle>) -> String {
    first((0..8u64).map(|seed| {
        let mut scenario = Scenario::new(oracle, seed);
        let x = scenario.object(P0, 1);
        scenario.done(1, create(x, 7, P1));
        for client in 1..=3 {
            assert_eq!(scenario.read(client, x), Some(register(7)));
        }
        // The delete gets stuck between its groups, in one direction or the other.
        let (inside, outside) = (scenario.group(P1), scenario.others(P1));
        let (from, to) = if seed.is_multiple_of(2) {
            (inside, outside)
        } else {
            (outside, inside)
        };
        scenario.world.hold(&from, &to);
        let deletion = scenario.ask(2, Request::delete(x));
        scenario.pass(MOMENT / 2);
        let lookup = scenario.ask(3, Request::lookup(x));
        scenario.pass(seed * MOMENT / 8);
        let gone = scenario.has_ended(lookup) && !is_done(&scenario.wait(lookup));
        let reading = scenario.ask(1, read(&[x]));
        scenario.pass(MOMENT);
        scenario.world.release();
        let found = value(&scenario.wait(reading));
        assert!(
            !gone || found.is_none(),
            "one was told that it is absent, then another one reads it"
        );
        assert!(is_done(&scenario.wait(deletion)));
        scenario.wait(lookup);
        assert_eq!(scenario.read(1, x), None);
        scenario.done(3, create(x, 9, P0));
        scenario.pass(LONG);
        assert_eq!(scenario.read(1, x), Some(register(9)));
        scenario.close()
    }))
}
