//! A replica as a process, as those see it who look after it: its events, its pages, `top`.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

fn harness(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command
        .args(words)
        .env_remove("RUST_LOG")
        .env_remove("SSMR_LOG_FORMAT");
    command
}

fn said(output: &Output) -> String {
    let (out, err) = (output.stdout.clone(), output.stderr.clone());
    String::from_utf8([out, err].concat()).unwrap()
}

/// A cluster of one replica in memory.
fn cluster(folder: &Path) -> PathBuf {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let text = format!(
        r#"
        incarnation = "5"
        strategy = "static"
        service = "kv"
        durability = "memory"
        [replicas]
        p0r0 = "{address}"
        "#
    );
    let file = folder.join("cluster.toml");
    fs::write(&file, text).unwrap();
    file
}

/// A replica that writes its events as JSON.
struct Node {
    process: Child,
    events: BufReader<ChildStderr>,
}

impl Node {
    fn start(cluster: &Path) -> Self {
        let flags = ["--replica", "p0r0", "--orders", "--log-format", "json"];
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let metrics = free.local_addr().unwrap().to_string();
        drop(free);
        let mut command = harness(&["node", "--cluster"]);
        command.arg(cluster).args(flags);
        command.args(["--metrics", &metrics]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let events = BufReader::new(process.stderr.take().unwrap());
        Self { process, events }
    }

    /// The next event that says this. All are whole and bear what every event bears.
    fn event(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.events.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended without {message:?}");
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
            assert!(
                event["timestamp"].is_string() && event["target"].is_string(),
                "{line}"
            );
            if event["message"] == message {
                assert_eq!(event["level"], "INFO", "{line}");
                return event;
            }
        }
    }
}

fn get(from: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(from).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_node_says_what_changes_and_serves_pages_and_top_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = cluster(folder.path());
    let mut node = Node::start(&file);
    let started = node.event("the replica starts");
    assert_eq!(started["id"], "p0r0");
    assert_eq!(started["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        started["strategy"].as_str().unwrap().contains("static"),
        "{started}"
    );
    let metrics = started["metrics"].as_str().unwrap().parse().unwrap();
    let ready = get(metrics, "/readyz");
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("no member"),
        "{ready}"
    );
    let founded = harness(&["cluster", "found"]).arg(&file).output().unwrap();
    assert_eq!(said(&founded), "p0 is founded\n");
    let elected = node.event("a leader was elected");
    assert_eq!(
        (&elected["group"], &elected["leader"]),
        (&"p0".into(), &"p0r0".into())
    );
    assert!(elected["term"].as_u64().unwrap() > 0);
    while !get(metrics, "/readyz").starts_with("HTTP/1.1 200") {}
    let page = get(metrics, "/metrics");
    assert!(
        page.contains("\nssmr_leader{group=\"p0\",replica=\"p0r0\"} 1"),
        "{page}"
    );

    let top = |flags: &[&str]| {
        let mut command = harness(&["top", "--once", "--every", "100ms"]);
        command.args(flags).arg(&file).output().unwrap()
    };
    let table = top(&[]);
    assert_eq!(table.status.code(), Some(0), "{}", said(&table));
    assert!(said(&table).contains("p0r0") && said(&table).contains("leader"));
    let look: Value = serde_json::from_slice(&top(&["--json"]).stdout).unwrap();
    let row = &look["replicas"][0];
    assert_eq!(
        (&row["replica"], &row["leads"]),
        (&"p0r0".into(), &true.into()),
        "{look}"
    );
    assert!(
        row["commands_per_s"].is_number() && row["problem"].is_null(),
        "{look}"
    );

    drop(node.process.stdin.take());
    node.event("the replica has ended");
    assert!(node.process.wait().unwrap().success());
    let silent = top(&[]);
    assert_eq!(silent.status.code(), Some(3), "{}", said(&silent));
    assert!(said(&silent).contains("silent"), "{}", said(&silent));
}

#[test]
fn levels_that_are_none_are_refused_by_name() {
    let bad = harness(&["log", "nowhere", "--log-level", "inof"])
        .output()
        .unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert!(
        said(&bad).contains("--log-level") && said(&bad).contains("inof"),
        "{}",
        said(&bad)
    );
    for (name, value) in [("RUST_LOG", "inof"), ("SSMR_LOG_FORMAT", "xml")] {
        let bad = harness(&["log", "nowhere"])
            .env(name, value)
            .output()
            .unwrap();
        assert_eq!(bad.status.code(), Some(2), "{}", said(&bad));
        assert!(
            said(&bad).contains(name) && said(&bad).contains(value),
            "{}",
            said(&bad)
        );
    }
}

#[test]
fn an_address_for_metrics_that_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = cluster(folder.path());
    let mut command = harness(&[
        "node",
        "--replica",
        "p0r0",
        "--metrics",
        "nowhere",
        "--cluster",
    ]);
    let bad = command.arg(&file).output().unwrap();
    assert_eq!(bad.status.code(), Some(2), "{}", said(&bad));
    assert!(said(&bad).contains("--metrics"), "{}", said(&bad));
}
