//! Scenarios of the shared cache. Strategies that have none pass them as well.

use super::failures::two_apart;
use super::stage::{LONG, MOMENT, P0, P1, Stage, create, each, register, update};
use crate::cache::Ailment;
use ssmr_core::{Layout, Oracle, Request};

/// Scenario 11: The cache is flushed, serves slowly, dies and comes back: slower, never wrong.
pub fn the_cache_fails_in_every_way<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    let mut stage = Stage::new(make, 11);
    let objects = two_apart(&mut stage);
    let mut writes = 0;
    for ailment in [
        Ailment::Flushed,
        Ailment::Slow,
        Ailment::Dead,
        Ailment::Slow,
    ] {
        for healthy in [true, false] {
            stage.hush(writes >= 4);
            if healthy {
                stage.world.cache.revive();
            } else {
                stage.world.note(|| format!("cache: {ailment:?}"));
                stage.world.cache.suffer(ailment);
            }
            // A client that knows nothing, and one that has seen it all.
            for client in [1, 10 + writes] {
                stage.done(client, update(&objects, client));
                writes += 1;
            }
            let moved = stage.run(
                1,
                Request::relocate(objects[0], if healthy { P1 } else { P0 }),
            );
            assert_eq!(super::stage::is_done(&moved), stage.oracle.movable());
            stage.pass(LONG);
            for object in objects {
                assert_eq!(
                    stage.read(2, object).map(|register| register.writes),
                    Some(writes)
                );
            }
            stage.pass(MOMENT);
        }
    }
    stage.close()
}

/// Scenario 19: Two runs share one cache, of the same shape and schedule but with other values: the second never reads the first
/// one's values. `first` and `second` are the strategy of two incarnations.
pub fn two_runs_share_a_cache<O: Oracle>(
    first: impl Fn(Layout) -> O,
    second: impl Fn(Layout) -> O,
) -> String {
    let mut old = Stage::new(first, 19);
    let objects = [P0, P1].map(|at| (at, old.object(at, 1)));
    let [x, y] = objects.map(|(_, object)| object);
    objects
        .into_iter()
        .for_each(|(at, object)| drop(old.done(1, create(object, 7, at))));
    old.done(2, update(&[x, y], 1));
    let mut new = Stage::new(second, 19);
    new.world.cache = std::mem::take(&mut old.world.cache);
    let before = old.close();
    objects
        .into_iter()
        .for_each(|(at, object)| drop(new.done(1, create(object, 8, at))));
    let seen = super::stage::values(&new.done(2, update(&[x, y], 1)));
    assert_eq!(seen, Some(vec![register(8); 2]));
    assert_eq!(new.read(3, x).map(|register| register.writes), Some(1));
    each([before, new.close()].into_iter())
}
