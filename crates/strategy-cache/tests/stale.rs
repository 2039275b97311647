//! Reads that the shared cache answers alone: with what was true once, also where the cache lies;
//! and a fault built in on purpose that the check of it finds.

use ssmr_core::{CacheReads, Mutant, Oracle};
use ssmr_sim::{Invariant, Options, Profile, SimulationReport, simulate};
use ssmr_strategy_cache::Cache;

fn options(profile: Profile) -> Options {
    Options {
        profile,
        cache_reads: CacheReads::Stale,
        // Stale reads are single ones, and few of all requests.
        requests: 50,
        ..Options::default()
    }
}

#[test]
fn what_the_cache_answers_alone_was_true_once() {
    let strategy = Cache.into_shared();
    let all = [
        (Profile::Calm, 20),
        (Profile::Cache, 20),
        (Profile::Storm, 1),
    ];
    for (profile, least) in all {
        let mut sum = SimulationReport::default();
        for seed in 0..20 {
            let report = simulate(&strategy, seed, options(profile));
            sum.add(report.unwrap_or_else(|failure| panic!("{profile}, seed {seed}: {failure}")));
        }
        assert!(sum.stale >= least, "{profile}: {sum}");
        let is_outdated = sum.outdated > 0 || profile == Profile::Storm;
        assert!(is_outdated, "{profile}: {sum}");
    }
}

#[test]
fn nothing_is_stale_unless_it_is_asked_for() {
    let cache_reads = CacheReads::Checked;
    let options = Options {
        cache_reads,
        ..options(Profile::Calm)
    };
    let report = simulate(&Cache.into_shared(), 0, options).unwrap();
    assert_eq!((report.stale, report.outdated), (0, 0));
}

#[test]
fn unsealed_values_that_are_believed_are_found() {
    let options = Options {
        mutant: Some(Mutant::UnsealedBelieved),
        // The cache lies a third of the time, and only some of what it says so is asked for.
        clients: 8,
        requests: 200,
        ..options(Profile::Cache)
    };
    let strategy = Cache.into_shared();
    let found = (0..10).find_map(|seed| {
        let failure = simulate(&strategy, seed, options).err()?;
        (failure.violation.invariant() == Invariant::OnceTrue).then_some(seed)
    });
    assert!(found.is_some(), "a liar is believed and nobody sees it");
}
