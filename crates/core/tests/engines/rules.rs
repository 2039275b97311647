//! R1 to R7. Each scenario says whether its rule was kept; where a mutant breaks the rule, the same
//! scenario must say that it was not.

mod answers;
mod exactly_once;
mod state;

use ssmr_core::{Mutant, mutant};

/// Fails with the rule's name unless the scenario keeps it, and breaks it with each of the mutants.
fn rule(name: &str, mutants: &[Mutant], keeps: impl Fn() -> bool) {
    assert!(keeps(), "{name} is broken");
    for &mutant in mutants {
        let kept = mutant::with(Some(mutant), &keeps);
        assert!(
            !kept,
            "{name}: {mutant:?} breaks it, and the test does not see that"
        );
    }
}
