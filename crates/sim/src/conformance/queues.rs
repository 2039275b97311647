//! Scenarios of commands that one group gets from another, not from their client: late, or when there is no room.

use super::failures::two_apart;
use super::late::quiet;
use super::stage::{LONG, MOMENT, P1, Stage, each, is_done, read, update};
use crate::network::Seat;
use ssmr_core::limits::SESSION_TTL;
use ssmr_core::{
    ClientId, Command, CommandId, GroupId, Layout, ObjectId, Oracle, Request, SessionId,
};

/// More than a group's leader keeps for the log before it turns clients away.
const FLOOD: u64 = 17_000;

/// Scenario 21: A relayed command comes late: the group, which has got it from its client meanwhile, has finished it and passed it,
/// or has forgotten its session. Nothing happens again, and nobody waits.
pub fn a_late_relay<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    each([false, true].into_iter().map(|forgets| {
        let mut stage = Stage::with(make, 21, quiet());
        let objects = two_apart(&mut stage);
        stage.done(2, read(&objects));
        // The second group asks the first one for the command, and gets it from the client at last.
        let (client, inside) = (Seat::Client(ClientId(2)), stage.group(P1));
        stage.world.cut(&[client], &inside);
        stage.world.hold_relays(true);
        let ticket = stage.ask(2, update(&objects, 1));
        stage.pass(LONG);
        assert!(!stage.has_ended(ticket));
        stage.world.let_through();
        stage.world.heal(false);
        assert!(is_done(&stage.wait(ticket)));
        stage.done(2, update(&objects, 2));
        if forgets {
            stage.pass(SESSION_TTL + 20 * MOMENT);
        }
        assert!(stage.world.release() > 0, "a relay was on the way");
        stage.pass(5 * MOMENT);
        stage.done(4, update(&objects, 3));
        for object in objects {
            let writes = stage.read(3, object).map(|register| register.writes);
            assert_eq!(writes, Some(3), "the late relay did something");
        }
        stage.close()
    }))
}

/// Scenario 17: A group with full queues is the second destination of a message that the first has timestamped: it turns clients
/// away, but not the group that waits for it.
pub fn a_full_queue_at_the_second_group<O: Oracle>(make: impl Fn(Layout) -> O + Copy) -> String {
    let mut stage = Stage::new(make, 17);
    let objects = two_apart(&mut stage);
    stage.done(2, read(&objects));
    stage.done(3, read(&objects[1..]));
    let (client, inside) = (Seat::Client(ClientId(2)), stage.group(P1));
    stage.world.cut(&[client], &inside);
    // The timestamp is there and the command is not: now the log stands still, and the queue fills.
    stage.world.hold_relays(true);
    let relayed = stage.ask(2, update(&objects, 1));
    stage.pass(LONG);
    stage.world.hold(&inside, &inside);
    stage.world.hold_relays(false);
    if let Some(leader) = stage.world.leader(P1.into()) {
        stage.world.flood(leader, strangers(objects[1]));
    }
    stage.pass(1_000);
    let refused = stage.ask(3, update(&objects[1..], 2));
    stage.pass(3 * MOMENT / 2);
    assert!(!stage.has_ended(relayed) && !stage.has_ended(refused));
    stage.world.release();
    // What was relayed while the queue was full must do.
    stage.world.hold_relays(true);
    stage.pass(MOMENT / 2);
    assert!(!stage.has_ended(refused), "the queue was not full");
    stage.pass(LONG);
    assert!(stage.has_ended(relayed), "a full queue held a relay up");
    assert!(is_done(&stage.wait(refused)));
    stage.close()
}

/// Lookups by clients of whom nobody expects an answer.
fn strangers(object: ObjectId) -> Vec<Command> {
    let command = |number| Command {
        id: CommandId {
            session: SessionId {
                client: ClientId(1 << 32),
                opened: 0,
            },
            number,
            attempt: 1,
        },
        low: number,
        clock: 0,
        destinations: GroupId::from(P1).into(),
        request: Request::lookup(object),
    };
    (1..=FLOOD).map(command).collect()
}
