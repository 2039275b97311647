//! Scenarios of early answers: a leader answers before its group has logged the signals that it
//! answers from.

use super::failures::two_apart;
use super::scenario::{MOMENT, P0, P2, Scenario, is_done, update};
use crate::network::Seat;
use crate::options::Options;
use ssmr_core::{ClientId, Micros, Oracle, Request};
use std::sync::Arc;

/// What each message takes.
const DELAY: Micros = 1_000;

/// Scenario 37: A leader answers early and stops at once: the next one comes to the same answer,
/// and whoever reads then sees what the client was told.
pub fn an_early_answer_outlives_its_leader(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 37);
    let objects = two_apart(&mut scenario);
    scenario.world.network.even_out(DELAY);
    let ticket = scenario.ask(1, update(&objects, 1));
    assert!(is_done(&scenario.wait(ticket)));
    let unfinished = scenario.world.unfinished(P0.into());
    assert!(unfinished > 0, "the group has not logged why");
    scenario.stop_leader(P0);
    scenario.read_written(2, &objects.map(|object| (object, 1)));
    scenario.close()
}

/// Scenario 38: An early answer is lost and its leader can log nothing any more: asked again, it
/// gives the same answer.
pub fn an_early_answer_is_repeated(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 38);
    let objects = two_apart(&mut scenario);
    scenario.world.network.even_out(DELAY);
    let leader = scenario.world.leader(P0.into());
    let leader = Seat::Replica(leader.unwrap_or_else(|| unreachable!("all is well")));
    let followers = scenario
        .group(P0)
        .into_iter()
        .filter(|seat| *seat != leader);
    let followers: Vec<Seat> = followers.collect();
    scenario.world.hold(&[leader], &[Seat::Client(ClientId(1))]);
    let ticket = scenario.ask(1, update(&objects, 1));
    scenario.until(|world| world.held() > 0);
    scenario.world.cut(&followers, &[leader]);
    assert_eq!(scenario.world.discard(), 1, "the answer is lost");
    assert!(!scenario.has_ended(ticket));
    let told = scenario.wait(ticket);
    assert!(is_done(&told) && told.cost.retries == 0, "{told:?}");
    let unfinished = scenario.world.unfinished(P0.into());
    assert!(unfinished > 0, "the group could not log why");
    scenario.world.heal(false);
    scenario.read_written(2, &objects.map(|object| (object, 1)));
    scenario.close()
}

/// Scenario 39: A client whose location of one of two objects is stale is told so early, with where
/// the object is: its next attempt goes there, and nowhere else.
pub fn an_early_retry_tells_the_way(oracle: &Arc<dyn Oracle>) -> String {
    let options = Options {
        partitions: 3,
        ..Options::default()
    };
    let mut scenario = Scenario::with(oracle, 39, options);
    let objects = two_apart(&mut scenario);
    scenario.done(1, update(&objects, 1));
    scenario.pass(MOMENT);
    let moved = scenario.run(2, Request::relocate(objects[1], P2));
    assert_eq!(is_done(&moved), oracle.movable());
    let told = scenario.done(1, update(&objects, 2));
    let cost = (told.cost.retries, told.cost.fallbacks);
    assert_eq!(cost, (u32::from(oracle.movable()), 0), "{told:?}");
    scenario.read_written(2, &objects.map(|object| (object, 2)));
    scenario.close()
}
