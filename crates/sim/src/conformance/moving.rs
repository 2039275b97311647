//! Scenarios of moves: stale locations, races, ping-pong. A strategy that cannot move says so, and
//! loses nothing by it.

use super::hints::hint;
use super::scenario::{LONG, P0, P1, P2, Scenario, Ticket, create, first, read, register, update};
use crate::options::{Options, Profile};
use ssmr_core::{Execution, ObjectId, Oracle, Outcome, Request};
use std::sync::Arc;

/// Scenario 5: A caches x at p1; B moves x to p2; A reads with its stale cache: one `Retry` with a
/// hint, then the value.
pub fn a_stale_location_costs_one_retry(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::with(oracle, 5, Options::default());
    let x = scenario.object(P1, 1);
    scenario.done(3, create(x, 7, P1));
    assert_eq!(scenario.read(1, x), Some(register(7)));
    let moved = scenario.run(2, Request::relocate(x, P2));
    let again = scenario.run(1, read(&[x]));
    assert_eq!(super::scenario::value(&again), Some(register(7)));
    if scenario.oracle.movable() {
        assert!(super::scenario::is_done(&moved), "{:?}", moved.outcome);
        assert_eq!((again.cost.retries, again.cost.fallbacks), (1, 0));
        let third = scenario.run(1, read(&[x]));
        assert_eq!(third.cost.retries, 0, "the hint was learned");
    } else {
        assert_eq!(moved.outcome, Outcome::Unsupported);
        assert_eq!(again.cost.retries, 0);
    }
    scenario.close()
}

/// Scenario 6: Updates of an object that moves all the time are never lost and never doubled.
pub fn moves_race_everything(oracle: &Arc<dyn Oracle>) -> String {
    first((0..10u64).map(|seed| {
        let profile = if seed.is_multiple_of(2) {
            Profile::Reorder
        } else {
            Profile::Lossy
        };
        let mut scenario = Scenario::with(
            oracle,
            seed,
            Options {
                profile,
                ..Options::default()
            },
        );
        let x = scenario.object(P0, 1);
        scenario.done(1, create(x, 7, P0));
        let mut tickets = Vec::new();
        for round in 0..6 {
            scenario.hush(round >= 1);
            for (client, to) in (1..).zip([P0, P1, P2]) {
                tickets.push((scenario.ask(client, Request::relocate(x, to)), false));
                tickets.push((
                    scenario.ask(client + 3, update(&[x], round * 8 + client)),
                    true,
                ));
            }
            scenario.pass(seed * 1_000);
        }
        for (ticket, updates) in tickets {
            let outcome = scenario.wait(ticket).outcome;
            let possible = updates || scenario.oracle.movable();
            assert_eq!(outcome == Outcome::Unsupported, !possible, "{outcome:?}");
        }
        assert_eq!(
            scenario.read(7, x).map(|register| register.writes),
            Some(18)
        );
        scenario.close()
    }))
}

/// Scenario 6: A move, a read, an update and a delete of the same object at once, handed in in
/// every order: the checks at the end say whether anything was lost or doubled.
pub fn a_move_races_each_access_in_every_order(oracle: &Arc<dyn Oracle>) -> String {
    first((0..24u64).map(|order| {
        let profile = if order.is_multiple_of(2) {
            Profile::Calm
        } else {
            Profile::Reorder
        };
        let options = Options {
            partitions: 2,
            profile,
            ..Options::default()
        };
        let mut scenario = Scenario::with(oracle, order, options);
        let x = scenario.object(P0, 1);
        scenario.done(1, create(x, 7, P0));
        for client in 1..=4 {
            scenario.read(client, x);
        }
        let tickets: Vec<Ticket> = permutation(order, racers(x))
            .into_iter()
            .map(|(client, request)| {
                scenario.pass(order * 40);
                scenario.ask(client, request)
            })
            .collect();
        for ticket in tickets {
            let outcome = scenario.wait(ticket).outcome;
            let known = outcome.is_definite() || !scenario.oracle.movable();
            assert!(known, "{outcome:?}");
        }
        assert_eq!(scenario.read(5, x), None, "the delete took effect");
        scenario.close()
    }))
}

fn racers(x: ObjectId) -> Vec<(u64, Request)> {
    vec![
        (1, Request::relocate(x, P1)),
        (2, read(&[x])),
        (3, update(&[x], 1)),
        (4, Request::delete(x)),
    ]
}

/// The `n`-th order of some things.
fn permutation<T>(mut n: u64, mut things: Vec<T>) -> Vec<T> {
    let mut order = Vec::new();
    while !things.is_empty() {
        let count = things.len() as u64;
        order.push(things.remove((n % count) as usize));
        n /= count;
    }
    order
}

/// Scenario 12: Ping-pong: two clients gather the same object to different partitions for ever:
/// both make progress.
pub fn ping_pong(oracle: &Arc<dyn Oracle>) -> String {
    first((0..4).map(|seed| {
        let options = Options {
            partitions: 2,
            execution: Execution::Gather,
            ..Options::default()
        };
        let mut scenario = Scenario::with(oracle, seed, options);
        let ball = scenario.object(P0, 1);
        let sides = [P0, P1].map(|at| [scenario.object(at, 2), scenario.object(at, 3)]);
        scenario.done(1, create(ball, 7, P0));
        for (at, side) in [P0, P1].into_iter().zip(sides) {
            side.into_iter()
                .for_each(|object| drop(scenario.done(1, create(object, 7, at))));
        }
        let mut moves = 0;
        for round in 0..15 {
            scenario.hush(round >= 2);
            let both = [0, 1].map(|player: usize| {
                let [a, b] = sides[player];
                scenario.ask(player as u64 + 1, update(&[ball, a, b], round))
            });
            for ticket in both {
                let completion = scenario.wait(ticket);
                assert!(
                    super::scenario::is_done(&completion),
                    "{:?}",
                    completion.outcome
                );
                moves += completion.cost.moves;
            }
        }
        assert_eq!(moves > 0, scenario.oracle.movable());
        assert_eq!(
            scenario.read(3, ball).map(|register| register.writes),
            Some(30)
        );
        scenario.close()
    }))
}

/// Scenario 18: An owner update of an earlier life of the id arrives after it was deleted and
/// created again: ignored.
pub fn an_old_owner_update_is_ignored(oracle: &Arc<dyn Oracle>) -> String {
    first((18..38).map(|seed| {
        let mut scenario = Scenario::with(oracle, seed, Options::default());
        let x = scenario.object(P2, 1);
        let created = scenario.done(1, create(x, 7, P0));
        let moved = scenario.run(1, Request::relocate(x, P1));
        let last = moved.touched.first().or(created.touched.first());
        let epoch = last
            .and_then(|touch| touch.after)
            .map_or(0, |revision| revision.epoch.clock.0);
        scenario.done(1, Request::delete(x));
        scenario.done(1, create(x, 8, P2));
        scenario.world.tell_replicas(&[hint(x, P1, epoch)]);
        // Until the second life is known wherever a reader may ask.
        scenario.pass(LONG);
        for reader in 2..6 {
            let found = scenario.run(reader, read(&[x]));
            assert_eq!(super::scenario::value(&found), Some(register(8)));
            assert_eq!(found.cost.retries, 0, "{seed}: the old update was believed");
        }
        scenario.close()
    }))
}
