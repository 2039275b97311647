//! `run --history`: the files are well-formed and complete.

mod common;

use common::{Row, Run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Clients and commands of each.
const FLAGS: [&str; 6] = ["--clients", "4", "--window", "3", "--operations", "100"];

/// How many operations say something, and how many there are at least: the summary does not count
/// those of the warm-up.
fn counts(row: &Row, audited: u64) -> (u64, u64) {
    let count = |name: &str| row[name].parse::<u64>().unwrap();
    let loaded = 200;
    (
        count("judged_ops") + count("unjudged_ops"),
        loaded + count("issued") + audited,
    )
}

#[test]
fn lines_of_json_hold_every_operation_of_each_strategy() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("h.jsonl");
    let history = ["--history", file.to_str().unwrap()];
    let chosen = ["--strategy", "static,broker", "--audit"];
    let run = Run::of(&[&history[..], &chosen, &FLAGS].concat());
    let rows = run.summary();
    let described = run.description();
    assert_eq!(rows.len(), 2);
    for (number, row) in rows.iter().enumerate() {
        let strategy = &row["strategy"];
        let audited = described["strategies"][number]["audited_objects"].as_u64();
        let text = fs::read_to_string(out.path().join(format!("h-{strategy}.jsonl"))).unwrap();
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let header = lines.next().unwrap();
        for (name, word) in [
            ("format", "ssmr-history"),
            ("service", "kv"),
            ("workload", "kv"),
            ("strategy", strategy),
        ] {
            assert_eq!(header[name], word, "{header}");
        }
        let operations: Vec<Value> = lines.collect();
        let (telling, least) = counts(row, audited.unwrap());
        let all = operations.len() as u64;
        assert!(all >= least, "{all} of {least}");
        assert_eq!(header["operations"].as_u64(), Some(all));
        let refused = operations.iter().filter(|one| one["outcome"] == "refused");
        assert_eq!(refused.count() as u64, all - telling);
        let mut before = 0;
        for (index, operation) in operations.iter().enumerate() {
            assert_eq!(operation["index"], index);
            let invoked = operation["invoked_us"].as_u64().unwrap();
            assert!(before <= invoked, "{operation}");
            before = invoked;
            let completed = operation["completed_us"].as_u64();
            assert!(completed.is_none_or(|at| invoked <= at), "{operation}");
            assert_eq!(completed.is_none(), operation["outcome"] == "unknown");
            let acts = operation["acts"].as_array().unwrap();
            assert!(!acts.is_empty(), "{operation}");
            for act in acts {
                let (verb, value) = (act[0].as_str().unwrap(), &act[2]);
                assert!(act[1].is_string(), "{operation}");
                let tells = match verb {
                    "create" | "write" => true,
                    "read" => operation["outcome"] == "done",
                    "delete" | "move" => false,
                    _ => panic!("{operation}"),
                };
                assert_eq!(value.is_string(), tells, "{operation}");
            }
        }
    }
}

/// What an event of Jepsen's says, of the fields without brackets.
fn event(line: &str) -> BTreeMap<&str, &str> {
    let inner = line.strip_prefix('{').and_then(|l| l.strip_suffix('}'));
    let fields = inner.unwrap_or_else(|| panic!("{line}")).split(", ");
    fields
        .map(|field| field.split_once(' ').unwrap())
        .inspect(|(name, _)| assert!(name.starts_with(':'), "{line}"))
        .collect()
}

/// Checks the events of one history and returns how many operations ended how.
fn ends(path: &Path) -> BTreeMap<String, u64> {
    let (mut ends, mut under_way) = (BTreeMap::new(), BTreeMap::new());
    let (mut gone, mut before) = (BTreeSet::new(), 0);
    for (index, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
        let event = event(line);
        assert_eq!(event[":index"], index.to_string());
        assert_eq!(event[":f"], ":txn");
        let time: u64 = event[":time"].parse().unwrap();
        assert!(before <= time, "{line}");
        before = time;
        let (process, client) = (event[":process"].to_owned(), event[":client"].to_owned());
        assert!(!gone.contains(&process), "{line}");
        if event[":type"] == ":invoke" {
            let other = under_way.insert(process, client);
            assert_eq!(other, None, "two at once: {line}");
        } else {
            assert_eq!(under_way.remove(&process), Some(client), "{line}");
            if event[":type"] == ":info" {
                gone.insert(process);
            }
            *ends.entry(event[":type"].to_owned()).or_default() += 1;
        }
        let value = event[":value"];
        assert_eq!(value.matches('[').count(), value.matches(']').count());
    }
    assert_eq!(under_way, BTreeMap::new());
    ends
}

#[test]
fn jepsens_format_ends_each_operation_once() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("h.edn");
    let history = ["--history", file.to_str().unwrap(), "--strategy", "static"];
    let run = Run::of(&[&history[..], &FLAGS].concat());
    let (telling, least) = counts(&run.total(), 0);
    let ends = ends(&file);
    assert!(ends.values().sum::<u64>() >= least, "{ends:?}");
    // Nothing was unknown, and what was refused or found nothing counts as failed.
    assert_eq!(ends.keys().collect::<Vec<_>>(), [":fail", ":ok"]);
    assert!(ends[":ok"] <= telling, "{ends:?}");
    assert!(ends[":ok"] * 2 > least, "{ends:?}");
}

#[test]
fn lists_are_told_as_elle_wants_them() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("lists.edn");
    let history = ["--history", file.to_str().unwrap(), "--strategy", "cache"];
    let lists = [
        "--workload",
        "append",
        "--lists",
        "10",
        "--list-length",
        "20",
    ];
    let run = Run::of(&[&history[..], &lists, &FLAGS].concat());
    assert!(run.summary().iter().all(|row| row["workload"] == "append"));
    let text = fs::read_to_string(&file).unwrap();
    let (mut appended, mut read) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().filter(|line| line.contains(":type :ok")) {
        let value = line.split(":value [").nth(1).unwrap();
        let value = value.split("], :time").next().unwrap();
        for one in value.split("[:").skip(1) {
            let words: Vec<&str> = one.split([' ', '[', ']']).collect();
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            match words[..] {
                ["append", list, element] => {
                    let new = appended.insert((list.to_owned(), element.to_owned()));
                    assert!(new, "twice: {line}");
                }
                ["r", list, ref elements @ ..] => {
                    assert!(!elements.is_empty() && elements.len() <= 21, "{line}");
                    let told = elements.iter().map(|e| (list.to_owned(), (*e).to_owned()));
                    read.extend(told);
                }
                _ => panic!("{line}"),
            }
        }
    }
    assert!(read.is_subset(&appended), "somebody appended what was read");
    assert!(read.len() > 100, "{} elements were read", read.len());
}
