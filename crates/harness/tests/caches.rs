//! Three real memcached servers under load, to which everything happens that can: nothing that is
//! answered is wrong, nothing fails, and the other servers go on being used.

#![cfg(target_os = "linux")]

mod common;

use common::{Row, Run, Started, has_memcached};
use std::process::Command;

/// Runs strategy cache on three servers with a schedule, in processes, and has it tell what its
/// cache clients notice.
fn run(fault: &str, more: &[&str]) -> Run {
    let flags = [
        "--strategy",
        "cache",
        "--deploy",
        "processes",
        "--clients",
        "4",
        "--create",
        "5",
        "--delete",
        "5",
        "--move",
        "5",
        "--read",
        "20",
        "--update",
        "5",
        "--multi",
        "60",
        "--fault",
        fault,
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.env("RUST_LOG", "ssmr_net=info");
    let (status, run) = Started::by(command, &[&flags, more].concat()).ended();
    assert_eq!(status.code(), Some(0), "{fault}: {}", run.stderr);
    run.summary();
    assert_eq!(run.total()["unjudged_ops"], "0");
    run
}

/// The rows for all operations together, in order of time.
fn intervals(run: &Run) -> Vec<Row> {
    let rows = run.rows("intervals.csv").into_iter();
    rows.filter(|row| row["op"] == "all").collect()
}

/// A fault, when it strikes and for how long, in milliseconds.
type Planned<'a> = (&'a str, u32, Option<u32>);

/// Runs a schedule of so many milliseconds on three servers, and ever more slowly until the
/// intervals show what they must: on a busy machine a fault may strike late, and a server that is
/// back be left alone for long.
fn run_until(faults: &[Planned<'_>], length: u32, shows: impl Fn(&[Row]) -> bool) -> Run {
    let mut slowness = 1;
    loop {
        let faults = faults.iter().map(|(word, at, length)| {
            let length = length.map(|length| format!("+{}ms", slowness * length));
            format!("{word}@{}ms{}", slowness * at, length.unwrap_or_default())
        });
        let fault = faults.collect::<Vec<_>>().join(",");
        let length = format!("{}ms", slowness * length);
        let run = run(&fault, &["--memcached", "local:3", "--duration", &length]);
        let rows = intervals(&run);
        if shows(&rows) {
            return run;
        }
        slowness *= 2;
        assert!(slowness <= 8, "{fault}: {rows:?}");
    }
}

/// The place of the first interval in which this happened.
fn struck(intervals: &[Row], what: &str) -> Option<usize> {
    let tells = |row: &Row| row["fault"].split("; ").any(|told| told == what);
    intervals.iter().position(tells)
}

fn sum(rows: &[Row], name: &str) -> f64 {
    let numbers = rows.iter().filter_map(|row| row[name].parse::<f64>().ok());
    numbers.sum()
}

/// Which servers were left alone and used again, as the log has it, in order.
fn told<'a>(run: &'a Run, what: &str) -> Vec<&'a str> {
    let lines = run.stderr.lines().filter(|line| line.contains(what));
    let lines: Vec<&str> = lines.collect();
    let servers = lines.into_iter().filter_map(|line| {
        assert!(line.contains("INFO"), "{line}");
        line.split("server=").nth(1)?.split_whitespace().next()
    });
    servers.collect()
}

const LEFT_ALONE: &str = "left alone";
const USED_AGAIN: &str = "used again";

/// One server of three is out for a second and a half, in one way or another: its breaker opens,
/// the places that the others have are found meanwhile, and it is used again.
#[test]
fn one_server_of_three_costs_its_own_share_until_its_breaker_opens() {
    if !has_memcached() {
        return;
    }
    for (word, begun, mended) in [
        ("freeze-cache", "freeze cache 1", "thaw cache 1"),
        ("cut-cache", "cut cache 1", "join cache 1"),
        ("kill-cache", "kill cache 1", "restart cache 1"),
    ] {
        let fault = (&format!("{word}:1")[..], 1_000, Some(1_500));
        let run = run_until(&[fault], 5_000, |rows| {
            let (Some(begun), Some(mended)) = (struck(rows, begun), struck(rows, mended)) else {
                return false;
            };
            let out = rows.get(begun + 5..mended).unwrap_or_default();
            let works = sum(out, "throughput_ops") > 0.0 && sum(out, "cache_hits") > 0.0;
            works && sum(&rows[mended + 1..], "cache_hits") > 0.0
        });
        let (opened, closed) = (told(&run, LEFT_ALONE), told(&run, USED_AGAIN));
        // Where the machine is busy another server may be too slow at times, for some.
        let times = |server: &&str| opened.iter().filter(|other| *other == server).count();
        let out = opened.iter().copied().max_by_key(times);
        let out = out.unwrap_or_else(|| panic!("{word}: nobody tells: {}", run.stderr));
        assert!(closed.contains(&out), "{word}: {out}: {}", run.stderr);
        assert_eq!(
            run.description()["strategies"][0]["faults"],
            serde_json::json!({ word: 1 })
        );
    }
}

/// All of it at once, and again.
#[test]
fn whatever_happens_to_three_servers_every_answer_is_right() {
    if !has_memcached() {
        return;
    }
    let faults = [
        ("kill-cache:0", 500, Some(1_000)),
        ("freeze-cache:1", 1_000, Some(1_000)),
        ("cut-cache:2", 1_200, Some(1_000)),
        ("flush-cache", 2_500, None),
        ("kill-cache:0", 3_000, None),
        ("kill-cache:1", 3_000, None),
        ("kill-cache:2", 3_000, None),
    ];
    let told = [
        "kill cache 0",
        "restart cache 0",
        "freeze cache 1",
        "thaw cache 1",
        "cut cache 2",
        "join cache 2",
        "flush cache",
        "kill cache 1",
        "restart cache 2",
    ];
    run_until(&faults, 6_000, |rows| {
        let all = told.iter().all(|what| struck(rows, what).is_some());
        let after = struck(rows, "restart cache 1").filter(|_| all);
        after.is_some_and(|after| sum(&rows[after + 1..], "cache_hits") > 0.0)
    });
}

/// Servers that have room for a fraction of what is stored throw out the rest.
#[test]
fn servers_that_are_full_throw_out_what_is_asked_for_again() {
    if !has_memcached() {
        return;
    }
    let more = [
        "--memcached",
        "local:3:2MiB",
        "--value-size",
        "4000",
        "--duration",
        "4s",
    ];
    let run = run("flush-cache@2s", &more);
    let strategy = &run.description()["strategies"][0];
    let evictions = strategy["cache_evictions"].as_u64();
    assert!(evictions > Some(0), "{strategy}");
    assert_eq!(run.description()["settings"]["memcached"], "local:3:2MiB");
    assert!(sum(&intervals(&run), "cache_hits") > 0.0);
}
