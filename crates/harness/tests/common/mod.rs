//! Runs of the binary, for several files of tests.
#![allow(dead_code, unreachable_pub, reason = "no file of tests uses all of it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A row of a CSV file.
pub type Row = BTreeMap<String, String>;

/// A finished run.
pub struct Run {
    /// The run's own folder.
    pub folder: PathBuf,
    /// What it printed.
    pub stdout: String,
    _out: tempfile::TempDir,
}

impl Run {
    /// Runs with these flags and expects it to go well.
    pub fn of(flags: &[&str]) -> Self {
        let out = tempfile::tempdir().unwrap();
        let short = ["run", "--warmup", "100ms", "--keys", "200", "--out"];
        let output = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(short)
            .arg(out.path())
            .args(flags)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{flags:?}: {stderr}");
        Self {
            folder: fs::canonicalize(out.path().join("latest")).unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            _out: out,
        }
    }

    /// The rows of one of its files.
    pub fn rows(&self, file: &str) -> Vec<Row> {
        let mut reader = csv::Reader::from_path(self.folder.join(file)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// Checks what holds for every run, and returns the rows for all operations together.
    pub fn summary(&self) -> Vec<Row> {
        let rows = self.rows("summary.csv");
        for row in &rows {
            assert_eq!(
                (&row["linearizable"][..], &row["errors"][..]),
                ("ok", "0"),
                "{row:?}"
            );
            let count = |name| row[name].parse::<u64>().unwrap();
            assert_eq!(
                count("issued"),
                count("ok") + count("unsupported"),
                "{row:?}"
            );
        }
        let all: Vec<Row> = rows
            .iter()
            .filter(|row| row["op"] == "all")
            .cloned()
            .collect();
        for total in &all {
            let parts = rows
                .iter()
                .filter(|r| r["strategy"] == total["strategy"] && r["op"] != "all");
            let sum: u64 = parts.map(|row| row["issued"].parse::<u64>().unwrap()).sum();
            assert!(sum > 0 && sum.to_string() == total["issued"], "{total:?}");
        }
        all
    }
}

/// The cells of one column.
pub fn column<'a>(rows: &'a [Row], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| &row[name][..]).collect()
}
