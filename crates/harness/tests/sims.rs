//! The command `sim`: results, files that let an interrupted command go on, and what is refused.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Simulations of one kind, with their record in a file.
fn sim(seeds: &str, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let flags = "sim --strategy static --directory none --profile calm --execution exchange \
        --quiet --resume";
    command.args(flags.split(' ')).arg(file);
    command.args(["--seeds", seeds]).stdout(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The counters of the only strategy.
fn report(output: &Output) -> String {
    let text = text(output);
    let line = text.lines().find(|line| line.starts_with("static: "));
    let (_, report) = line.and_then(|line| line.split_once("minute: ")).unwrap();
    report.to_owned()
}

#[test]
fn what_is_done_is_told_again_and_other_flags_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    let first = sim("0..3", &file).output().unwrap();
    assert!(text(&first).starts_with("static: 3 simulations, 0 failed, "));
    let again = sim("0..3", &file).output().unwrap();
    assert!(text(&again).starts_with("static: 3 simulations, 0 failed, 0 a minute: "));
    assert_eq!(report(&first), report(&again));
    let mut other = sim("0..3", &file);
    let other = other.args(["--clients", "5"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    let told = String::from_utf8(other.stderr).unwrap();
    assert!(told.contains("--resume") && told.contains("is of --clients 4, not 5"));
}

#[test]
fn a_file_that_is_no_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    fs::write(&file, "something else").unwrap();
    let output = sim("0..3", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(&file).unwrap(), "something else");
}

/// The sums are those of a command that was never interrupted.
#[test]
fn an_interrupted_command_goes_on_where_it_stopped() {
    const SEEDS: &str = "0..600";
    let folder = tempfile::tempdir().unwrap();
    let (file, whole) = (folder.path().join("a.json"), folder.path().join("b.json"));
    let child = sim(SEEDS, &file).spawn().unwrap();
    while !file.exists() {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(150));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let interrupted = child.wait_with_output().unwrap();
    let by = std::os::unix::process::ExitStatusExt::signal(&interrupted.status);
    assert_eq!(by, Some(Signal::INT.as_raw()));
    let told = text(&interrupted);
    assert!(told.contains(" of 600 simulations") && told.contains("interrupted: "));
    let rest = sim(SEEDS, &file).output().unwrap();
    let whole = sim(SEEDS, &whole).output().unwrap();
    assert_eq!(report(&rest), report(&whole));
}
