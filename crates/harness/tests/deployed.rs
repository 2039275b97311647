//! Clusters that outlive the runs on them: processes that a file describes.
#![cfg(unix)]

mod common;

use common::{Process, Row, read_rows};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A cluster whose processes end with the test.
struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Describes one, on ports that were free a moment ago, and starts it.
    fn start(strategy: &str, flags: &[&str]) -> Self {
        let cluster = Self::describe(strategy, flags);
        let started = cluster.cluster(&["start"], &[]);
        assert!(started.status.success(), "{}", said(&started));
        cluster
    }

    /// Describes one, on ports that were free a moment ago.
    fn describe(strategy: &str, flags: &[&str]) -> Self {
        let cluster = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let file = cluster.file();
        let init = ["init", "--strategy", strategy];
        let output = cluster.cluster(&init, flags);
        assert!(output.status.success(), "{}", said(&output));
        let text = fs::read_to_string(&file).unwrap();
        // All at the same time: a port that is given back is given out again.
        let mut held = Vec::new();
        let with_free_ports: Vec<String> = text
            .lines()
            .map(|line| match line.split_once(" = \"127.0.0.1:") {
                Some((name, _)) => {
                    let free = TcpListener::bind("127.0.0.1:0").unwrap();
                    let with_port = format!("{name} = \"{}\"", free.local_addr().unwrap());
                    held.push(free);
                    with_port
                }
                None => line.to_owned(),
            })
            .collect();
        fs::write(&file, with_free_ports.join("\n")).unwrap();
        drop(held);
        cluster
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("cluster.toml")
    }

    fn cluster(&self, command: &[&str], flags: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harness"));
        let program = program.arg("cluster").arg(command[0]).arg(self.file());
        program.args(&command[1..]).args(flags).output().unwrap()
    }

    fn run(&self, out: &Path, flags: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harness"));
        program.args(["run", "--quiet", "--warmup", "100ms", "--keys", "200"]);
        program.arg("--deploy").arg(self.file());
        program.arg("--out").arg(out).args(flags);
        program
    }

    /// The process of a replica.
    fn process(&self, replica: &str) -> String {
        let path = self
            .folder
            .path()
            .join(format!("cluster.run/{replica}.pid"));
        fs::read_to_string(path).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.cluster(&["stop"], &[]);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

/// The row for all operations of the only run there.
fn whole(out: &Path) -> Row {
    let rows = read_rows(&out.join("latest/summary.csv"));
    rows.into_iter().find(|row| row["op"] == "all").unwrap()
}

fn assert_sound(row: &Row) {
    assert_eq!(row["linearizable"], "ok", "{row:?}");
    assert_eq!(row["unjudged_ops"], "0", "{row:?}");
    assert_eq!(row["errors"], "0", "{row:?}");
    assert_eq!(row["replicas_agree"], "yes", "{row:?}");
    assert_eq!(row["cluster"], "healthy", "{row:?}");
}

#[test]
fn runs_on_one_cluster_do_not_disturb_each_other_at_once_or_later() {
    let cluster = Cluster::start("broker", &["--partitions", "2", "--data", "data"]);
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [long, short, later] = folders.each_ref().map(tempfile::TempDir::path);
    let mut under_way = cluster.run(long, &["--duration", "3s"]).spawn().unwrap();
    let meanwhile = cluster
        .run(short, &["--duration", "500ms"])
        .output()
        .unwrap();
    assert!(meanwhile.status.success(), "{}", said(&meanwhile));
    assert!(under_way.wait().unwrap().success());
    let again = cluster
        .run(later, &["--operations", "20"])
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", said(&again));
    for out in [long, short, later] {
        assert_sound(&whole(out));
    }
    assert_eq!(whole(long)["strategy"], "broker");
    assert_eq!(
        whole(long)["digest"],
        whole(short)["digest"],
        "the same commands"
    );
}

#[test]
fn a_replica_that_is_killed_meanwhile_is_missed_at_the_end_and_found_again() {
    let cluster = Cluster::start("static", &["--partitions", "1"]);
    let out = tempfile::tempdir().unwrap();
    let mut run = cluster
        .run(out.path(), &["--duration", "2s"])
        .spawn()
        .unwrap();
    let kill = Command::new("kill")
        .args(["-9", &cluster.process("p0r1")])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(3), "degraded");
    let row = whole(out.path());
    assert_eq!(
        (&*row["linearizable"], &*row["cluster"]),
        ("ok", "degraded")
    );
    let status = cluster.cluster(&["status", "--timeout", "1s"], &[]);
    assert_eq!(status.status.code(), Some(3), "{}", said(&status));
    assert!(
        said(&status).contains("cannot reach p0r1"),
        "{}",
        said(&status)
    );
    // The same command starts what does not run.
    let started = cluster.cluster(&["start"], &[]);
    assert!(
        said(&started).contains("1 started, 2 ran"),
        "{}",
        said(&started)
    );
    let out = tempfile::tempdir().unwrap();
    let run = cluster
        .run(out.path(), &["--operations", "20"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", said(&run));
    assert_sound(&whole(out.path()));
}

#[test]
fn what_the_file_says_is_not_said_again() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster { folder };
    let output = cluster.cluster(&["init"], &["--strategy", "static"]);
    assert!(output.status.success(), "{}", said(&output));
    let again = cluster.cluster(&["init"], &[]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let check = cluster.cluster(&["check"], &[]);
    assert_eq!(check.status.code(), Some(0), "{}", said(&check));
    assert!(
        said(&check).contains("p1r2 at 127.0.0.1:4005"),
        "{}",
        said(&check)
    );
    for (flags, word) in [
        (["--strategy", "static"], "the cluster's file says it"),
        (["--partitions", "2"], "the cluster's file says it"),
        (["--net", "wan"], "the cluster's file says it"),
        (["--fault", "kill-random"], "a cluster of the run's own"),
        (
            ["--workload", "chirper"],
            "needs service chirper, the cluster has kv",
        ),
        (["--deploy", "nowhere.toml"], "nowhere.toml"),
        (["--deploy", "nowhere"], "neither threads nor processes"),
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harness"));
        program.args(["run", "--quiet"]);
        if flags[0] != "--deploy" {
            program.arg("--deploy").arg(cluster.file());
        }
        let refused = program.args(flags).output().unwrap();
        assert_eq!(
            refused.status.code(),
            Some(2),
            "{flags:?}: {}",
            said(&refused)
        );
        assert!(
            said(&refused).contains(word),
            "{flags:?}: {}",
            said(&refused)
        );
    }
}

#[test]
fn a_cluster_is_restarted_replica_by_replica_without_an_error_to_a_client() {
    let cluster = Cluster::start("static", &["--partitions", "2", "--data", "data"]);
    let out = tempfile::tempdir().unwrap();
    let mut run = cluster.run(out.path(), &["--duration", "60s", "--clients", "4"]);
    let mut run = run.spawn().unwrap();
    let rolled = cluster.cluster(&["roll"], &[]);
    // Clients are at work all the time, and end in order when they are asked to.
    let pid = run.id().to_string();
    assert!(
        run.try_wait().unwrap().is_none(),
        "it was too slow for this test"
    );
    let interrupt = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(interrupt.success());
    run.wait().unwrap();
    assert!(rolled.status.success(), "{}", said(&rolled));
    assert_eq!(
        said(&rolled)
            .matches("is back, with what it had stored")
            .count(),
        6
    );
    assert_sound(&whole(out.path()));
}

#[test]
fn a_job_of_processes_that_are_started_alike_is_a_cluster_and_its_load() {
    let cluster = Cluster::describe("static", &["--partitions", "1"]);
    let out = tempfile::tempdir().unwrap();
    let process = |number: &str, more: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harness"));
        program.env("JOB_COMPLETION_INDEX", number);
        program.args(["cluster", "job"]).arg(cluster.file());
        program.args(["--", "--quiet", "--warmup", "100ms", "--keys", "200"]);
        program
            .args(["--duration", "300ms", "--out"])
            .arg(out.path());
        program.args(more);
        program
    };
    let start = |number| Process(process(number, &[]).spawn().unwrap());
    let replicas = ["1", "2", "3"].map(start);
    let load = process("0", &[]).output().unwrap();
    assert_eq!(load.status.code(), Some(0), "{}", said(&load));
    assert_sound(&whole(out.path()));
    for mut replica in replicas {
        assert_eq!(replica.0.try_wait().unwrap(), None, "nobody has ended it");
        let id = replica.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.unwrap().success());
        let ended = replica.0.wait().unwrap();
        assert!(!ended.success(), "it would count as done: {ended}");
    }

    // Whichever it is, what is wrong is told by each, at once.
    for number in ["0", "1"] {
        let refused = process(number, &["--partitions", "2"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        let word = "--partitions: --deploy";
        assert!(said(&refused).contains(word), "{}", said(&refused));
    }
    for (number, word) in [
        (
            "4",
            "are processes 0 to 3; this is another one (JOB_COMPLETION_INDEX=4)",
        ),
        ("x", "JOB_COMPLETION_INDEX=x: it is no number"),
    ] {
        let refused = process(number, &[]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(word), "{}", said(&refused));
    }
}

#[cfg(feature = "tls")]
#[test]
fn certificates_are_renewed_and_replicas_restarted_under_load_and_nobody_else_gets_in() {
    let cluster = Cluster::start("broker", &["--tls", "--partitions", "1", "--data", "data"]);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [long, after] = folders.each_ref().map(tempfile::TempDir::path);
    let mut under_way = cluster.run(long, &["--duration", "6s"]).spawn().unwrap();
    for step in ["certify", "roll"] {
        let done = cluster.cluster(&[step], &[]);
        assert!(done.status.success(), "{step}: {}", said(&done));
    }
    assert!(under_way.wait().unwrap().success());
    assert_sound(&whole(long));

    let checked = cluster.cluster(&["check"], &[]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(
        said(&checked).contains("client.pem is valid for 364 days"),
        "{}",
        said(&checked)
    );

    // A client of one account gets what it needs, and no more.
    let own = tempfile::tempdir().unwrap();
    let tls = own.path().join("cluster.tls");
    let into = tls.to_str().unwrap();
    let issued = cluster.cluster(&["certify"], &["--client", "7", "--out", into]);
    assert!(issued.status.success(), "{}", said(&issued));
    let names = fs::read_dir(&tls).unwrap();
    let mut names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["ca.pem", "client.pem"]);
    let file = own.path().join("cluster.toml");
    fs::copy(cluster.file(), &file).unwrap();
    let status = |file: &Path| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harness"));
        program
            .args(["cluster", "status"])
            .arg(file)
            .output()
            .unwrap()
    };
    let told = status(&file);
    assert_eq!(told.status.code(), Some(1), "{}", said(&told));
    assert!(
        said(&told).contains("operator.pem: No such file"),
        "{}",
        said(&told)
    );

    // Its own authority does not help.
    let other = own.path().join("other.toml");
    let other = other.to_str().unwrap();
    let init = |file: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harness"));
        program
            .args(["cluster", "init", file, "--tls"])
            .output()
            .unwrap()
    };
    fs::remove_dir_all(&tls).unwrap();
    assert!(init(other).status.success());
    fs::rename(own.path().join("other.tls"), &tls).unwrap();
    let told = status(&file);
    assert!(!told.status.success(), "{}", said(&told));
    assert!(
        said(&told).contains("operator.pem: the certificate is of"),
        "{}",
        said(&told)
    );

    let run = cluster
        .run(after, &["--operations", "20"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", said(&run));
    assert_sound(&whole(after));
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_the_feature_tls_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.toml");
    let harness = || Command::new(env!("CARGO_BIN_EXE_harness"));
    let init = |flag: &str| {
        let mut program = harness();
        program
            .args(["cluster", "init", "--force"])
            .arg(&file)
            .arg(flag)
            .output()
            .unwrap()
    };
    let refused = init("--tls");
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("--tls: ") && said(&refused).contains("feature `tls`"));
    assert!(init("--insecure").status.success());
    let text = fs::read_to_string(&file).unwrap();
    let with_tls = text.replace("insecure = true", "tls = \"tls\"");
    fs::write(&file, with_tls).unwrap();
    for command in [
        &["cluster", "status"][..],
        &["node", "--replica", "p0r0", "--cluster"],
    ] {
        let refused = harness().args(command).arg(&file).output().unwrap();
        assert!(!refused.status.success());
        assert!(
            said(&refused).contains("feature `tls`"),
            "{}",
            said(&refused)
        );
    }
}

#[test]
fn replicas_that_are_started_say_what_the_command_was_told() {
    let cluster = Cluster::describe("static", &["--partitions", "1", "--replicas", "1"]);
    let said_there = || fs::read_to_string(cluster.folder.path().join("cluster.run/p0r0.log"));
    let flags = ["--log-format", "json", "--log-level", "debug"];
    let started = cluster.cluster(&["start"], &flags);
    assert!(started.status.success(), "{}", said(&started));
    let lines = said_there().unwrap();
    assert!(lines.lines().all(|line| line.starts_with('{')), "{lines}");
    assert!(lines.contains(r#""level":"INFO""#), "{lines}");
    let node = fs::read(format!("/proc/{}/cmdline", cluster.process("p0r0")));
    let node = String::from_utf8(node.unwrap()).unwrap();
    assert!(node.contains("--log-level=debug"), "{node}");
}

#[test]
fn beyond_this_host_it_has_to_be_said_who_may_speak() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.toml");
    let harness = |flags: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_harness"));
        program.args(flags).arg(&file).output().unwrap()
    };
    let init = [
        "cluster",
        "init",
        "--partitions=1",
        "--replicas=1",
        "--hosts=somewhere",
    ];
    let refused = harness(&init);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("--hosts: somewhere is beyond this host: --tls"));
    assert!(
        harness(&[&init[..], &["--insecure"]].concat())
            .status
            .success()
    );
    let text = fs::read_to_string(&file).unwrap();
    let free = TcpListener::bind("0.0.0.0:0").unwrap();
    let everywhere = free.local_addr().unwrap();
    drop(free);
    let text = text.replace("insecure = true", &format!("listen = \"{everywhere}\""));
    fs::write(&file, text).unwrap();
    let refused = harness(&["node", "--replica", "p0r0", "--cluster"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(
        said(&refused).contains(&format!("--cluster: {everywhere} is beyond this host")),
        "{}",
        said(&refused)
    );
}
