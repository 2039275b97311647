//! What came of all simulations: tables by strategy and by fault profile, every counter in a file,
//! the seeds that failed, and the verdict, which is the last line. `done` are requests that took
//! effect, of simulations that did not fail.

use super::failure_report::command;
use super::record::{Done, Tally};
use super::variant::Variant;
use crate::error::UsageError;
use crate::numbers::grouped;
use crate::results::whole;
use crate::settings::sim::SimSettings;
use crate::tables::{long_table_of, table_of};
use ssmr_sim::{Profile, SimulationReport};
use std::path::Path;

/// How often something has struck.
type Count = fn(&SimulationReport) -> u64;

/// What strikes, in the order in which it is told while there is room.
const STRIKES: [(&str, Count); 20] = [
    ("dead groups", |r| r.dead_groups),
    ("stops", |r| r.stops),
    ("crashes", |r| r.crashes),
    ("wipes", |r| r.wipes),
    ("power failures", |r| r.power_failures),
    ("failed syncs", |r| r.failed_syncs),
    ("full disks", |r| r.full_disks),
    ("cuts", |r| r.cuts + r.client_cuts),
    ("clock jumps", |r| r.jumps),
    ("drifts", |r| r.drifts),
    ("pauses", |r| r.pauses),
    ("slow machines", |r| r.slow_nodes),
    ("clients died", |r| r.deaths),
    ("clients slept", |r| r.sleeps),
    ("expired", |r| r.expired),
    ("conflicts", |r| r.conflicts),
    ("full batches", |r| r.full_batches),
    ("lost", |r| r.lost),
    ("doubled", |r| r.doubled),
    ("late copies", |r| r.late),
];
/// How wide the column is that tells them, so that a table fits into 100 columns.
const ROOM: usize = 38;
/// How many commands that replay a failure are printed.
const LISTED: usize = 10;

/// What came of the simulations of each strategy.
pub(super) type Outcomes = [(Variant, Done)];

/// Prints tables, failing seeds and the verdict.
pub(super) fn tell(settings: &SimSettings, outcomes: &Outcomes, all: u64, interrupted: bool) {
    println!("\n{}\n\n{}", by_strategy(outcomes), by_profile(outcomes));
    let failed = list_of_failures(settings, outcomes);
    if !failed.is_empty() {
        println!("\nwhat failed, and how to see it again:\n{failed}");
    }
    if interrupted {
        println!("interrupted: this is what was done until then");
    }
    println!("\nverdict: {}", verdict(&total(outcomes), all, interrupted));
}

fn total(outcomes: &Outcomes) -> Tally {
    sum(outcomes.iter().map(|(_, done)| done.tally()))
}

fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
    tallies.fold(Tally::default(), |mut sum, tally| {
        sum.add(tally);
        sum
    })
}

fn verdict(total: &Tally, all: u64, interrupted: bool) -> String {
    let count = grouped(total.simulations);
    let so_far = match (interrupted, total.failed) {
        (_, 1..) => format!("violated: {} of {count}", grouped(total.failed)),
        (true, 0) => format!("interrupted: none of {count}"),
        (false, 0) => format!("ok: none of {count}"),
    };
    let of_all = match total.simulations < all {
        true => format!(", of {} that were to be made,", grouped(all)),
        false => String::new(),
    };
    let undecided = match total.report.undecided {
        0 => String::new(),
        some => format!(
            "; the black-box search gave up on {} operations, which the witnessed check judged",
            grouped(some)
        ),
    };
    format!("{so_far} simulations{of_all} violated an invariant{undecided}")
}

fn by_strategy(outcomes: &Outcomes) -> String {
    let header = [
        "strategy",
        "simulations",
        "failed",
        "done",
        "unknown",
        "retries",
        "moves",
    ];
    let row = |(name, tally): (String, Tally)| {
        let Tally {
            simulations,
            failed,
            report,
        } = tally;
        let counts = [
            simulations,
            failed,
            report.done,
            report.unknown,
            report.retries,
            report.moves,
        ];
        let counts = counts.into_iter().map(grouped);
        std::iter::once(name).chain(counts).collect()
    };
    let each = outcomes
        .iter()
        .map(|(variant, done)| (variant.label(), done.tally()));
    let all = (outcomes.len() > 1).then(|| ("all".to_owned(), total(outcomes)));
    table_of(&header, each.chain(all).map(row), 1)
}

fn by_profile(outcomes: &Outcomes) -> String {
    let header = [
        "profile",
        "what struck",
        "simulations",
        "failed",
        "done",
        "unknown",
    ];
    let of = |profile: Profile| {
        let name = profile.to_string();
        let tallies = outcomes
            .iter()
            .filter_map(|(_, done)| done.profiles.get(&name));
        (name.clone(), sum(tallies.copied()))
    };
    let row = |(name, tally): (String, Tally)| {
        let counts = [
            tally.simulations,
            tally.failed,
            tally.report.done,
            tally.report.unknown,
        ];
        let counts = counts.into_iter().map(grouped);
        [name, strikes(&tally.report)]
            .into_iter()
            .chain(counts)
            .collect()
    };
    let profiles = Profile::ALL.into_iter().map(of);
    let made = profiles.filter(|(_, tally)| tally.simulations > 0);
    long_table_of(&header, made.map(row), 2)
}

/// What struck, as far as there is room for it.
fn strikes(report: &SimulationReport) -> String {
    let mut text = String::new();
    for (name, count) in STRIKES.map(|(name, of)| (name, of(report))) {
        let more = format!("{name} {}", grouped(count));
        let comma = if text.is_empty() { "" } else { ", " };
        if count > 0 && text.len() + comma.len() + more.len() <= ROOM {
            text += comma;
            text += &more;
        }
    }
    text
}

fn list_of_failures(settings: &SimSettings, outcomes: &Outcomes) -> String {
    let kept = outcomes.iter().flat_map(|(variant, done)| {
        let failures = done.failures.iter();
        failures.map(|failed| (*variant, failed.of(variant.strategy.name, settings)))
    });
    let told = kept.take(LISTED).map(|(variant, failure)| {
        let replay = command(variant, failure.seed, &failure.options);
        format!("{:?}: {replay}\n", failure.invariant())
    });
    let told: Vec<String> = told.collect();
    let more = total(outcomes).failed - told.len() as u64;
    let more = match more {
        0 => String::new(),
        _ => format!("and {} more\n", grouped(more)),
    };
    told.concat() + &more
}

/// Writes every counter, a row for each strategy and profile.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(path: &Path, outcomes: &Outcomes) -> Result<(), UsageError> {
    let problem = |error: &dyn std::fmt::Display| {
        UsageError::new("--out", format!("cannot write {}: {error}", path.display()))
    };
    let mut rows = csv::Writer::from_writer(Vec::new());
    let counters = SimulationReport::default().counters();
    let header = ["strategy", "profile", "simulations", "failed"]
        .into_iter()
        .chain(counters.iter().map(|(name, _)| match *name {
            // What `failed` means of a simulation is another thing.
            "failed" => "requests_failed",
            name => name,
        }));
    rows.write_record(header).map_err(|error| problem(&error))?;
    for (variant, done) in outcomes {
        let made = Profile::ALL.into_iter().filter_map(|profile| {
            let name = profile.to_string();
            let tally = done.profiles.get(&name).copied()?;
            Some((name, tally))
        });
        for (profile, tally) in made {
            let counts = [tally.simulations, tally.failed].into_iter();
            let counters = tally.report.counters().map(|(_, count)| count);
            let counts = counts.chain(counters).map(|count| count.to_string());
            let cells = [variant.label(), profile].into_iter().chain(counts);
            rows.write_record(cells).map_err(|error| problem(&error))?;
        }
    }
    let bytes = rows.into_inner().map_err(|error| problem(&error))?;
    whole::write(path, &bytes).map_err(|error| problem(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::info::{Directory, StrategyInfo};
    use ssmr_core::Needs;

    #[test]
    fn tables_fit_into_100_columns() {
        let mut report = SimulationReport::default();
        for count in [
            &mut report.done,
            &mut report.unknown,
            &mut report.retries,
            &mut report.moves,
            &mut report.crashes,
            &mut report.cuts,
            &mut report.lost,
            &mut report.wipes,
        ] {
            *count = 1_234_567;
        }
        let tally = Tally {
            simulations: 1_234_567,
            failed: 123,
            report,
        };
        let profiles = Profile::ALL.map(|profile| (profile.to_string(), tally));
        let mut done = Done::default();
        done.profiles = profiles.into();
        let strategy = StrategyInfo {
            name: "static",
            needs: Needs::default(),
            with_directory: Some("static-directory"),
        };
        let variant = Variant {
            strategy,
            directory: Directory::Home,
        };
        let outcomes = [(variant, done.clone()), (variant, done)];
        for text in [by_strategy(&outcomes), by_profile(&outcomes)] {
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(100), "{widest:?}:\n{text}");
        }
        let text = by_profile(&outcomes);
        assert!(
            text.contains("crashes 2,469,134, wipes 2,469,134"),
            "{text}"
        );
    }

    #[test]
    fn a_verdict_says_what_it_is_about() {
        let tally = |simulations, failed| Tally {
            simulations,
            failed,
            ..Tally::default()
        };
        assert_eq!(
            verdict(&tally(48, 0), 48, false),
            "ok: none of 48 simulations violated an invariant"
        );
        assert_eq!(
            verdict(&tally(1_000, 3), 1_000, false),
            "violated: 3 of 1,000 simulations violated an invariant"
        );
        assert_eq!(
            verdict(&tally(7, 0), 48, true),
            "interrupted: none of 7 simulations, of 48 that were to be made, violated an invariant"
        );
    }
}
