//! A fixed sweep of simulator seeds for each profile, over topologies, loads, both execution modes
//! and all kinds of reads.

use crate::{Options, Profile, SimulationReport, simulate};
use ssmr_core::{Execution, Oracle, Reads};
use std::sync::Arc;

/// How many seeds of each profile `cargo test` runs.
const SEEDS: u64 = 24;

/// Runs a strategy through the sweep of one profile.
///
/// # Panics
/// With the failure, if an invariant is violated; also if what the profile and the strategy promise
/// has not happened.
pub fn sweep(oracle: &Arc<dyn Oracle>, profile: Profile) {
    let mut total = SimulationReport::default();
    for seed in 0..SEEDS {
        let report = simulate(oracle, seed, options(profile, seed));
        total.add(report.unwrap_or_else(|failure| panic!("{failure}")));
    }
    let movable = oracle.movable();
    happened(&total, profile, movable);
}

/// A topology and a load that vary with the seed.
fn options(profile: Profile, seed: u64) -> Options {
    let pick = |from: &[u8], by: u64| from[(by % from.len() as u64) as usize];
    let execution = if seed.is_multiple_of(2) {
        Execution::Exchange
    } else {
        Execution::Gather
    };
    let clients = 1 + (seed * 5 + 3) % 8;
    // More at once on so few objects, and the black-box search drowns in possible orders.
    let most = (16 / clients).min(8) as usize;
    let reads = Reads::ALL[(seed / 2 % 3) as usize];
    Options {
        partitions: pick(&[3, 2, 4, 3, 2, 1, 3, 2, 8], seed),
        replicas: pick(&[3, 3, 5, 1, 3], seed / 2),
        clients,
        window: 1 + (seed as usize * 3 + 1) % most,
        // What a dead client did may be anywhere: the black-box search needs shorter histories
        // then.
        requests: if profile.kills_clients() { 10 } else { 25 },
        execution,
        reads,
        profile,
        ..Options::default()
    }
}

/// A run in which nothing happens proves nothing.
fn happened(report: &SimulationReport, profile: Profile, movable: bool) {
    let storm = profile == Profile::Storm;
    let mut expected = vec![
        ("done", report.done),
        ("refused", report.refused),
        ("multi_group", report.multi_group),
        ("unordered", report.unordered),
        ("snapshots", report.snapshots),
    ];
    if movable {
        expected.extend([("retries", report.retries), ("moves", report.moves)]);
    } else {
        expected.push(("unsupported", report.unsupported));
    }
    if storm || profile == Profile::Stop {
        expected.push(("stops", report.stops));
    }
    if storm || profile == Profile::HandOver {
        expected.extend([
            ("hand_overs", report.hand_overs),
            ("late_requests", report.late_requests),
            ("requested_votes", report.requested_votes),
        ]);
    }
    if storm || profile == Profile::Crash {
        expected.extend([("crashes", report.crashes), ("torn", report.torn)]);
    }
    if storm || profile == Profile::Wipe {
        expected.extend([
            ("wipes", report.wipes),
            ("wipes_in_change", report.wipes_in_change),
        ]);
    }
    if profile == Profile::Wipe {
        // In a storm it happens, too, but not in each sweep.
        expected.push(("restores", report.restores));
    }
    if storm || profile == Profile::Disk {
        expected.extend([
            ("power_failures", report.power_failures),
            ("failed_writes", report.failed_writes),
        ]);
    }
    if profile == Profile::Disk {
        expected.extend([
            ("torn", report.torn),
            ("lost_writes", report.lost_writes),
            ("reordered_writes", report.reordered_writes),
            ("lost_names", report.lost_names),
            ("failed_syncs", report.failed_syncs),
            ("full_disks", report.full_disks),
            ("slow_writes", report.slow_writes),
            ("lost_memories", report.lost_memories),
            ("mixed_up", report.mixed_up),
        ]);
    }
    if profile == Profile::Expiry {
        expected.extend([
            ("unknown", report.unknown),
            ("sleeps", report.sleeps),
            ("late_answers", report.late_answers),
            ("expired", report.expired),
        ]);
    }
    if profile == Profile::Limits {
        expected.extend([
            ("full_batches", report.full_batches),
            ("sent_in_pieces", report.sent_in_pieces),
            ("too_large", report.too_large),
            ("crashes", report.crashes),
            ("wipes", report.wipes),
        ]);
    }
    if storm || profile == Profile::Clock {
        expected.push(("jumps", report.jumps));
    }
    if storm || matches!(profile, Profile::Cut | Profile::Depose) {
        expected.extend([("cuts", report.cuts), ("lost", report.lost)]);
    }
    if profile == Profile::Drift {
        expected.extend([("drifts", report.drifts), ("cuts", report.cuts)]);
    }
    if profile == Profile::Pause {
        expected.push(("pauses", report.pauses));
    }
    if profile == Profile::Unreachable {
        expected.extend([("client_cuts", report.client_cuts), ("lost", report.lost)]);
    }
    if profile == Profile::Late {
        expected.push(("late", report.late));
    }
    if profile == Profile::Busy {
        expected.extend([("slow_nodes", report.slow_nodes), ("queued", report.queued)]);
    }
    if profile == Profile::Dead {
        let without = report.without_dead;
        expected.extend([
            ("dead_groups", report.dead_groups),
            ("without_dead", without),
        ]);
    }
    if storm || profile == Profile::Deaths {
        expected.push(("deaths", report.deaths));
    }
    if matches!(profile, Profile::Hostile | Profile::Twins) {
        expected.push(("conflicts", report.conflicts));
    }
    if storm || profile == Profile::Lossy {
        expected.extend([("lost", report.lost), ("doubled", report.doubled)]);
    }
    for (what, count) in expected {
        assert!(count > 0, "{profile}: nothing was {what}: {report}");
    }
    assert!(
        report.undecided <= SEEDS / 6,
        "{profile}: the black-box search gives up too often: {report}"
    );
}

/// Runs one simulation.
///
/// # Panics
/// With the failure, if an invariant is violated.
pub fn passes(oracle: &Arc<dyn Oracle>, seed: u64, profile: Profile, execution: Execution) {
    let options = Options {
        profile,
        execution,
        ..Options::default()
    };
    if let Err(failure) = simulate(oracle, seed, options) {
        panic!("{failure}");
    }
}
