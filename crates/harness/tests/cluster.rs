//! A cluster of processes that somebody founds, whose replicas are started again and again by the
//! same command line.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A process with a replica that keeps everything in memory.
struct Node {
    process: Child,
    orders: ChildStdin,
    reports: BufReader<ChildStdout>,
    asked: u64,
}

impl Node {
    /// Runs the one command line that there is for it. It listens when this returns.
    fn start(cluster: &Path, replica: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.arg("node").arg("--cluster").arg(cluster);
        command.args(["--replica", replica, "--orders"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut node = Self {
            orders: process.stdin.take().unwrap(),
            reports: BufReader::new(process.stdout.take().unwrap()),
            process,
            asked: 0,
        };
        assert_eq!(node.report(), "listening");
        node
    }

    fn report(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.reports.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    /// Whether it takes full part, by its own account.
    fn is_voter(&mut self) -> bool {
        self.asked += 1;
        writeln!(self.orders, "{{\"status\":{}}}", self.asked).unwrap();
        loop {
            let report = self.report();
            if report["status"][0] == self.asked {
                return report["status"][1]["is_voter"].as_bool().unwrap();
            }
        }
    }

    fn becomes_voter(&mut self) {
        // About half a minute.
        for _ in 0..3_000 {
            if self.is_voter() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it is not filled");
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The file of a cluster of one group of three, in memory.
fn cluster(folder: &Path) -> PathBuf {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = listeners.iter().enumerate().map(|(index, listener)| {
        let address = listener.local_addr().unwrap();
        format!("p0r{index} = \"{address}\"\n")
    });
    let text = format!(
        r#"
        incarnation = "5"
        strategy = "static"
        service = "kv"
        log_bytes = 100000
        [replicas]
        {}"#,
        addresses.collect::<String>()
    );
    let file = folder.join("things.toml");
    fs::write(&file, text).unwrap();
    file
}

/// Founds the cluster. Returns the exit status and what was said.
fn found(cluster: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let output = command
        .args(["cluster", "found"])
        .arg(cluster)
        .args(more)
        .output();
    let output = output.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), said)
}

#[test]
fn the_same_command_line_brings_an_empty_replica_back_as_another_member() {
    let folder = tempfile::tempdir().unwrap();
    let file = cluster(folder.path());
    let start = |replica| Node::start(&file, replica);
    let [mut first, mut second, mut third] = ["p0r0", "p0r1", "p0r2"].map(start);
    assert!(
        ![&mut first, &mut second, &mut third]
            .into_iter()
            .any(Node::is_voter)
    );
    assert_eq!(found(&file, &[]), (Some(0), "p0 is founded\n".into()));
    for node in [&mut first, &mut second, &mut third] {
        node.becomes_voter();
    }
    // Once more is harmless.
    assert_eq!(
        found(&file, &[]),
        (Some(0), "p0 was founded before\n".into())
    );

    third.kill();
    let mut third = start("p0r2");
    third.becomes_voter();

    // Two of three that forget are a lost group: nothing makes voters of them, who would elect a
    // leader that knows nothing.
    second.kill();
    third.kill();
    let [mut second, mut third] = ["p0r1", "p0r2"].map(start);
    let (code, said) = found(&file, &[]);
    assert_eq!(code, Some(1), "{said}");
    let words = [
        "things.toml: group p0 cannot be founded",
        "p0r0 holds a log up to entry",
    ];
    for word in words {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    assert!(!second.is_voter() && !third.is_voter());
}

#[test]
fn a_cluster_that_cannot_be_reached_is_not_founded() {
    let folder = tempfile::tempdir().unwrap();
    let file = cluster(folder.path());
    let (code, said) = found(&file, &["--timeout", "50ms"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("things.toml: cannot reach p0r0 at 127.0.0.1:"),
        "{said}"
    );
    let nowhere = folder.path().join("nowhere.toml");
    let (code, said) = found(&nowhere, &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("FILE: ") && said.contains("nowhere.toml"),
        "{said}"
    );
}
