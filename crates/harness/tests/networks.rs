//! Runs on emulated networks: what they cost at least, what is written down of them, and that
//! nothing goes wrong.

mod common;

use common::{Run, column};
use std::fs;
use std::process::Command;

/// Each way takes 15 ms, also within the site: a command to one partition has four of them.
const NETWORK: &str = "sites = ['only']\n[within]\nlatency = '15ms'\njitter = '2ms'\n";

/// Of commands to one partition: to the leader, to a follower and back, and the answer.
const HOPS_US: u64 = 4 * 15_000;

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn strategies_see_the_same_network_in_threads_and_processes() {
    let network = file(NETWORK);
    let path = network.path().to_str().unwrap();
    for deploy in ["threads", "processes"] {
        let run = Run::of(&[
            "--net",
            path,
            "--deploy",
            deploy,
            "--strategy=static,cache",
            "--update=100",
            "--read=0",
            "--create=0",
            "--delete=0",
            "--move=0",
            "--multi=0",
            "--duration=1s",
        ]);
        let rows = run.summary();
        assert_eq!(column(&rows, "strategy"), ["static", "cache"]);
        for row in &rows {
            assert_eq!(row["net"], path);
            let p50: u64 = row["p50_us"].parse().unwrap();
            assert!(p50 >= HOPS_US, "{deploy}: {row:?}");
        }
        let told = run.description();
        assert_eq!(told["settings"]["net"], path);
        let site = &told["network"]["sites"]["only"];
        assert_eq!(site["clients"], 16);
        assert_eq!(told["network"]["longest_round_trip_us"], 34_000);
        let again = told["network"]["file"].as_str().unwrap();
        assert!(again.contains("latency = \"15ms\""), "{again}");
    }
}

#[test]
fn on_a_wide_network_each_strategy_is_judged_and_found_good() {
    let run = Run::of(&["--net=wan", "--strategy=all", "--duration=2s", "--audit"]);
    let rows = run.summary();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!(
            (&row["net"][..], &row["unjudged_ops"][..]),
            ("wan", "0"),
            "{row:?}"
        );
        // One client in three is at the leader's site; nobody is spared the round to a follower.
        let p50: u64 = row["p50_us"].parse().unwrap();
        assert!(p50 >= 2 * 40_250, "{row:?}");
    }
}

#[test]
fn everything_that_is_wrong_with_a_file_is_told() {
    let bad = file("sites = ['a', 'b']\nclients = ['c']\n[between]\nlatency = '40'\n");
    let refused = |net: &str, flags: &[&str]| {
        let out = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["run", "--net", net, "--out"])
            .arg(out.path())
            .args(flags)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{net}");
        String::from_utf8(output.stderr).unwrap()
    };
    let path = bad.path().to_str().unwrap();
    let told = refused(path, &[]);
    for part in ["--net", ":2: clients: ", ":4: between.latency: ", path] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(refused("man", &[]).contains("none, lan, wan"));
    let elsewhere = file("sites = ['a']\n[replicas]\np5r0 = 'a'\n");
    let told = refused(elsewhere.path().to_str().unwrap(), &["--partitions=2"]);
    assert!(told.contains("it places p5r0"), "{told}");
}
