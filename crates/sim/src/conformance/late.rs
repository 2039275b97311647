//! Scenarios of groups that are apart in time: clocks that lag, sessions that have expired, commands that come too late.

use super::failures::two_apart;
use super::stage::{MOMENT, P1, Stage, each, is_done, read, update};
use crate::network::Seat;
use crate::options::Options;
use ssmr_core::limits::SESSION_TTL;
use ssmr_core::{ClientId, Layout, Oracle, Outcome};

/// Scenario 17: A group with a far lower clock is the second destination: nobody waits long, nothing is out of order.
pub fn a_group_with_a_far_lower_clock<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    let mut stage = Stage::new(make, 17);
    let objects = two_apart(&mut stage);
    stage
        .world
        .note(|| "c1: 300 updates of the first object".into());
    stage.hush(true);
    for round in 0..300 {
        stage.done(1, update(&objects[..1], round));
    }
    stage.hush(false);
    let begun = stage.world.now();
    // Known to nobody who has seen the higher clock, and then to both.
    stage.done(2, update(&objects[1..], 1));
    stage.done(3, update(&objects, 2));
    stage.done(1, update(&objects, 3));
    stage.done(2, update(&objects[1..], 4));
    let waited = stage.world.now() - begun;
    assert!(waited < 10 * MOMENT, "it took {waited} us");
    let [low, high] = objects.map(|object| stage.read(4, object).map(|register| register.writes));
    assert_eq!((low, high), (Some(302), Some(4)));
    stage.close()
}

/// Scenario 17: The session has expired at the second destination of a message that the first has timestamped: the attempt ends
/// everywhere without effect. If the client is told by the verdict it tries again in a new session; if the second group
/// refuses it first, the outcome is unknown to it, and nothing happened.
pub fn an_expired_session_at_the_second_group<O: Oracle>(
    make: impl Fn(Layout) -> O + Copy,
) -> String {
    each([false, true].into_iter().map(|refused| {
        let mut stage = Stage::with(make, 17, quiet());
        let objects = two_apart(&mut stage);
        stage.done(2, read(&objects));
        let (client, inside) = (Seat::Client(ClientId(2)), stage.group(P1));
        let outside = stage.others(P1);
        stage.world.cut(&[client], &inside);
        stage.world.hold(&outside, &inside);
        let ticket = stage.ask(2, update(&objects, 1));
        stage.pass(SESSION_TTL + 20 * MOMENT);
        assert!(!stage.has_ended(ticket));
        if refused {
            stage.world.heal(false);
            stage.pass(100 * MOMENT);
            assert_eq!(stage.wait(ticket).outcome, Outcome::Unknown);
        }
        stage.world.release();
        stage.pass(10 * MOMENT);
        stage.world.heal(false);
        assert_eq!(is_done(&stage.wait(ticket)), !refused);
        for object in objects {
            let writes = stage.read(3, object).map(|register| register.writes);
            assert_eq!(writes, Some(u64::from(!refused)));
        }
        stage.close()
    }))
}

/// Scenario 21: A command comes once more, from its client, when the group has finished it, has passed it by the session's low mark,
/// or has forgotten the session: nothing happens again, and nobody waits.
pub fn a_late_command_after_forgetting<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    each([false, true].into_iter().map(|forgets| {
        let mut stage = Stage::with(make, 21, quiet());
        let objects = two_apart(&mut stage);
        stage.done(2, read(&objects));
        // The second group gets the command from the first one; what the client sent it stays on the way.
        let (client, inside) = (Seat::Client(ClientId(2)), stage.group(P1));
        stage.world.hold(&[client], &inside);
        stage.done(2, update(&objects, 1));
        stage.world.let_through();
        stage.hush(true);
        for round in 2..6 {
            stage.done(2, update(&objects, round));
        }
        stage.hush(false);
        stage.world.note(|| "c2: four more updates of both".into());
        if forgets {
            stage.pass(SESSION_TTL + 20 * MOMENT);
        }
        assert!(stage.world.release() > 0, "something was on the way");
        stage.pass(5 * MOMENT);
        stage.done(4, update(&objects, 9));
        for object in objects {
            assert_eq!(
                stage.read(3, object).map(|register| register.writes),
                Some(6)
            );
        }
        stage.close()
    }))
}

/// Groups of one replica, so that ten minutes pass quickly.
pub(super) fn quiet() -> Options {
    Options {
        partitions: 2,
        replicas: 1,
        ..Options::default()
    }
}
