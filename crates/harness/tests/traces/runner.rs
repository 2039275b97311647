//! Runs of the binary with traces, and what they leave.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The strategies.
pub(crate) const ALL: [&str; 4] = ["global", "broker", "static", "cache"];

/// A row of a CSV file.
pub(crate) type Row = BTreeMap<String, String>;

/// The program with these words, in this folder.
pub(crate) fn harness(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).args(words).output().unwrap()
}

/// The same, expected to go well. Returns what it printed.
pub(crate) fn well(folder: &Path, words: &[&str]) -> String {
    let output = harness(folder, words);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// The same, expected to be refused as bad usage. Returns what it told.
pub(crate) fn refused(folder: &Path, words: &[&str]) -> String {
    let output = harness(folder, words);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
    told
}

/// Replays a file of the folder, with these flags besides. Returns the rows for all operations
/// together, each of a healthy run.
pub(crate) fn replay(folder: &Path, trace: &str, flags: &[&str]) -> Vec<Row> {
    let words = [
        "run",
        "--workload",
        "trace",
        "--trace",
        trace,
        "--out",
        "out",
    ];
    well(folder, &[&words, flags].concat());
    let mut reader = csv::Reader::from_path(folder.join("out/latest/summary.csv")).unwrap();
    let rows: Vec<Row> = reader.deserialize().map(Result::unwrap).collect();
    for row in &rows {
        let verdicts = [&row["linearizable"], &row["cluster"], &row["errors"]];
        assert_eq!(verdicts, ["ok", "healthy", "0"], "{row:?}");
    }
    rows.into_iter().filter(|row| row["op"] == "all").collect()
}

/// The lines of a file of JSON.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// How the operations of a history (`--history`) ended, loading included.
pub(crate) fn outcomes(path: &Path) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    for line in &lines(path)[1..] {
        let outcome = line["outcome"].as_str().unwrap().to_owned();
        *outcomes.entry(outcome).or_default() += 1;
    }
    outcomes
}

/// The parts of each command of a trace.
pub(crate) fn parts(trace: &[Value]) -> Vec<&[Value]> {
    let objects = trace.iter().map(|command| command["objects"].as_array());
    objects.map(|objects| &objects.unwrap()[..]).collect()
}

/// What an object is called in a trace.
pub(crate) fn name(part: &Value) -> String {
    let attribute = part.get("attribute").unwrap_or(&part["id"]);
    format!("{} of {attribute}", part["id"])
}
