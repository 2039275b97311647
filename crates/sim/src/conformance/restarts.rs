//! Scenarios of groups that come back from what they have stored.

use super::failures::two_apart;
use super::scenario::{LONG, MOMENT, P0, P1, Scenario, create, each, is_done, read, update};
use crate::options::Options;
use ssmr_core::{GroupId, ObjectId, Oracle};
use std::sync::Arc;

/// So many updates are more than enough log for a snapshot at each replica.
const UPDATES: u64 = 60;

/// Scenario 14: All replicas of a group restart from snapshots while a neighbour waits for its
/// signal: the neighbour gets it. It is nowhere but in the snapshots: it was lost on its way, and
/// the log before them is gone.
///
/// The neighbour has delivered the command and waits for nothing else; or it has not even got the
/// timestamp, and the group that restarts waits for the neighbour's signal, too.
pub fn a_restart_while_a_neighbour_waits(oracle: &Arc<dyn Oracle>) -> String {
    let group = GroupId::from(P0);
    each([true, false].into_iter().map(|delivered| {
        let mut scenario = Scenario::with(oracle, 14, stingy());
        let objects = two_apart(&mut scenario);
        let busy = third(&mut scenario);
        scenario.done(2, read(&objects));
        // Until nothing older is on its way: a link is in order, and a timestamp does not overtake
        // a lost signal.
        scenario.pass(LONG);
        if delivered {
            scenario.world.lose_signals(Some(group));
        } else {
            let (from, to) = (scenario.group(P0), scenario.group(P1));
            scenario.world.cut(&from, &to);
        }
        let ticket = scenario.ask(2, update(&objects, 1));
        scenario.pass(LONG);
        assert_eq!(scenario.has_ended(ticket), delivered);
        let waits = scenario.ask(4, read(&objects[1..]));
        capture(&mut scenario, busy);
        scenario.crash_all(group);
        scenario.pass(MOMENT);
        let before = scenario.world.report.restores;
        scenario.start_all();
        scenario.pass(LONG);
        let restored = scenario.world.report.restores - before;
        // One that came back with an older snapshot than its leader's may be sent that one besides.
        assert!(restored >= 3, "not all came back from a snapshot");
        assert!(
            !scenario.has_ended(waits),
            "the neighbour waited for nothing"
        );
        if delivered {
            scenario.world.lose_signals(None);
        } else {
            scenario.world.heal(false);
        }
        assert!(is_done(&scenario.wait(ticket)));
        let seen = super::scenario::value(&scenario.wait(waits));
        assert_eq!(seen.map(|register| register.writes), Some(1));
        scenario.done(2, update(&objects, 2));
        for object in objects {
            let writes = scenario.read(3, object).map(|register| register.writes);
            assert_eq!(writes, Some(2), "it was executed twice, or by one group");
        }
        scenario.close()
    }))
}

/// An object at the first group that nobody waits for.
fn third(scenario: &mut Scenario) -> ObjectId {
    scenario.hush(true);
    let object = scenario.object(P0, 2);
    scenario.done(3, create(object, 7, P0));
    scenario.hush(false);
    object
}

/// Goes on at the first group until the snapshots of all its replicas include what it has applied
/// so far.
fn capture(scenario: &mut Scenario, busy: ObjectId) {
    let group = GroupId::from(P0);
    let (applied, snapshots) = (
        scenario.world.applied(group),
        scenario.world.report.snapshots,
    );
    assert!(scenario.world.captured(group) < applied);
    scenario.hush(true);
    for round in 0..UPDATES {
        scenario.done(3, update(&[busy], round));
    }
    scenario.hush(false);
    let note = || {
        format!("c3: {UPDATES} updates of another object at p0; all its replicas store snapshots")
    };
    scenario.world.note(note);
    scenario.pass(MOMENT);
    assert!(scenario.world.report.snapshots > snapshots);
    let captured = scenario.world.captured(group);
    assert!(
        captured >= applied,
        "the snapshots are older than the command"
    );
}

/// Snapshots after little log.
fn stingy() -> Options {
    Options {
        partitions: 2,
        log_bytes: 1_700,
        ..Options::default()
    }
}
