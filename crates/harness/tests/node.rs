//! Replicas as processes that are asked to end, and what `log` says of the data that they leave.
#![cfg(unix)]

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A cluster of one replica that keeps its log in the same folder.
fn cluster(folder: &Path, durability: &str) -> PathBuf {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let text = format!(
        r#"
        incarnation = "5"
        strategy = "static"
        service = "kv"
        durability = "{durability}"
        data = "logs"
        log_bytes = 100000
        [replicas]
        p0r0 = "{address}"
        "#
    );
    let file = folder.join("cluster.toml");
    fs::write(&file, text).unwrap();
    file
}

/// A process with the replica of a cluster, which is founded if nothing is stored of it. It leads,
/// so that it has stored something, when this returns.
fn start(cluster: &Path) -> Child {
    let is_new = !cluster.with_file_name("logs").exists();
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.arg("node").arg("--cluster").arg(cluster);
    command.args(["--replica", "p0r0", "--orders"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == r#""listening""#));
    if is_new {
        let mut found = Command::new(env!("CARGO_BIN_EXE_harness"));
        let founded = found.args(["cluster", "found"]).arg(cluster).output();
        let founded = founded.unwrap();
        assert_eq!(said(&founded), "p0 is founded\n");
    }
    let leads = lines.any(|line| line.unwrap() == r#"{"leads":true}"#);
    assert!(leads, "it ended before it led");
    child
}

fn log(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.arg("log").arg(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (output.stdout.clone(), output.stderr.clone());
    String::from_utf8([out, err].concat()).unwrap()
}

/// A way to have a process end.
type End = Box<dyn Fn(&mut Child)>;

#[test]
fn a_process_that_is_asked_to_end_closes_its_log() {
    let signal = |signal| {
        move |child: &mut Child| {
            let id = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
            kill_process(id, signal).unwrap();
        }
    };
    let ends: [End; 3] = [
        Box::new(signal(Signal::TERM)),
        Box::new(signal(Signal::INT)),
        Box::new(|child: &mut Child| drop(child.stdin.take())),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = cluster(folder.path(), "async");
    let own = folder.path().join("logs/p0r0");
    for end in ends {
        let mut child = start(&file);
        assert!(own.join("unsynced").exists());
        let open = log(&own);
        assert_eq!(open.status.code(), Some(2), "{}", said(&open));
        assert!(said(&open).contains("in use"), "{}", said(&open));
        end(&mut child);
        // Whoever does not read might hold it up.
        child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut Vec::new())
            .unwrap();
        assert!(child.wait().unwrap().success());
        assert!(!own.join("unsynced").exists());
        let closed = log(&own);
        assert_eq!(closed.status.code(), Some(0), "{}", said(&closed));
    }
    // One that is killed leaves its mark, which means nothing as long as the machine runs on.
    let mut child = start(&file);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(own.join("unsynced").exists());
    assert_eq!(log(&own).status.code(), Some(0));
}

#[test]
fn a_data_folder_is_told_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&cluster(folder.path(), "sync"));
    child.kill().unwrap();
    child.wait().unwrap();
    let own = folder.path().join("logs/p0r0");
    let sound = log(&own);
    assert_eq!(sound.status.code(), Some(0), "{}", said(&sound));
    let words = [
        "p0r0 of cluster 0000000000000005",
        "strategy static, 1 partitions of 1 replicas",
        "0000000001.checkpoint",
        "0000000001.log",
        "all that was acknowledged is here",
    ];
    for word in words {
        assert!(
            said(&sound).contains(word),
            "no {word:?} in {}",
            said(&sound)
        );
    }
    let segment = own.join("0000000001.log");
    let whole = fs::read(&segment).unwrap();
    for (bytes, code, word) in [
        (whole[..whole.len() - 1].to_vec(), 0, "is cut"),
        (
            [&whole[..whole.len() - 1], &[!whole[whole.len() - 1]]].concat(),
            1,
            "doubtful",
        ),
        (whole[..20].to_vec(), 1, "refused"),
    ] {
        fs::write(&segment, &bytes).unwrap();
        let judged = log(&own);
        assert_eq!(judged.status.code(), Some(code), "{}", said(&judged));
        let told = said(&judged);
        assert!(
            told.contains(word) && told.contains("0000000001.log, offset"),
            "{told}"
        );
        assert_eq!(fs::read(&segment).unwrap(), bytes);
    }
    let nowhere = log(&folder.path().join("nowhere"));
    assert_eq!(nowhere.status.code(), Some(2), "{}", said(&nowhere));
    assert!(said(&nowhere).contains("FOLDER"), "{}", said(&nowhere));
}

#[test]
fn a_node_that_nobody_drives_ignores_its_input_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = cluster(folder.path(), "async");
    let own = folder.path().join("logs/p0r0");
    // Its place among the replicas is what started it says.
    let mut node = Command::new(env!("CARGO_BIN_EXE_harness"));
    node.arg("node").arg("--cluster").arg(&file);
    node.env("SLURM_PROCID", "0").stdin(Stdio::null());
    let mut node = node.spawn().unwrap();
    let mut found = Command::new(env!("CARGO_BIN_EXE_harness"));
    let founded = found
        .args(["cluster", "found"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(said(&founded), "p0 is founded\n");
    assert!(
        node.try_wait().unwrap().is_none(),
        "its input is at its end"
    );
    assert!(own.join("unsynced").exists());
    let id = Pid::from_raw(node.id().try_into().unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    assert!(node.wait().unwrap().success());
    assert!(!own.join("unsynced").exists());
}
