//! What commands cost where nothing goes wrong: their destinations, what clients ask before, and
//! how many messages or syncs, one after the other, lie between the request and its answer.

use super::scenario::{LONG, P0, P1, P2, Scenario, create, is_done, read, register, update, value};
use crate::options::Options;
use ssmr_core::{Completion, Micros, Oracle, Outcome, PartitionId, Request};
use std::sync::Arc;

/// What each message takes: so much that what the shared cache takes hardly counts,
/// and so little that nobody loses patience and sends anything again.
const DELAY: Micros = 2_000;

/// The last of four partitions.
const P3: PartitionId = PartitionId(3);

/// Scenario 36: Four partitions, every message takes equally long, and one command comes after the
/// other. `docs/strategies.md` has its figures.
pub fn what_commands_cost(oracle: &Arc<dyn Oracle>) -> String {
    let options = Options {
        partitions: 4,
        ..Options::default()
    };
    let mut scenario = Scenario::with(oracle, 36, options);
    // Clients that know their way: leaders, and nothing of the objects below.
    scenario.hush(true);
    for (number, home) in (100..).zip([P0, P1, P2, P3]) {
        let other = scenario.object(home, number);
        scenario.done(1, create(other, 1, home));
        for client in [1, 2, 3] {
            scenario.read(client, other);
        }
    }
    scenario.hush(false);
    scenario.world.network.even_out(DELAY);
    scenario.pass(LONG);

    let x = scenario.object(P0, 1);
    let y = scenario.object(P1, 2);
    let title = |scenario: &mut Scenario, text: &str| scenario.world.note(|| text.to_owned());
    title(&mut scenario, "create, away from home");
    scenario.counted(1, create(x, 7, P2));
    title(&mut scenario, "create, at home");
    scenario.counted(1, create(y, 8, P1));
    title(
        &mut scenario,
        "access to an object that the client does not know",
    );
    let found = scenario.counted(2, read(&[x]));
    assert_eq!(value(&found), Some(register(7)));
    scenario.counted(2, read(&[y]));
    title(&mut scenario, "access to one that it knows");
    scenario.counted(2, update(&[x], 1));
    title(&mut scenario, "access to two at two partitions");
    scenario.counted(2, update(&[x, y], 2));
    title(&mut scenario, "look-up");
    assert!(is_done(&scenario.counted(3, Request::lookup(x))));
    title(&mut scenario, "access to one that does not exist");
    let z = scenario.object(P0, 3);
    let missing = scenario.counted(3, read(&[z]));
    assert_eq!(missing.outcome, Outcome::NotFound);
    title(&mut scenario, "move, away from home");
    let moved = scenario.counted(2, Request::relocate(x, P3));
    if oracle.movable() {
        assert!(is_done(&moved), "{moved:?}");
    } else {
        assert_eq!(moved.outcome, Outcome::Unsupported);
    }
    title(&mut scenario, "access with a stale location");
    assert!(is_done(&scenario.counted(1, update(&[x], 3))));
    title(&mut scenario, "delete, away from home");
    assert!(is_done(&scenario.counted(1, Request::delete(x))));
    title(&mut scenario, "delete, at home");
    assert!(is_done(&scenario.counted(1, Request::delete(y))));
    scenario.close()
}

/// What each sync takes, where messages take next to no time.
const SYNC: Micros = 20_000;

/// Scenario 40: Two partitions, messages take a microsecond and every sync equally long.
/// `docs/protocol.md` has its figures.
pub fn what_commands_sync(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 40);
    scenario.hush(true);
    let [near, far] = [(P0, 1), (P1, 2)].map(|(home, number)| {
        let object = scenario.object(home, number);
        scenario.done(1, create(object, 7, home));
        scenario.done(1, update(&[object], 1));
        object
    });
    let fresh = scenario.object(P0, 3);
    scenario.pass(LONG);
    scenario.hush(false);
    scenario.world.network.even_out(1);
    scenario.world.even_out_stores(SYNC);
    let asked = [
        ("access to one object", update(&[near], 2)),
        ("access to two at two partitions", update(&[near, far], 3)),
        ("create, away from home", create(fresh, 8, P1)),
        ("move", Request::relocate(near, P1)),
        ("delete", Request::delete(fresh)),
    ];
    for (title, request) in asked {
        scenario.world.note(|| title.to_owned());
        scenario.measured(1, request, "syncs", SYNC);
    }
    scenario.world.even_out_stores(0);
    scenario.close()
}

impl Scenario {
    /// Runs a request and notes how many messages lay between it and its answer.
    fn counted(&mut self, client: u64, request: Request) -> Completion {
        self.measured(client, request, "messages", DELAY)
    }

    /// Runs a request and notes how many of these, which take so long each, lay between it and its
    /// answer, one after the other. What follows in the background is over before the next one.
    fn measured(&mut self, client: u64, request: Request, what: &str, each: Micros) -> Completion {
        let begun = self.world.now();
        let completion = self.run(client, request);
        let took = self.world.now().since(begun);
        let count = (took + each / 2) / each;
        let groups = completion.cost.groups;
        self.world
            .note(|| format!("{count} {what} in a row, groups: {groups}"));
        self.hush(true);
        self.pass(LONG);
        self.hush(false);
        completion
    }
}
