//! Replicas that are really killed, in processes of their own, and what the files of a run tell of
//! it.
//!
//! After each run with faults the harness reads every object that was created, compares the
//! replicas' states, and judges the whole history: `linearizable` is `ok` only if nothing that was
//! acknowledged is lost.

mod common;

use common::{Row, Run, Started, has_memcached};

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

/// Asserts that all of this is told, each after the one before it, and returns the places.
fn in_order(rows: &[Row], told: &[&str]) -> Vec<usize> {
    let places: Vec<usize> = told.iter().map(|what| struck(rows, what)).collect();
    assert!(places.is_sorted(), "{told:?} at {places:?}: {rows:?}");
    places
}

/// How often each word struck, by what `run.json` says.
fn counts(run: &Run) -> serde_json::Value {
    run.description()["strategies"][0]["faults"].clone()
}

/// One partition of so many replicas, with this schedule: nothing is answered from `begin` to
/// `end`, but for what was under way, and something is afterwards.
fn nothing_is_answered(replicas: &str, schedule: &str, begin: &str, end: &str) -> Run {
    let flags = [
        "--partitions",
        "1",
        "--replicas",
        replicas,
        "--duration",
        "4s",
    ];
    let more = [&flags[..], &["--durability", "sync"]].concat();
    let run = run("static", schedule, &more);
    run.summary();
    let rows = intervals(&run);
    let places = in_order(&rows, &[begin, end]);
    let (begun, ended) = (places[0], places[1]);
    assert!(ended > begun + 5, "{places:?}");
    assert!(done(&rows[..begun]) > 0.0, "{schedule}: {rows:?}");
    assert_eq!(done(&rows[begun + 3..ended]), 0.0, "{schedule}: {rows:?}");
    assert!(done(&rows[ended + 1..]) > 0.0, "{schedule}: {rows:?}");
    run
}

#[test]
fn a_replica_that_stands_still_answers_nothing_and_goes_on() {
    let run = nothing_is_answered("1", "pause:p0r0@1s+1s", "pause p0r0", "resume p0r0");
    assert_eq!(counts(&run), serde_json::json!({"pause": 1}));
}

#[test]
fn a_replica_that_clients_do_not_reach_answers_nothing() {
    let schedule = "cut-client:p0r0@1s+1s";
    nothing_is_answered("1", schedule, "cut-client p0r0", "join p0r0 to clients");
}

#[test]
fn two_of_three_that_hear_nobody_or_that_nobody_hears_are_no_majority() {
    for word in ["cut-in", "cut-out", "cut"] {
        let schedule = format!("{word}:p0r0@1s+1s,{word}:p0r1@1s+1s");
        let run = nothing_is_answered("3", &schedule, &format!("{word} p0r0"), "join p0r0");
        assert_eq!(counts(&run), serde_json::json!({ word: 2 }));
    }
}

#[test]
fn what_still_stands_still_at_the_end_goes_on_before_it_is_judged() {
    let more = ["--durability", "sync", "--duration", "1s"];
    let run = run(
        "static",
        "pause:p0r0@500ms+500ms,cut:p1r0@500ms+500ms",
        &more,
    );
    run.summary();
}

#[test]
fn a_replica_is_killed_by_its_name() {
    let run = run(
        "static",
        "kill:p1r2@300ms+700ms",
        &["--durability", "sync", "--duration", "2s"],
    );
    run.summary();
    in_order(&intervals(&run), &["kill p1r2", "restart p1r2"]);
}

/// File systems that are mounted below a folder.
#[cfg(target_os = "linux")]
fn mounts_below(folder: &std::path::Path) -> usize {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    mounts
        .lines()
        .filter(|line| line.contains(folder.to_str().unwrap()))
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_replica_whose_disk_was_full_is_started_again_and_catches_up() {
    let more = ["--durability", "sync", "--duration", "4s"];
    if !rustix::process::geteuid().is_root() {
        eprintln!("nothing can be mounted without root: nothing is tested");
        return;
    }
    let run = run("static", "full-disk:p0r1@500ms+1500ms", &more);
    // A replica that had not come back would make the cluster degraded.
    run.summary();
    let stopped = "No space left on device";
    assert!(run.stderr.contains(stopped), "{}", run.stderr);
    let rows = intervals(&run);
    in_order(
        &rows,
        &["full-disk p0r1", "free disk of p0r1", "restart p0r1"],
    );
    assert_eq!(mounts_below(&run.folder), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn caches_of_ones_own_freeze_and_forget() {
    if !has_memcached() {
        return;
    }
    let more = ["--memcached", "local:2", "--duration", "3s"];
    let schedule = "freeze-cache:0@500ms+1s,freeze-cache:1@500ms+1s,flush-cache@2s";
    let run = run("cache", schedule, &more);
    run.summary();
    let rows = intervals(&run);
    let told = [
        "freeze cache 0",
        "freeze cache 1",
        "thaw cache 0",
        "flush cache",
    ];
    let places = in_order(&rows, &told);
    let (frozen, thawed) = (places[1], places[2]);
    assert_eq!(run.description()["settings"]["memcached"], "local:2");
    let hits = |rows: &[Row]| -> u64 {
        let hits = rows
            .iter()
            .filter_map(|row| row["cache_hits"].parse::<u64>().ok());
        hits.sum()
    };
    assert!(hits(&rows[..places[0]]) > 0, "{rows:?}");
    // What was asked just before the thaw is found just after it.
    assert_eq!(hits(&rows[frozen + 2..thawed - 1]), 0, "{rows:?}");
    assert!(hits(&rows[thawed + 1..]) > 0, "{rows:?}");
}

#[test]
fn the_memory_of_processes_is_told() {
    let run = run("static", "kill:p0r0@500ms+100ms", &["--duration", "1s"]);
    let told = |row: &Row, name: &str| row[name].parse::<f64>().ok();
    let row = run.total();
    let (first, last) = (told(&row, "rss_first_mib"), told(&row, "rss_last_mib"));
    if cfg!(target_os = "linux") {
        assert!(first > Some(1.0) && last > Some(1.0), "{row:?}");
        let strategy = &run.description()["strategies"][0];
        assert_eq!(strategy["rss_last_mib"].as_f64().is_some(), last.is_some());
        let seen = intervals(&run);
        assert!(
            seen.iter().any(|row| told(row, "rss_mib") > Some(1.0)),
            "{seen:?}"
        );
    }
    let threads = Run::of(&["--strategy", "static", "--duration", "100ms"]);
    assert_eq!(threads.total()["rss_first_mib"], "");
}

/// Each second another word; groups keep going, nothing is lost, and all is judged.
#[cfg(target_os = "linux")]
#[test]
fn whatever_is_drawn_everything_is_judged() {
    if !has_memcached() {
        return;
    }
    let words = "random:kill+pause+cut+cut-in+cut-out+cut-client+freeze-cache+flush-cache";
    let more = [
        "--memcached",
        "local:2",
        "--durability",
        "sync",
        "--duration",
        "10s",
        "--log-bytes",
        "50000",
        "--seed",
        "3",
    ];
    let run = run("cache", words, &more);
    run.summary();
    assert_eq!(run.total()["unjudged_ops"], "0");
    let counts = counts(&run);
    let struck: u64 = counts
        .as_object()
        .unwrap()
        .values()
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert!(struck >= 5, "{counts}");
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

/// The children of a process that have this name.
#[cfg(target_os = "linux")]
fn children_of(parent: u32, name: &str) -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let is_its = |stat: &str| {
        // ID (NAME) STATE PARENT ...
        let words: Vec<&str> = stat.split(' ').collect();
        words.get(1) == Some(&&*format!("({name})")) && words.get(3) == Some(&&*parent.to_string())
    };
    let stats =
        folders.filter_map(|folder| std::fs::read_to_string(folder.path().join("stat")).ok());
    let its = stats.filter(|stat| is_its(stat));
    its.filter_map(|stat| stat.split(' ').next()?.parse().ok())
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn processes_do_not_outlive_a_harness_that_is_killed() {
    let flags = ["--strategy", "cache", "--duration", "1h"];
    let (servers, count) = match has_memcached() {
        true => (&["--memcached", "local:2"][..], 2),
        false => (&[][..], 0),
    };
    let mut harness = Started::run(&[&PROCESSES[..], &flags, servers].concat());
    harness.until("cache: measuring");
    let folder = harness.out().to_str().unwrap().to_owned();
    assert_eq!(processes_with(&folder), 7, "the harness and six replicas");
    let caches = children_of(harness.process().id(), "memcached");
    assert_eq!(caches.len(), count);
    let id = rustix::process::Pid::from_child(harness.process());
    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    // Their standard error is the harness's: it ends when the last of them is gone.
    harness.ended();
    assert_eq!(processes_with(&folder), 0);
    // So are theirs: caches have inherited it, too. What has ended has no command line.
    for cache in caches {
        let line = std::fs::read(format!("/proc/{cache}/cmdline")).unwrap_or_default();
        assert!(line.is_empty(), "{cache} runs");
    }
}
