//! Scenarios of groups that are apart in time: clocks that lag, sessions that have expired,
//! commands that come too late.

use super::failures::two_apart;
use super::scenario::{MOMENT, P1, Scenario, each, is_done, read, update};
use crate::network::Seat;
use crate::options::Options;
use ssmr_core::limits::SESSION_TTL;
use ssmr_core::{ClientId, Oracle, Outcome};
use std::sync::Arc;

/// Scenario 17: A group with a far lower clock is the second destination: nobody waits long,
/// nothing is out of order.
pub fn a_group_with_a_far_lower_clock(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 17);
    let objects = two_apart(&mut scenario);
    scenario
        .world
        .note(|| "c1: 300 updates of the first object".into());
    scenario.hush(true);
    for round in 0..300 {
        scenario.done(1, update(&objects[..1], round));
    }
    scenario.hush(false);
    let begun = scenario.world.now();
    // Known to nobody who has seen the higher clock, and then to both.
    scenario.done(2, update(&objects[1..], 1));
    scenario.done(3, update(&objects, 2));
    scenario.done(1, update(&objects, 3));
    scenario.done(2, update(&objects[1..], 4));
    let waited = scenario.world.now().since(begun);
    assert!(waited < 10 * MOMENT, "it took {waited} us");
    let [low, high] =
        objects.map(|object| scenario.read(4, object).map(|register| register.writes));
    assert_eq!((low, high), (Some(302), Some(4)));
    scenario.close()
}

/// Scenario 17: The session has expired at the second destination of a message that the first has
/// timestamped: the attempt ends everywhere without effect. If the client is told by the verdict it
/// tries again in a new session; if the second group refuses it first, the outcome is unknown to
/// it, and nothing happened.
pub fn an_expired_session_at_the_second_group(oracle: &Arc<dyn Oracle>) -> String {
    each([false, true].into_iter().map(|refused| {
        let mut scenario = Scenario::with(oracle, 17, quiet());
        let objects = two_apart(&mut scenario);
        scenario.done(2, read(&objects));
        let (client, inside) = (Seat::Client(ClientId(2)), scenario.group(P1));
        let outside = scenario.others(P1);
        scenario.world.cut(&[client], &inside);
        scenario.world.hold(&outside, &inside);
        let ticket = scenario.ask(2, update(&objects, 1));
        scenario.pass(SESSION_TTL + 20 * MOMENT);
        assert!(!scenario.has_ended(ticket));
        if refused {
            scenario.world.heal(false);
            scenario.pass(100 * MOMENT);
            assert_eq!(scenario.wait(ticket).outcome, Outcome::Unknown);
        }
        scenario.world.release();
        scenario.pass(10 * MOMENT);
        scenario.world.heal(false);
        assert_eq!(is_done(&scenario.wait(ticket)), !refused);
        for object in objects {
            let writes = scenario.read(3, object).map(|register| register.writes);
            assert_eq!(writes, Some(u64::from(!refused)));
        }
        scenario.close()
    }))
}

/// Scenario 21: A command comes once more, from its client, when the group has finished it, has
/// passed it by the session's low watermark, or has forgotten the session: nothing happens again,
/// and nobody waits.
pub fn a_late_command_after_forgetting(oracle: &Arc<dyn Oracle>) -> String {
    each([false, true].into_iter().map(|forgets| {
        let mut scenario = Scenario::with(oracle, 21, quiet());
        let objects = two_apart(&mut scenario);
        scenario.done(2, read(&objects));
        // The second group gets the command from the first one; what the client sent it stays on
        // the way.
        let (client, inside) = (Seat::Client(ClientId(2)), scenario.group(P1));
        scenario.world.hold(&[client], &inside);
        scenario.done(2, update(&objects, 1));
        scenario.world.let_through();
        scenario.hush(true);
        for round in 2..6 {
            scenario.done(2, update(&objects, round));
        }
        scenario.hush(false);
        scenario
            .world
            .note(|| "c2: four more updates of both".into());
        if forgets {
            scenario.pass(SESSION_TTL + 20 * MOMENT);
        }
        assert!(scenario.world.release() > 0, "something was on the way");
        scenario.pass(5 * MOMENT);
        scenario.done(4, update(&objects, 9));
        for object in objects {
            assert_eq!(
                scenario.read(3, object).map(|register| register.writes),
                Some(6)
            );
        }
        scenario.close()
    }))
}

/// Scenario 28: A group was down for longer than sessions live, so its log's time is far behind:
/// what the others' time is, it learns when it leads again, or when a client's session is from too
/// far ahead. Who was told the later time is served.
pub fn a_group_that_slept(oracle: &Arc<dyn Oracle>) -> String {
    each([false, true].into_iter().map(|unheard| {
        let mut scenario = Scenario::with(oracle, 28, quiet());
        let objects = two_apart(&mut scenario);
        let (inside, outside) = (scenario.group(P1), scenario.others(P1));
        scenario.crash_all(P1.into());
        scenario.pass(2 * SESSION_TTL + 20 * MOMENT);
        if unheard {
            scenario.world.cut(&inside, &outside);
        }
        scenario.start_all();
        scenario.pass(20 * MOMENT);
        scenario.world.heal(false);
        let begun = scenario.world.now();
        scenario.done(2, update(&objects[1..], 1));
        scenario.done(2, update(&objects, 2));
        let waited = scenario.world.now().since(begun);
        assert!(waited < 100 * MOMENT, "it took {waited} us");
        let writes = objects.map(|object| scenario.read(3, object).map(|register| register.writes));
        assert_eq!(writes, [Some(1), Some(2)]);
        scenario.close()
    }))
}

/// Scenario 29: All replicas are started again, long after the cluster began, and a client asks for
/// the time at once. Nobody tells it one from before what the logs hold is applied: its session is
/// young everywhere.
pub fn a_client_of_a_restarted_cluster(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::with(oracle, 29, quiet());
    let objects = two_apart(&mut scenario);
    scenario.pass(SESSION_TTL + 20 * MOMENT);
    let groups = scenario.world.topology.groups();
    groups.iter().for_each(|group| scenario.crash_all(group));
    let ticket = scenario.ask(5, update(&objects, 1));
    scenario.start_all();
    assert!(is_done(&scenario.wait(ticket)));
    scenario.close()
}

/// Groups of one replica, so that ten minutes pass quickly.
pub(super) fn quiet() -> Options {
    Options {
        partitions: 2,
        replicas: 1,
        ..Options::default()
    }
}
