//! Scenarios of commands that one group gets from another, not from their client: late, or when
//! there is no room.

use super::failures::two_apart;
use super::late::quiet;
use super::scenario::{LONG, MOMENT, P0, P1, Scenario, each, is_done, read, update};
use crate::network::Seat;
use ssmr_core::limits::SESSION_TTL;
use ssmr_core::{
    ClientId, Command, CommandId, GroupId, Groups, LogTime, ObjectId, Oracle, Request, SessionId,
};
use std::sync::Arc;

/// More than a group's leader keeps for the log before it turns clients away.
const FLOOD: u64 = 17_000;

/// Scenario 21: A relayed command comes late: the group, which has got it from its client
/// meanwhile, has finished it and passed it, or has forgotten its session. Nothing happens again,
/// and nobody waits.
pub fn a_late_relay(oracle: &Arc<dyn Oracle>) -> String {
    each([false, true].into_iter().map(|forgets| {
        let mut scenario = Scenario::with(oracle, 21, quiet());
        let objects = two_apart(&mut scenario);
        scenario.done(2, read(&objects));
        // The second group asks the first one for the command, and gets it from the client at last.
        let (client, inside) = (Seat::Client(ClientId(2)), scenario.group(P1));
        scenario.world.cut(&[client], &inside);
        scenario.world.hold_relays(true);
        let ticket = scenario.ask(2, update(&objects, 1));
        scenario.pass(LONG);
        assert!(!scenario.has_ended(ticket));
        scenario.world.let_through();
        scenario.world.heal(false);
        assert!(is_done(&scenario.wait(ticket)));
        scenario.done(2, update(&objects, 2));
        if forgets {
            scenario.pass(SESSION_TTL + 20 * MOMENT);
        }
        assert!(scenario.world.release() > 0, "a relay was on the way");
        scenario.pass(5 * MOMENT);
        scenario.done(4, update(&objects, 3));
        for object in objects {
            let writes = scenario.read(3, object).map(|register| register.writes);
            assert_eq!(writes, Some(3), "the late relay did something");
        }
        scenario.close()
    }))
}

/// Scenario 17: A group with full queues is the second destination of a message that the first has
/// timestamped: it turns clients away, but not the group that waits for it.
pub fn a_full_queue_at_the_second_group(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 17);
    let objects = two_apart(&mut scenario);
    scenario.done(2, read(&objects));
    scenario.done(3, read(&objects[1..]));
    let (client, inside) = (Seat::Client(ClientId(2)), scenario.group(P1));
    scenario.world.cut(&[client], &inside);
    // The timestamp is there and the command is not: now the log stands still, and the queue fills.
    scenario.world.hold_relays(true);
    let relayed = scenario.ask(2, update(&objects, 1));
    scenario.pass(LONG);
    scenario.world.hold(&inside, &inside);
    scenario.world.hold_relays(false);
    if let Some(leader) = scenario.world.leader(P1.into()) {
        scenario.world.flood(leader, foreign_commands(objects[1]));
    }
    scenario.pass(1_000);
    let refused = scenario.ask(3, update(&objects[1..], 2));
    scenario.pass(3 * MOMENT / 2);
    assert!(!scenario.has_ended(relayed) && !scenario.has_ended(refused));
    scenario.world.release();
    // What was relayed while the queue was full must do.
    scenario.world.hold_relays(true);
    scenario.pass(MOMENT / 2);
    assert!(!scenario.has_ended(refused), "the queue was not full");
    scenario.pass(LONG);
    assert!(scenario.has_ended(relayed), "a full queue held a relay up");
    assert!(is_done(&scenario.wait(refused)));
    scenario.close()
}

/// Scenario 27: A client that keeps no rules gives one name to two commands, and each of their two
/// destinations gets the other one of them. They are two messages: each group gets the one that it
/// lacks from the other, both are delivered at both, and nobody waits.
pub fn one_name_for_two_commands(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 27);
    let objects = two_apart(&mut scenario);
    let owners = [P0, P1].map(|at| GroupId::from(scenario.owner(objects[usize::from(at.0)], at)));
    let destinations = owners.into_iter().collect();
    let [x, y] = objects;
    for (named, group) in [[x, y], [y, x]].iter().zip(owners) {
        let twin = Arc::new(foreign(1, destinations, read(named)));
        for to in scenario.world.topology.members(group).collect::<Vec<_>>() {
            scenario.world.hand_in(to, &twin);
        }
    }
    scenario
        .world
        .note(|| "p0 and p1 are handed different commands of one name".into());
    scenario.pass(LONG);
    scenario.done(2, update(&objects, 1));
    for object in objects {
        let writes = scenario.read(3, object).map(|register| register.writes);
        assert_eq!(writes, Some(1));
    }
    scenario.close()
}

/// Lookups by clients of whom nobody expects an answer.
fn foreign_commands(object: ObjectId) -> Vec<Command> {
    let command = |number| foreign(number, GroupId::from(P1).into(), Request::lookup(object));
    (1..=FLOOD).map(command).collect()
}

/// A command of a client that the scenario does not know.
fn foreign(number: u64, destinations: Groups, request: Request) -> Command {
    let id = CommandId {
        session: SessionId {
            client: ClientId(1 << 32),
            opened: LogTime::ZERO,
        },
        number,
        attempt: 1,
    };
    Command::new(id, destinations, request)
}
