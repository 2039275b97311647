//! Scenarios of the shared cache. Strategies that have none pass them as well.

use super::failures::two_apart;
use super::scenario::{LONG, MOMENT, P0, P1, Scenario, create, each, register, update};
use crate::cache::Ailment;
use ssmr_core::{Oracle, Request};
use std::sync::Arc;

/// Scenario 11: The cache is flushed, serves slowly, dies, comes back and lies: slower, never
/// wrong.
pub fn the_cache_fails_in_every_way(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 11);
    let objects = two_apart(&mut scenario);
    let mut writes = 0;
    for ailment in [
        Ailment::Flushed,
        Ailment::Slow,
        Ailment::Dead,
        Ailment::Slow,
        Ailment::Lying,
    ] {
        for healthy in [true, false] {
            scenario.hush(writes >= 4);
            if healthy {
                scenario.world.cache.revive();
            } else {
                scenario.world.note(|| format!("cache: {ailment:?}"));
                scenario.world.cache.suffer(ailment);
            }
            // A client that knows nothing, and one that has seen it all.
            for client in [1, 10 + writes] {
                scenario.done(client, update(&objects, client));
                writes += 1;
            }
            let moved = scenario.run(
                1,
                Request::relocate(objects[0], if healthy { P1 } else { P0 }),
            );
            assert_eq!(super::scenario::is_done(&moved), scenario.oracle.movable());
            scenario.pass(LONG);
            for object in objects {
                assert_eq!(
                    scenario.read(2, object).map(|register| register.writes),
                    Some(writes)
                );
            }
            scenario.pass(MOMENT);
        }
    }
    scenario.close()
}

/// Scenario 19: Two runs share one cache, of the same shape and schedule but with other values: the
/// second never reads the first one's values, for whoever carries the calls to the cache out keeps
/// the keys of clusters apart.
pub fn two_runs_share_a_cache(oracle: &Arc<dyn Oracle>) -> String {
    let mut old = Scenario::new(oracle, 19);
    let objects = [P0, P1].map(|at| (at, old.object(at, 1)));
    let [x, y] = objects.map(|(_, object)| object);
    objects
        .into_iter()
        .for_each(|(at, object)| drop(old.done(1, create(object, 7, at))));
    old.done(2, update(&[x, y], 1));
    let mut new = Scenario::new(oracle, 19);
    new.world.cache = std::mem::take(&mut old.world.cache);
    new.world.cache.incarnation += 1;
    let before = old.close();
    objects
        .into_iter()
        .for_each(|(at, object)| drop(new.done(1, create(object, 8, at))));
    let seen = super::scenario::values(&new.done(2, update(&[x, y], 1)));
    assert_eq!(seen, Some(vec![register(8); 2]));
    assert_eq!(new.read(3, x).map(|register| register.writes), Some(1));
    each([before, new.close()].into_iter())
}
