//! Replicas that are really killed, in processes of their own, and what the files of a run tell of
//! it.
//!
//! After each run with faults the harness reads every object that was created, compares the
//! replicas' states, and judges the whole history: `linearizable` is `ok` only if nothing that was
//! acknowledged is lost.

mod common;

use common::{Row, Run, Started};

const PROCESSES: [&str; 2] = ["--deploy", "processes"];

/// Runs one strategy with a fault schedule in processes.
fn run(strategy: &str, fault: &str, more: &[&str]) -> Run {
    let flags = ["--strategy", strategy, "--fault", fault, "--clients", "4"];
    Run::of(&[&PROCESSES[..], &flags, more].concat())
}

/// The rows for all operations together, in order of time.
fn intervals(run: &Run) -> Vec<Row> {
    let rows = run.rows("intervals.csv").into_iter();
    rows.filter(|row| row["op"] == "all").collect()
}

/// The place of the first interval in which something happened whose description begins so.
fn struck(intervals: &[Row], what: &str) -> usize {
    let tells = |row: &Row| row["fault"].split("; ").any(|told| told.starts_with(what));
    let place = intervals.iter().position(tells);
    place.unwrap_or_else(|| panic!("no {what} in {intervals:?}"))
}

fn done(rows: &[Row]) -> f64 {
    rows.iter()
        .map(|row| row["throughput_ops"].parse::<f64>().unwrap())
        .sum()
}

#[test]
fn nothing_is_lost_when_random_replicas_are_killed() {
    for (strategy, reads) in [
        ("global", "ordered"),
        ("broker", "index"),
        ("static", "lease"),
        ("cache", "lease"),
    ] {
        // Logs are short, so that snapshots are part of it.
        let more = [
            "--reads",
            reads,
            "--durability",
            "sync",
            "--duration",
            "4s",
            "--log-bytes",
            "50000",
        ];
        let run = run(strategy, "kill-random", &more);
        run.summary();
        let rows = intervals(&run);
        struck(&rows, "kill");
        struck(&rows, "restart");
    }
}

#[test]
fn replicas_that_lose_their_memory_are_filled() {
    let more = [
        "--durability",
        "memory",
        "--duration",
        "4s",
        "--log-bytes",
        "50000",
    ];
    let run = run("static", "kill-random", &more);
    run.summary();
    let rows = intervals(&run);
    assert!(struck(&rows, "restart") > struck(&rows, "kill"));
}

#[test]
fn the_oracles_leader_is_no_single_point_of_failure() {
    let more = ["--durability", "sync", "--duration", "4s"];
    let run = run("broker", "kill-oracle-leader@1s", &more);
    run.summary();
    let rows = intervals(&run);
    let killed = struck(&rows, "kill oracle");
    assert!(killed >= 10, "it was due after a second: {rows:?}");
    assert!(done(&rows[..killed]) > 0.0);
    let end = &rows[rows.len().saturating_sub(10)..];
    assert!(done(end) > 0.0, "it goes on: {rows:?}");
}

#[test]
fn an_oracle_of_one_replica_is_out_until_it_is_back() {
    let more = [
        "--oracle-replicas",
        "1",
        "--durability",
        "sync",
        "--duration",
        "4s",
    ];
    let run = run("broker", "kill-oracle-leader@1s+1s", &more);
    run.summary();
    let rows = intervals(&run);
    let (killed, back) = (
        struck(&rows, "kill oracle"),
        struck(&rows, "restart oracle"),
    );
    assert!(
        back >= killed + 9,
        "it was due a second later: {killed}..{back}"
    );
    // Every client soon needs the oracle.
    assert_eq!(done(&rows[killed + 4..back]), 0.0, "{rows:?}");
    assert!(done(&rows[back + 1..]) > 0.0, "{rows:?}");
}

#[test]
fn threads_are_stopped_and_cut_off_too() {
    let more = [
        "--strategy",
        "cache",
        "--durability",
        "async",
        "--duration",
        "3s",
        "--clients",
        "4",
    ];
    let schedule = [
        "--fault",
        "cut:p0r1@500ms+1s,stop-cache@1s+1s,kill-leader:p1@1s+500ms",
    ];
    let run = Run::of(&[&more[..], &schedule].concat());
    run.summary();
    let rows = intervals(&run);
    for what in [
        "cut p0r1",
        "join p0r1",
        "stop cache",
        "start cache",
        "kill p1",
        "restart p1",
    ] {
        let told = rows.iter().any(|row| row["fault"].contains(what));
        assert!(told, "no {what} in {rows:?}");
    }
}

/// How many processes have this text on their command line.
#[cfg(target_os = "linux")]
fn processes_with(text: &str) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = folders.filter_map(|folder| std::fs::read(folder.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(text))
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn processes_do_not_outlive_a_harness_that_is_killed() {
    let flags = ["--strategy", "static", "--duration", "1h"];
    let mut harness = Started::run(&[&PROCESSES[..], &flags].concat());
    harness.until("static: measuring");
    let folder = harness.out().to_str().unwrap().to_owned();
    assert_eq!(processes_with(&folder), 7, "the harness and six replicas");
    let id = rustix::process::Pid::from_child(harness.process());
    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    // Their standard error is the harness's: it ends when the last of them is gone.
    harness.ended();
    assert_eq!(processes_with(&folder), 0);
}
