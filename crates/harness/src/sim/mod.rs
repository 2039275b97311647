//! The command `sim`: the deterministic simulator over a range of seeds, on all cores.
//!
//! Each simulation is a pure function of strategy, profile, execution, seed and the flags, so a
//! failure is told as the one command that shows it again. It opens no socket and reads no clock
//! but for its progress.

pub(crate) mod failure_report;
pub(crate) mod record;
mod seeds;
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

/// Runs the simulations. Tells the counters of each strategy, and failures with how to replay them.
///
/// # Errors
/// If the topology is impossible, or the file of an earlier run does not fit.
pub(crate) fn run(settings: &SimSettings, strategies: &Strategies) -> anyhow::Result<Ending> {
    // A simulation that fails an assertion reports it; the default hook would print it, too.
    std::panic::set_hook(Box::new(|_| {}));
    let (_, options) = settings.place(0);
    let (progress, interrupt) = (Progress::new(settings.quiet), Interrupt::listen());
    let record = Mutex::new(Record::open(settings)?);
    let mut failed = 0;
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
        failed += seeds.run(&variant.shape(&options)?)?;
    }
    progress.finish();
    if interrupt.struck() {
        println!("interrupted: this is what was done until then");
    }
    Ok(match failed {
        _ if interrupt.struck() => Ending::Interrupted,
        0 => Ending::Good,
        _ => Ending::Wrong,
    })
}
