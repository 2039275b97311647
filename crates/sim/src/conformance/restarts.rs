//! Scenarios of groups that come back from what they have stored.

use super::failures::two_apart;
use super::stage::{LONG, MOMENT, P0, P1, Stage, create, each, is_done, read, update};
use crate::options::Options;
use ssmr_core::{GroupId, Layout, ObjectId, Oracle};

/// So many updates are more than enough log for a snapshot at each replica.
const UPDATES: u64 = 60;

/// Scenario 14: All replicas of a group restart from snapshots while a neighbour waits for its signal: the neighbour gets it. It is
/// nowhere but in the snapshots: it was lost on its way, and the log before them is gone.
///
/// The neighbour has delivered the command and waits for nothing else; or it has not even got the timestamp, and the group that
/// restarts waits for the neighbour's signal, too.
pub fn a_restart_while_a_neighbour_waits<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    let group = GroupId::from(P0);
    each([true, false].into_iter().map(|delivered| {
        let mut stage = Stage::with(make, 14, stingy());
        let objects = two_apart(&mut stage);
        let busy = third(&mut stage);
        stage.done(2, read(&objects));
        // Until nothing older is on its way: a link is in order, and a timestamp does not overtake a lost signal.
        stage.pass(LONG);
        if delivered {
            stage.world.lose_signals(Some(group));
        } else {
            let (from, to) = (stage.group(P0), stage.group(P1));
            stage.world.cut(&from, &to);
        }
        let ticket = stage.ask(2, update(&objects, 1));
        stage.pass(LONG);
        assert_eq!(stage.has_ended(ticket), delivered);
        let waits = stage.ask(4, read(&objects[1..]));
        capture(&mut stage, busy);
        stage.crash_all(group);
        stage.pass(MOMENT);
        let before = stage.world.report.restores;
        stage.start_all();
        stage.pass(LONG);
        let restored = stage.world.report.restores - before;
        assert_eq!(restored, 3, "not all came back from a snapshot");
        assert!(!stage.has_ended(waits), "the neighbour waited for nothing");
        if delivered {
            stage.world.lose_signals(None);
        } else {
            stage.world.heal(false);
        }
        assert!(is_done(&stage.wait(ticket)));
        let seen = super::stage::value(&stage.wait(waits));
        assert_eq!(seen.map(|register| register.writes), Some(1));
        stage.done(2, update(&objects, 2));
        for object in objects {
            let writes = stage.read(3, object).map(|register| register.writes);
            assert_eq!(writes, Some(2), "it was executed twice, or by one group");
        }
        stage.close()
    }))
}

/// An object at the first group that nobody waits for.
fn third<O: Oracle>(stage: &mut Stage<O>) -> ObjectId {
    stage.hush(true);
    let object = stage.object(P0, 2);
    stage.done(3, create(object, 7, P0));
    stage.hush(false);
    object
}

/// Goes on at the first group until the snapshots of all its replicas include what it has applied so far.
fn capture<O: Oracle>(stage: &mut Stage<O>, busy: ObjectId) {
    let group = GroupId::from(P0);
    let (applied, snapshots) = (stage.world.applied(group), stage.world.report.snapshots);
    assert!(stage.world.captured(group) < applied);
    stage.hush(true);
    for round in 0..UPDATES {
        stage.done(3, update(&[busy], round));
    }
    stage.hush(false);
    let note = || {
        format!("c3: {UPDATES} updates of another object at p0; all its replicas store snapshots")
    };
    stage.world.note(note);
    stage.pass(MOMENT);
    assert!(stage.world.report.snapshots > snapshots);
    let captured = stage.world.captured(group);
    assert!(
        captured >= applied,
        "the snapshots are older than the command"
    );
}

/// Snapshots after little log.
fn stingy() -> Options {
    Options {
        partitions: 2,
        log_bytes: 1_500,
        ..Options::default()
    }
}
