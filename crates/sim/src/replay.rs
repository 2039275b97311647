//! One simulation once more, for what it leaves behind: what happened in it, or what clients saw.

use crate::app::Registers;
use crate::options::Options;
use crate::report::SimulationReport;
use crate::simulate::{Failure, Run, failure};
use ssmr_check::History;
use ssmr_core::Oracle;
use std::sync::Arc;

/// Runs one simulation and tells what happened in it, with times: of a failure as far as it
/// concerns the objects that the violation names, and at most so many lines, the last ones.
pub fn chronicle(oracle: &Arc<dyn Oracle>, seed: u64, options: Options, most: usize) -> String {
    options.with_mutant(|| {
        let mut run = Run::new(oracle, |oracle, _| oracle.clone(), seed, options, true);
        let violation = run.play().err();
        run.world.chronicle(violation.as_ref(), most)
    })
}

/// Runs one simulation and hands out its history with what came of it. The history is complete
/// unless something else was violated before it could be judged.
pub fn record(
    oracle: &Arc<dyn Oracle>,
    seed: u64,
    options: Options,
) -> (History<Registers>, Result<SimulationReport, Failure>) {
    options.with_mutant(|| {
        let mut run = Run::new(oracle, |oracle, _| oracle.clone(), seed, options, false);
        let outcome = run.play();
        let outcome = outcome.map_err(|violation| failure(oracle, seed, options, violation));
        (run.world.history, outcome)
    })
}
