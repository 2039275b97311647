//! What is recorded is replayed, and what is replayed is recorded as the same.

use crate::runner::{ALL, lines, name, parts, replay, well};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// What is done to each object, in order.
fn by_object(trace: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts(trace).into_iter().flatten() {
        all.entry(name(part)).or_default().push(part.to_string());
    }
    all
}

/// The commands, in no order.
fn commands(trace: &[Value]) -> Vec<String> {
    let text = |parts: &[Value]| Value::from(parts.to_vec()).to_string();
    let mut all: Vec<String> = parts(trace).into_iter().map(text).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_recording_and_its_replay_are_the_same_commands() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = "run --workload kv --strategy broker --warmup 0s --operations 300 --keys 50 \
               --clients 5 --window 3 --popularity zipf --record first.jsonl --out out";
    let told = well(folder, &run.split_whitespace().collect::<Vec<_>>());
    let first = lines(&folder.join("first.jsonl"));
    assert_eq!(first.len(), 5 * 300);
    let kinds = |name: &str| {
        first
            .iter()
            .filter(|c| c["objects"][0]["op"] == name)
            .count()
    };
    for kind in ["create", "read", "write", "update", "delete", "move"] {
        assert!(kinds(kind) > 10, "{kind}");
    }
    let rows = replay(
        folder,
        "first.jsonl",
        &[
            "--strategy",
            "broker,global",
            "--clients",
            "7",
            "--record",
            "again.jsonl",
        ],
    );
    for row in rows {
        let strategy = &row["strategy"];
        assert_eq!(row["issued"], "1500", "{row:?}");
        assert!(
            told.contains(&row["digest"]),
            "the recording is known by its digest"
        );
        let again = lines(&folder.join(format!("again-{strategy}.jsonl")));
        assert_eq!(by_object(&first), by_object(&again), "{strategy}");
        assert_eq!(commands(&first), commands(&again), "{strategy}");
    }
}

#[test]
fn every_workload_can_be_recorded_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let edges = (0..60).map(|user| format!("{user} {}\n", (user + 1) % 60));
    fs::write(folder.join("graph.txt"), edges.collect::<String>()).unwrap();
    let flags = "--strategy static --warmup 0s --operations 40 --clients 4 --record t.csv --out o";
    for workload in [
        "chirper --graph graph.txt --mix growing",
        "ycsb-e --records 100",
        "append",
    ] {
        let words = format!("run {flags} --workload {workload}");
        well(folder, &words.split_whitespace().collect::<Vec<_>>());
        let rows = replay(folder, "t.csv", &["--strategy", "all"]);
        assert_eq!(rows.len(), ALL.len());
        for row in rows {
            assert_eq!(row["issued"], "160", "{workload}: {row:?}");
        }
    }
}
