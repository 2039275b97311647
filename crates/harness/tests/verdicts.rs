//! What a run says when something is wrong with the cluster and nothing with its history, and how
//! it ends.
#![cfg(unix)]

mod common;

use common::{Run, Started};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use ssmr_net::Clock;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// The process of a replica of a run.
#[cfg(target_os = "linux")]
fn process_of(run: &Started, replica: &str) -> Pid {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let mut its = folders.filter(|folder| {
        let line = std::fs::read(folder.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&line);
        words.contains(run.out().to_str().unwrap()) && words.split('\0').any(|word| word == replica)
    });
    let folder = its.next().expect("it has a process");
    let id = folder.file_name().to_str().unwrap().parse().unwrap();
    Pid::from_raw(id).unwrap()
}

/// Runs strategy static in processes, and kills some replicas while it is measured.
#[cfg(target_os = "linux")]
fn with_killed(replicas: &[&str], duration: &str) -> (ExitStatus, Run) {
    let flags = [
        "--strategy",
        "static",
        "--deploy",
        "processes",
        "--clients",
        "4",
    ];
    let mut run = Started::run(&[&flags[..], &["--duration", duration]].concat());
    run.until("static: measuring");
    for replica in replicas {
        kill_process(process_of(&run, replica), Signal::KILL).unwrap();
    }
    run.ended()
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_is_not_a_violation() {
    let (status, run) = with_killed(&["p0r1"], "2s");
    assert_eq!(status.code(), Some(3), "{}", run.stderr);
    let row = run.total();
    let verdicts = (
        &row["linearizable"][..],
        &row["replicas_agree"][..],
        &row["cluster"][..],
    );
    assert_eq!(verdicts, ("ok", "yes", "degraded"), "{}", run.stderr);
    assert_ne!(row["judged_ops"], "0");
    let told = "static: the cluster is degraded: p0r1 does not run";
    assert!(
        run.stderr.lines().any(|line| line == told),
        "{}",
        run.stderr
    );
    let description = run.description();
    let strategy = &description["strategies"][0];
    assert_eq!(strategy["judged_ops"].to_string(), row["judged_ops"]);
    assert_eq!(
        strategy["problems"][0],
        told.strip_prefix("static: ").unwrap()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_lost_group_ends_a_run_whose_history_is_judged() {
    let (status, run) = with_killed(&["p0r0", "p0r2"], "1h");
    assert_eq!(status.code(), Some(1), "{}", run.stderr);
    let row = run.total();
    let verdicts = (
        &row["linearizable"][..],
        &row["replicas_agree"][..],
        &row["cluster"][..],
    );
    assert_eq!(verdicts, ("ok", "", "lost"), "{}", run.stderr);
    let told = "static: the cluster is lost: p0r0 does not run, p0r2 does not run";
    assert!(
        run.stderr.lines().any(|line| line == told),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("p0 had lost its majority"),
        "{}",
        run.stdout
    );
    // What waited for that group was not answered: the run says how much of the history that is.
    let unjudged: u64 = row["unjudged_ops"].parse().unwrap();
    assert!((1..=4).contains(&unjudged), "{row:?}");
    assert!(run.stdout.contains("could not be judged"), "{}", run.stdout);
}

#[test]
fn a_full_disk_ends_a_run_in_seconds() {
    let clock = Clock::start();
    // No file may grow beyond 2 MiB: the log cannot be written any more.
    let mut shell = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\"";
    shell.args(["-c", limited, env!("CARGO_BIN_EXE_harness")]);
    let flags = [
        "--strategy",
        "static",
        "--durability",
        "sync",
        "--duration",
        "1h",
    ];
    let (status, run) = Started::by(
        shell,
        &[&flags[..], &["--value-size", "5000", "--clients", "4"]].concat(),
    )
    .ended();
    assert_eq!(status.code(), Some(1), "{}", run.stderr);
    let row = run.total();
    let verdicts = (&row["linearizable"][..], &row["cluster"][..]);
    assert_eq!(verdicts, ("ok", "lost"), "{row:?}: {}", run.stderr);
    let seconds = clock.now().micros() / 1_000_000;
    assert!(seconds < 25, "it took {seconds} s");
}

#[test]
fn every_object_can_be_read_at_the_end_without_faults() {
    let flags = [
        "--strategy",
        "static",
        "--operations",
        "20",
        "--clients",
        "2",
    ];
    let plain = Run::of(&flags).description();
    assert!(
        plain["strategies"][0]["audited_objects"].is_null(),
        "{plain}"
    );
    let audited = Run::of(&[&flags[..], &["--audit"]].concat()).description();
    let count = audited["strategies"][0]["audited_objects"].as_u64();
    assert!(count >= Some(200), "{audited}");
    let judged = |run: &serde_json::Value| run["strategies"][0]["judged_ops"].as_u64();
    assert!(
        judged(&audited) >= count.map(|count| count + 200),
        "{audited}"
    );
}

#[test]
fn an_interrupted_run_keeps_what_was_measured() {
    let flags = ["--strategy", "static", "--duration", "1h"];
    // A shell shows these as 130 and 143.
    for (signal, number) in [(Signal::INT, 2), (Signal::TERM, 15)] {
        let mut run = Started::run(&flags);
        run.until("static: measuring");
        std::thread::sleep(Duration::from_millis(300));
        kill_process(Pid::from_child(run.process()), signal).unwrap();
        let (status, run) = run.ended();
        assert_eq!(status.signal(), Some(number), "{}", run.stderr);
        let row = run.total();
        assert!(row["ok"] != "0" && row["linearizable"] == "ok", "{row:?}");
        let duration: f64 = row["duration_s"].parse().unwrap();
        assert!((0.2..60.0).contains(&duration), "{duration}");
        assert!(run.stdout.contains("interrupted"), "{}", run.stdout);
        assert_eq!(run.description()["interrupted"], true);
    }
}

#[test]
fn ctrl_c_ends_the_shells_loop_too() {
    let there = |shell: &&str| Command::new(shell).args(["-c", ":"]).status().is_ok();
    for shell in ["sh", "bash"].into_iter().filter(there) {
        let mut command = Command::new(shell);
        let looping = "for i in 1 2; do \"$0\" \"$@\"; echo \"status $?\"; done";
        command.args(["-c", looping, env!("CARGO_BIN_EXE_harness")]);
        // A terminal tells all processes of the group in the foreground.
        command.process_group(0);
        let mut run = Started::by(command, &["--strategy", "static", "--duration", "1h"]);
        run.until("static: measuring");
        kill_process_group(Pid::from_child(run.process()), Signal::INT).unwrap();
        let (status, run) = run.ended();
        assert_eq!(
            status.signal(),
            Some(2),
            "{shell}: {status}, {}",
            run.stdout
        );
        assert_eq!(
            run.stderr.matches("static: measuring").count(),
            1,
            "{shell}"
        );
    }
}
