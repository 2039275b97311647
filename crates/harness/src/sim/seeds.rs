//! All simulations of one strategy, on all cores, from where an interrupted command has stopped.

use super::failure_report;
use super::record::{Done, Record};
use super::variant::Variant;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::registry::info::ClusterShape;
use crate::registry::strategies::Strategies;
use crate::settings::sim::SimSettings;
use crate::time;
use ssmr_core::Oracle;
use ssmr_sim::simulate;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many failures of a strategy are told with what was violated.
const TOLD: usize = 3;

/// All simulations of one strategy.
pub(super) struct Seeds<'a> {
    pub(super) settings: &'a SimSettings,
    pub(super) strategies: &'a Strategies,
    pub(super) variant: Variant,
    pub(super) progress: &'a Progress,
    pub(super) interrupt: &'a Interrupt,
    pub(super) record: &'a Mutex<Record>,
}

impl Seeds<'_> {
    /// Runs what is not done yet, and tells failures. Returns what came of all of it.
    pub(super) fn run(self, shape: &ClusterShape) -> anyhow::Result<Done> {
        let Self {
            settings,
            strategies,
            variant,
            interrupt,
            record,
            ..
        } = self;
        let label = variant.label();
        let before = self.done().count();
        let begun = time::elapsed_us();
        self.work_on_all_cores(&strategies.choose_known(variant.strategy.name, shape).oracle);
        let minutes = (time::elapsed_us() - begun) as f64 / 60e6;
        let record = lock(record);
        record.save()?;
        let done = record.done(&label);
        drop(record);
        let (count, all) = (done.count(), settings.count());
        let of_all = if count < all {
            format!(" of {all}")
        } else {
            String::new()
        };
        let rate = (count - before) as f64 / minutes.max(1e-9);
        let failed = done.tally().failed;
        println!("{label}: {count}{of_all} simulations, {failed} failed, {rate:.0} a minute");
        for (place, failed) in done.failures.iter().take(TOLD).enumerate() {
            let failure = failed.of(variant.strategy.name, settings);
            failure_report::tell(strategies, variant, &failure, place == 0, interrupt);
        }
        Ok(done)
    }

    fn done(&self) -> Done {
        lock(self.record).done(&self.variant.label())
    }

    fn work_on_all_cores(&self, oracle: &Arc<dyn Oracle>) {
        let done = self.done();
        self.progress
            .phase(&self.variant.label(), Some(self.settings.count()));
        let next = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| self.work(oracle, &next, &done));
            }
        });
    }

    /// Takes simulations one by one until all are done or somebody has had enough.
    fn work(&self, oracle: &Arc<dyn Oracle>, next: &AtomicU64, done: &Done) {
        let label = self.variant.label();
        while !self.interrupt.struck() {
            let number = next.fetch_add(1, Relaxed);
            if number >= self.settings.count() {
                return;
            }
            if done.contains(number) {
                continue;
            }
            let (seed, options) = self.settings.place(number);
            let result = simulate(oracle, seed, options);
            let mut record = lock(self.record);
            self.progress
                .at(record.add(&label, number, options.profile, result));
            if let Err(error) = record.save_now_and_then() {
                self.progress.event(&format!("{error:#}"));
            }
        }
    }
}

/// What a thread that panicked has left is as good as ever.
fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}
