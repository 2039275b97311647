//! The command `sim`: the deterministic simulator over a range of seeds, on all cores.
//!
//! Each simulation is a pure function of strategy, profile, execution, seed and the flags, so a
//! failure is told as the one command that shows it again. It opens no socket and reads no clock
//! but for its progress.

pub(crate) mod failure_report;
mod outcome;
pub(crate) mod record;
mod seeds;
mod trace;
pub(crate) mod variant;

use crate::ending::Ending;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::registry::strategies::Strategies;
use crate::settings::sim::SimSettings;
use record::Record;
use seeds::Seeds;
use std::sync::Mutex;
use variant::variants;

/// Runs the simulations. Tells failures with how to replay them, tables and the verdict; or shows
/// the only simulation that there is.
///
/// # Errors
/// If the topology is impossible, a file cannot be written, or that of an earlier run does not fit.
pub(crate) fn run(settings: &SimSettings, strategies: &Strategies) -> anyhow::Result<Ending> {
    // A simulation that fails an assertion reports it; the default hook would print it, too.
    std::panic::set_hook(Box::new(|_| {}));
    if settings.trace || settings.trace_json.is_some() {
        return trace::run(settings, strategies);
    }
    let (_, options) = settings.place(0);
    if let Some(path) = &settings.out {
        // What cannot be written is to be known before hours are spent.
        outcome::write(path, &[])?;
    }
    let (progress, interrupt) = (Progress::new(settings.quiet), Interrupt::listen());
    let record = Mutex::new(Record::open(settings)?);
    let mut outcomes = Vec::new();
    for variant in variants(settings) {
        if interrupt.struck() {
            break;
        }
        let seeds = Seeds {
            settings,
            strategies,
            variant,
            progress: &progress,
            interrupt: &interrupt,
            record: &record,
        };
        outcomes.push((variant, seeds.run(&variant.shape(&options)?)?));
    }
    progress.finish();
    let all = settings.count() * variants(settings).count() as u64;
    let interrupted = interrupt.struck();
    outcome::tell(settings, &outcomes, all, interrupted);
    if let Some(path) = &settings.out {
        outcome::write(path, &outcomes)?;
    }
    let has_failed = outcomes.iter().any(|(_, done)| done.tally().failed > 0);
    Ok(match has_failed {
        _ if interrupted => Ending::Interrupted,
        false => Ending::Good,
        true => Ending::Wrong,
    })
}
