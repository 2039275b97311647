//! Runs of the binary, for several files of tests.
#![allow(dead_code, unreachable_pub, reason = "no file of tests uses all of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

/// A row of a CSV file.
pub type Row = BTreeMap<String, String>;

/// A process that does not outlive its test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A run under way.
pub struct Started {
    process: Process,
    stderr: Lines<BufReader<ChildStderr>>,
    /// What it told on its standard error so far.
    told: String,
    out: tempfile::TempDir,
}

impl Started {
    /// Starts a run with these flags.
    pub fn run(flags: &[&str]) -> Self {
        Self::by(Command::new(env!("CARGO_BIN_EXE_harness")), flags)
    }

    /// Starts a run by a command that has its own ways with the program, which follow it.
    pub fn by(mut command: Command, flags: &[&str]) -> Self {
        let out = tempfile::tempdir().unwrap();
        let short = ["run", "--warmup", "100ms", "--out"];
        let few_objects = ["--keys", "200"];
        let is_kv = !flags.contains(&"--workload");
        let mut process = command
            .args(short)
            .arg(out.path())
            .args(few_objects.iter().filter(|_| is_kv))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        let told = String::new();
        Self {
            process: Process(process),
            stderr,
            told,
            out,
        }
    }

    /// Its process.
    pub fn process(&self) -> &Child {
        &self.process.0
    }

    /// Where its results come.
    pub fn out(&self) -> &Path {
        self.out.path()
    }

    /// Waits until it tells this line on its standard error.
    pub fn until(&mut self, line: &str) {
        for told in self.stderr.by_ref() {
            let told = told.unwrap();
            self.told += &format!("{told}\n");
            if told == line {
                return;
            }
        }
        panic!("it never told {line:?}: {}", self.told);
    }

    /// Waits until it has ended.
    pub fn ended(mut self) -> (ExitStatus, Run) {
        let mut stdout = String::new();
        for line in self.stderr {
            self.told += &format!("{}\n", line.unwrap());
        }
        let mut pipe = self.process.0.stdout.take().unwrap();
        pipe.read_to_string(&mut stdout).unwrap();
        let run = Run {
            folder: fs::canonicalize(self.out.path().join("latest")).unwrap(),
            stdout,
            stderr: self.told,
            _out: self.out,
        };
        (self.process.0.wait().unwrap(), run)
    }
}

/// A finished run.
pub struct Run {
    /// The run's own folder.
    pub folder: PathBuf,
    /// What it printed.
    pub stdout: String,
    /// What it told on its standard error.
    pub stderr: String,
    _out: tempfile::TempDir,
}

impl Run {
    /// Runs with these flags and expects it to go well.
    pub fn of(flags: &[&str]) -> Self {
        let (status, run) = Started::run(flags).ended();
        assert_eq!(status.code(), Some(0), "{flags:?}: {}", run.stderr);
        run
    }

    /// The row for all operations together of a run of one strategy.
    pub fn total(&self) -> Row {
        let mut rows = self.rows("summary.csv");
        rows.retain(|row| row["op"] == "all");
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// What `run.json` holds.
    pub fn description(&self) -> serde_json::Value {
        let text = fs::read_to_string(self.folder.join("run.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The rows of one of its files.
    pub fn rows(&self, file: &str) -> Vec<Row> {
        read_rows(&self.folder.join(file))
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
            assert_eq!(row["cluster"], "healthy", "{row:?}");
            assert_ne!(row["replicas_agree"], "no", "{row:?}");
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

/// Whether memcached is installed, without which some tests have nothing to test. CI installs it,
/// so there it must be.
pub fn has_memcached() -> bool {
    let asked = Command::new("memcached").arg("--version").output();
    let there = asked.is_ok_and(|output| output.status.success());
    assert!(
        there || std::env::var_os("CI").is_none(),
        "memcached is missing"
    );
    if !there {
        eprintln!("memcached is missing: nothing is tested with it");
    }
    there
}

/// The rows of a CSV file.
pub fn read_rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// The cells of one column.
pub fn column<'a>(rows: &'a [Row], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| &row[name][..]).collect()
}
