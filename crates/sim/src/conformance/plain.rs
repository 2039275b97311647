//! One command of each kind while nothing goes wrong: what a strategy does, to be looked at. The
//! message diagrams of crate `ssmr-figures` are drawn from its golden trace, which alone has the
//! look-ups.

use super::scenario::{LONG, P0, P1, Scenario, create, is_done, register, update, values};
use ssmr_core::{Oracle, Outcome, Request};
use std::sync::Arc;

/// Scenario 0: A client creates x, whose home is p0, at p1, and y the other way round; another one,
/// which knows nothing, updates both at once, and then moves x to the other partition.
pub fn create_access_move(oracle: &Arc<dyn Oracle>) -> String {
    let mut scenario = Scenario::new(oracle, 0);
    scenario.world.trace.show_lookups();
    let [x, y] = [(P0, 1), (P1, 2)].map(|(home, number)| scenario.object(home, number));
    scenario.done(1, create(x, 7, P1));
    scenario.hush(true);
    scenario.done(1, create(y, 8, P0));
    scenario.pass(LONG);
    scenario.hush(false);
    let seen = values(&scenario.done(2, update(&[x, y], 1)));
    assert_eq!(seen, Some([7, 8].map(register).into()));
    let to = if scenario.owner(x, P1) == P1 { P0 } else { P1 };
    let moved = scenario.run(2, Request::relocate(x, to));
    if scenario.oracle.movable() {
        assert!(is_done(&moved), "{:?}", moved.outcome);
        assert_eq!((moved.cost.retries, moved.cost.fallbacks), (0, 0));
    } else {
        assert_eq!(moved.outcome, Outcome::Unsupported);
    }
    scenario.close()
}
