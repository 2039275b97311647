//! Reads that the shared cache answers alone are reported apart, with threads and with processes.

mod common;

use common::{Row, Run};

fn count(row: &Row, name: &str) -> u64 {
    row[name]
        .parse()
        .unwrap_or_else(|_| panic!("{name} of {row:?}"))
}

fn check(deploy: &str) {
    let flags = "--strategy cache --cache-reads stale --duration 1s --clients 4 \
        --read 70 --update 22 --create 2 --delete 2 --move 2 --multi 2 --samples --deploy";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let run = Run::of(&[&flags[..], &[deploy]].concat());
    let rows = run.rows("summary.csv");
    let of = |op: &str| {
        let mut its = rows.iter().filter(|row| row["op"] == op);
        its.next().unwrap_or_else(|| panic!("no {op} in {rows:?}"))
    };
    let (all, stale) = (of("all"), of("stale-read"));
    assert_eq!(
        (&all["linearizable"][..], &all["unjudged_ops"][..]),
        ("ok", "0")
    );
    assert_eq!(
        (&stale["linearizable"][..], &stale["stale_values"][..]),
        ("", "ok")
    );
    assert!(count(stale, "ok") > 100, "{stale:?}");
    let share: f64 = stale["stale_pct"].parse().unwrap();
    assert!(share > 0.0 && share <= 100.0, "{share}");
    assert!(count(stale, "stale_lag_p50") <= count(stale, "stale_lag_p99"));
    assert!(count(stale, "stale_lag_p99") <= count(stale, "stale_lag_max"));
    assert!(count(stale, "stale_age_p50_us") <= count(stale, "stale_age_max_us"));
    // They are in no other row.
    let kinds = rows
        .iter()
        .filter(|row| !["all", "stale-read"].contains(&&row["op"][..]));
    let sum: u64 = kinds.map(|row| count(row, "issued")).sum();
    assert_eq!(sum, count(all, "issued"));
    assert_eq!(all["stale_values"], "");
    let samples = run.rows("samples.csv");
    let samples = samples.iter().filter(|row| row["op"] == "stale-read");
    assert_eq!(samples.count() as u64, count(stale, "issued"));
    let intervals = run.rows("intervals.csv");
    let intervals = intervals.iter().filter(|row| row["op"] == "stale-read");
    let sum: u64 = intervals.map(|row| count(row, "issued")).sum();
    assert_eq!(sum, count(stale, "issued"));
    let told = &run.description()["strategies"][0]["stale_values"];
    assert_eq!(told, "ok");
}

#[test]
fn stale_reads_are_reported_apart() {
    check("threads");
}

#[test]
fn processes_know_what_their_clients_must() {
    check("processes");
}
