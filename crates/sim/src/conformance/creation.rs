//! Scenarios of creation and deletion: what readers see before, while and after an object comes or goes.

use super::stage::{LONG, MOMENT, P0, P1, Stage, create, first, is_done, read, register, value};
use crate::options::{Options, Profile};
use ssmr_core::{Layout, Oracle, Outcome, Request};

/// Scenario 1: Read before create: `NotFound`; create; the same reader finds it.
pub fn read_before_create<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    let mut stage = Stage::new(make, 1);
    let x = stage.object(P0, 1);
    assert_eq!(stage.read(1, x), None);
    stage.done(2, create(x, 7, P1));
    assert_eq!(stage.read(1, x), Some(register(7)));
    stage.close()
}

/// Scenario 2: A lookup overlaps a create that its oracle has not delivered: `NotFound` or the value, consistently; no error, no
/// hang.
pub fn lookup_overlaps_create<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    first((0..20u64).zip((0..).step_by(200)).map(|(seed, delay)| {
        let mut stage = Stage::new(make, seed);
        let x = stage.object(P0, 1);
        stage.read(2, x);
        // The create gets stuck between its groups, if it has several.
        let (inside, outside) = (stage.group(P0), stage.others(P0));
        stage.world.hold(&inside, &outside);
        let creation = stage.ask(1, create(x, 7, P1));
        stage.pass(delay);
        let lookup = stage.ask(2, Request::lookup(x));
        stage.pass(MOMENT);
        let early = stage.has_ended(creation);
        stage.world.release();
        let seen = is_done(&stage.wait(lookup));
        let later = is_done(&stage.run(2, Request::lookup(x)));
        assert!(later || !seen, "what was there is gone");
        assert!(is_done(&stage.wait(creation)));
        assert!(
            early || stage.owner(x, P1) == P1,
            "only a create at one group ends early"
        );
        assert_eq!(stage.read(2, x), Some(register(7)));
        stage.close()
    }))
}

/// Scenario 3: The location is known while the create is still under way: the read waits and returns the value.
pub fn location_known_before_the_create_ends<O: Oracle>(
    make: impl Fn(Layout) -> O + Copy,
) -> String {
    let mut stage = Stage::new(make, 3);
    let x = stage.object(P0, 1);
    let owner = stage.owner(x, P1);
    let hint = super::hints::hint(x, owner, 1);
    let y = stage.object(P0, 2);
    stage.read(2, y);
    let (inside, outside) = (stage.group(owner), stage.others(owner));
    stage.world.hold(&outside, &inside);
    let creation = stage.ask(1, create(x, 7, P1));
    stage.pass(MOMENT);
    stage.world.tell_client(ssmr_core::ClientId(2), vec![hint]);
    stage.pass(MOMENT);
    let reading = stage.ask(2, read(&[x]));
    stage.pass(MOMENT);
    // Where several groups must agree on the create, neither can have ended.
    assert_eq!(stage.has_ended(reading), stage.has_ended(creation));
    stage.world.release();
    let found = stage.wait(reading);
    assert_eq!(
        value(&found),
        Some(register(7)),
        "the read was ordered behind the create"
    );
    // It may come back, where another group's clock puts the create behind its first attempt.
    assert_eq!(found.cost.fallbacks, 0);
    assert!(is_done(&stage.wait(creation)));
    stage.close()
}

/// Scenario 4: The location is announced but the create loses (the id exists): the reader sees the winner, the loser
/// `AlreadyExists`.
pub fn announced_but_lost<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    first((4..24).map(|seed| {
        let mut stage = Stage::new(make, seed);
        let x = stage.object(P0, 1);
        stage.done(1, create(x, 7, P0));
        let y = stage.object(P0, 2);
        stage.read(3, y);
        // Until every replica that may be consulted knows the winner.
        stage.pass(LONG);
        let announced = super::hints::hint(x, P1, 1 << 40);
        stage
            .world
            .tell_client(ssmr_core::ClientId(3), vec![announced]);
        let losing = stage.ask(2, create(x, 8, P1));
        let reading = stage.ask(3, read(&[x]));
        assert_eq!(stage.wait(losing).outcome, Outcome::AlreadyExists);
        let found = stage.wait(reading);
        assert_eq!(value(&found), Some(register(7)));
        let cost = found.cost;
        assert!(cost.retries <= 1 && cost.fallbacks == 0, "{seed}: {cost:?}");
        stage.close()
    }))
}

/// Scenario 8: Two creates of one id aimed at different partitions: one winner everywhere.
pub fn two_creates_have_one_winner<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    first((0..20).map(|seed| {
        let options = Options {
            partitions: 2,
            profile: Profile::Reorder,
            ..Options::default()
        };
        let mut stage = Stage::with(make, seed, options);
        let x = stage.object(P0, 1);
        let first = stage.ask(1, create(x, 7, P0));
        let second = stage.ask(2, create(x, 8, P1));
        let (first, second) = (stage.wait(first).outcome, stage.wait(second).outcome);
        let won = matches!(first, Outcome::Done(_));
        let loser = if won { second } else { first };
        assert_eq!(loser, Outcome::AlreadyExists);
        for reader in 1..=4 {
            assert_eq!(
                stage.read(reader, x),
                Some(register(if won { 7 } else { 8 }))
            );
        }
        stage.close()
    }))
}

/// Scenario 7: Delete with cached locations: once anybody knows that the object is gone, no cached location finds its value.
pub fn delete_with_cached_locations<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    first((0..8u64).map(|seed| {
        let mut stage = Stage::new(make, seed);
        let x = stage.object(P0, 1);
        stage.done(1, create(x, 7, P1));
        for client in 1..=3 {
            assert_eq!(stage.read(client, x), Some(register(7)));
        }
        // The delete gets stuck between its groups, in one direction or the other.
        let (inside, outside) = (stage.group(P1), stage.others(P1));
        let (from, to) = if seed.is_multiple_of(2) {
            (inside, outside)
        } else {
            (outside, inside)
        };
        stage.world.hold(&from, &to);
        let deletion = stage.ask(2, Request::delete(x));
        stage.pass(MOMENT / 2);
        let lookup = stage.ask(3, Request::lookup(x));
        stage.pass(seed * MOMENT / 8);
        let gone = stage.has_ended(lookup) && !is_done(&stage.wait(lookup));
        let reading = stage.ask(1, read(&[x]));
        stage.pass(MOMENT);
        stage.world.release();
        let found = value(&stage.wait(reading));
        assert!(
            !gone || found.is_none(),
            "one was told that it is absent, then another one reads it"
        );
        assert!(is_done(&stage.wait(deletion)));
        stage.wait(lookup);
        assert_eq!(stage.read(1, x), None);
        stage.done(3, create(x, 9, P0));
        stage.pass(LONG);
        assert_eq!(stage.read(1, x), Some(register(9)));
        stage.close()
    }))
}
