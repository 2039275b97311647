//! `run --peak`: the highest throughput of each strategy, and the latency at shares of it.
//!
//! ```text
//!   closed loop: --window 1, 2, 4, ... until more outstanding requests bring no more throughput
//!   open loop:   --rate at that throughput, up or down in tenths, to the highest that is reached
//!   then:        --rate at 50 % and at 75 % of it, where latencies are what users would see
//! ```
//!
//! Latencies at the peak itself say how long queues are; that is why they are taken below it. Each
//! step is a run of its own, with a new cluster. Invariant: no step is left out of `peak.csv`.

use crate::ending::Ending;
use crate::error::UsageError;
use crate::interrupt::Interrupt;
use crate::notes::REACHED;
use crate::numbers::grouped;
use crate::progress::Progress;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::report;
use crate::results::folder::{Destination, PeakFolder};
use crate::results::measures::Measures;
use crate::results::rows::PeakStep;
use crate::run::{self, Surroundings};
use crate::settings::run::RunSettings;
use crate::tables::table_of;
use anyhow::Result;

/// Throughput that grows by less than this from one window to the next has not grown.
const GROWTH: f64 = 1.05;

/// After so many windows without growth the peak is passed.
const FLAT: usize = 2;

/// The largest window.
const WIDEST: u64 = 1024;

/// By how much the rate changes from one step to the next, and how often it may.
const STEP: f64 = 0.1;
const STEPS: usize = 8;

/// The shares of the peak at which latencies are taken, and what they are called.
const SHARES: [(f64, &str); 2] = [(0.5, "50"), (0.75, "75")];

/// What came of one step.
struct Step {
    window: Option<u64>,
    measures: Measures,
    reached: bool,
}

/// What was found of a strategy.
struct Peak {
    strategy: &'static str,
    closed: Step,
    open: Option<Step>,
    at: Vec<Step>,
}

/// Searches for the peak of each strategy.
///
/// # Errors
/// If the settings contradict each other or the machine, or something cannot be started.
pub(crate) fn run(
    settings: &RunSettings,
    strategies: &Strategies,
    workloads: &impl Workloads,
) -> Result<Ending> {
    if run::check(settings, strategies, workloads)?.is_some() {
        let problem = "the workload comes to an end by itself: no load is kept up";
        return Err(UsageError::new("--peak", problem).into());
    }
    let (interrupt, progress) = (Interrupt::listen(), Progress::of_many(settings.quiet));
    let folder = PeakFolder::create(&settings.out)?;
    folder.describe(&settings.command_line, false)?;
    let mut search = Search {
        settings,
        strategies,
        workloads,
        interrupt,
        progress,
        folder,
        ending: Ending::Good,
    };
    let mut peaks = Vec::new();
    for strategy in &settings.strategies {
        match search.of(strategy.name)? {
            Some(peak) => peaks.push(peak),
            None => break,
        }
    }
    search.folder.describe(&settings.command_line, true)?;
    search.progress.finish();
    if !settings.quiet {
        println!("{}", table(&peaks));
        println!("results: {}", search.folder.path().display());
    }
    report::beside(search.folder.path(), settings.quiet);
    Ok(search.ending)
}

/// A search under way.
struct Search<'a, W> {
    settings: &'a RunSettings,
    strategies: &'a Strategies,
    workloads: &'a W,
    interrupt: Interrupt,
    progress: Progress,
    folder: PeakFolder,
    ending: Ending,
}

impl<W: Workloads> Search<'_, W> {
    /// The peak of one strategy; `None` if the user ends the search.
    fn of(&mut self, strategy: &'static str) -> Result<Option<Peak>> {
        let Some(closed) = self.closed(strategy)? else {
            return Ok(None);
        };
        let (mut rate, mut open, mut refused) = (closed.measures.throughput_ops, None, false);
        for _ in 0..STEPS {
            let Some(step) = self.at(strategy, "open", rate)? else {
                return Ok(None);
            };
            if !step.reached {
                refused = true;
                if open.is_some() {
                    break;
                }
                rate *= 1.0 - STEP;
                continue;
            }
            rate = step.measures.throughput_ops;
            open = Some(step);
            if refused {
                break;
            }
            rate *= 1.0 + STEP;
        }
        let mut at = Vec::new();
        if let Some(peak) = &open {
            for (share, name) in SHARES {
                let rate = peak.measures.throughput_ops * share;
                let Some(step) = self.at(strategy, name, rate)? else {
                    return Ok(None);
                };
                at.push(step);
            }
        }
        Ok(Some(Peak {
            strategy,
            closed,
            open,
            at,
        }))
    }

    /// The step with the highest throughput in a closed loop.
    fn closed(&mut self, strategy: &'static str) -> Result<Option<Step>> {
        let mut best: Option<Step> = None;
        let (mut window, mut flat) = (1, 0);
        while window <= WIDEST && flat < FLAT {
            let settings = RunSettings {
                window,
                rate: None,
                ..self.settings.clone()
            };
            let flag = format!("--window={window}");
            let Some(step) = self.step(strategy, "closed", settings, &flag)? else {
                return Ok(None);
            };
            let before = best
                .as_ref()
                .map_or(0.0, |best| best.measures.throughput_ops);
            let throughput = step.measures.throughput_ops;
            let grown = throughput > before * GROWTH;
            flat = if grown { 0 } else { flat + 1 };
            if throughput > before || best.is_none() {
                best = Some(step);
            }
            window *= 2;
        }
        Ok(best)
    }

    /// A step at a rate.
    fn at(
        &mut self,
        strategy: &'static str,
        name: &'static str,
        rate: f64,
    ) -> Result<Option<Step>> {
        let rate = (rate.round() as u64).max(1);
        let settings = RunSettings {
            rate: Some(rate),
            ..self.settings.clone()
        };
        self.step(strategy, name, settings, &format!("--rate={rate}"))
    }

    /// One run; `None` if the user ends it.
    fn step(
        &mut self,
        strategy: &'static str,
        name: &'static str,
        mut settings: RunSettings,
        flag: &str,
    ) -> Result<Option<Step>> {
        settings.strategies.retain(|info| info.name == strategy);
        settings.strategy = vec![strategy.to_owned()];
        let (run_id, path) = self.folder.next();
        let own = self
            .settings
            .command_line
            .iter()
            .filter(|word| *word != "--peak");
        let around = Surroundings {
            command_line: own
                .cloned()
                .chain([format!("--strategy={strategy}"), flag.to_owned()])
                .collect(),
            destination: Destination::Exact { run_id, path },
            interrupt: &self.interrupt,
            progress: &self.progress,
        };
        let finished = run::carry_out(&settings, self.strategies, self.workloads, around)?;
        finished.tell_problems();
        self.ending = self.ending.max(finished.ending);
        if self.ending == Ending::Interrupted {
            return Ok(None);
        }
        let Some((point, measures, _)) = finished.totals().first().copied() else {
            return Ok(None);
        };
        let (window, measures) = (point.window, measures.clone());
        let throughput = measures.throughput_ops;
        let is_reached = |rate| throughput >= REACHED * rate as f64 && measures.errors == 0;
        let reached = point.rate.map(is_reached);
        let row = PeakStep {
            step: name,
            reached: reached.map(|reached| if reached { "yes" } else { "no" }),
        };
        self.folder.add(&row, finished.rows())?;
        let throughput = grouped(throughput.round() as u64);
        self.progress
            .note(&format!("{strategy} {flag}: {throughput} ops/s"));
        Ok(Some(Step {
            window,
            measures,
            reached: reached.unwrap_or(false),
        }))
    }
}

/// What was found, a line for each strategy.
fn table(peaks: &[Peak]) -> String {
    let header = [
        "strategy",
        "peak ops/s",
        "window",
        "open loop ops/s",
        "p50 us at 50 %",
        "p99 us at 50 %",
        "p50 us at 75 %",
        "p99 us at 75 %",
    ];
    let rows = peaks.iter().map(|peak| {
        let throughput = |step: &Step| grouped(step.measures.throughput_ops.round() as u64);
        let mut row = vec![
            peak.strategy.to_owned(),
            throughput(&peak.closed),
            peak.closed.window.map(grouped).unwrap_or_default(),
            peak.open.as_ref().map(throughput).unwrap_or_default(),
        ];
        for step in &peak.at {
            let latencies = [step.measures.p50_us, step.measures.p99_us];
            row.extend(latencies.map(|us| us.map(grouped).unwrap_or_default()));
        }
        row.resize(header.len(), String::new());
        row
    });
    table_of(&header, rows, 1)
}
