//! One simulation once more, for what it leaves behind: what happened in it, or what clients saw.

use crate::app::Registers;
use crate::options::Options;
use crate::report::SimulationReport;
use crate::simulate::{Failure, Run, failure};
use crate::trace::{Timeline, Trace};
use ssmr_check::History;
use ssmr_core::{LocalTime, Oracle};
use std::sync::Arc;

/// Everything that happened in one simulation: requests, commands, signals, verdicts, answers,
/// look-ups and faults. It is a pure function of what the simulation is one of.
#[derive(Debug)]
pub struct Recording {
    trace: Trace,
    end: LocalTime,
    /// How it ended.
    pub outcome: Result<SimulationReport, Failure>,
}

impl Recording {
    /// All that happened, a line each with its virtual time in seconds, and how it ended.
    #[must_use]
    pub fn text(&self) -> String {
        self.trace.text(self.end, &self.ending())
    }

    /// The same to be drawn over time, in the Trace Event Format once it is written as JSON.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        self.trace.timeline(self.end, &self.ending())
    }

    fn ending(&self) -> String {
        match &self.outcome {
            Ok(_) => "no invariant is violated".into(),
            Err(Failure { violation, .. }) => format!("violated: {violation}"),
        }
    }
}

/// Runs one simulation and keeps all that happens in it.
pub fn trace(oracle: &Arc<dyn Oracle>, seed: u64, options: Options) -> Recording {
    options.with_mutant(|| {
        let mut run = Run::new(oracle, |oracle, _| oracle.clone(), seed, options, true);
        let outcome = run.play();
        Recording {
            trace: run.world.take_trace(),
            end: run.world.now(),
            outcome: outcome.map_err(|violation| failure(oracle, seed, options, violation)),
        }
    })
}

/// Runs one simulation and tells what happened in it, with times: of a failure as far as it
/// concerns the objects that the violation names, and at most so many lines, the last ones.
pub fn chronicle(oracle: &Arc<dyn Oracle>, seed: u64, options: Options, most: usize) -> String {
    options.with_mutant(|| {
        let mut run = Run::new(oracle, |oracle, _| oracle.clone(), seed, options, true);
        let violation = run.play().err();
        let trace = run.world.take_trace();
        trace.chronicle(violation.as_ref(), most)
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
