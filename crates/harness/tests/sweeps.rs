//! Sweeps by the binary: cells, resuming, merging, comparing.

mod common;

use common::{Row, column, read_rows};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Flags that make a run as short as it can be.
const SHORT: [&str; 6] = [
    "--duration=100ms",
    "--warmup=0s",
    "--keys=50",
    "--clients=2",
    "--partitions=1",
    "--replicas=1",
];

fn sweep(words: &[&str]) -> Output {
    sweep_as(&[], words)
}

/// A sweep in a job that is told this by its batch system.
fn sweep_as(told: &[(&str, &str)], words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.arg("sweep").args(words);
    for name in ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"] {
        command.env_remove(name);
    }
    command.envs(told.iter().copied()).output().unwrap()
}

/// What a sweep that ends well says.
fn good(words: &[&str]) -> String {
    let output = sweep(words);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a sweep says that is refused.
fn refused(words: &[&str]) -> String {
    let output = sweep(words);
    assert_eq!(output.status.code(), Some(2), "{words:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn totals(path: &Path) -> Vec<Row> {
    let rows = read_rows(path).into_iter();
    rows.filter(|row| row["op"] == "all").collect()
}

#[test]
fn combinations_and_repeats_are_run_once_and_put_together() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("moves");
    let file = out.path().join("moves.toml");
    let text = "repeat = 2\n[run]\nstrategy = ['static', 'global']\ncreate = 0\ndelete = 0\n\
                read = 45\nupdate = 45\nmove = 5\nmulti = 5\n[vary]\nwindow = [1, 4]\n";
    fs::write(&file, text).unwrap();
    let (at, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    let words = [&[file, "--out", at][..], &SHORT].concat();

    let listed = good(&[&words[..], &["--list"]].concat());
    assert_eq!(listed.lines().count(), 4);
    assert!(
        listed.starts_with("   0  open  window=1 seed=1\n"),
        "{listed}"
    );
    // One cell alone, as a job of an array has it.
    good(&[&words[..], &["--cell", "3"]].concat());
    let listed = good(&[&words[..], &["--list"]].concat());
    assert!(
        listed.ends_with("   3  done  window=4 seed=2\n"),
        "{listed}"
    );
    assert!(!folder.join("summary.csv").exists());
    let alone = fs::read_to_string(folder.join("cells/0003/run.json")).unwrap();

    let told = good(&words);
    assert!(
        told.contains("results: ") && told.contains("/report.html"),
        "{told}"
    );
    let rows = totals(&folder.join("summary.csv"));
    assert_eq!(
        column(&rows, "point"),
        ["0", "0", "1", "1", "0", "0", "1", "1"]
    );
    assert_eq!(
        column(&rows, "repeat"),
        ["0", "0", "0", "0", "1", "1", "1", "1"]
    );
    assert_eq!(
        column(&rows, "window"),
        ["1", "1", "4", "4", "1", "1", "4", "4"]
    );
    assert_eq!(
        column(&rows, "seed"),
        ["1", "1", "1", "1", "2", "2", "2", "2"]
    );
    assert!(column(&rows, "linearizable").iter().all(|it| *it == "ok"));
    // What was done before is kept as it was.
    let kept = fs::read_to_string(folder.join("cells/0003/run.json")).unwrap();
    assert_eq!(kept, alone);
    let points = totals(&folder.join("points.csv"));
    assert_eq!(column(&points, "point"), ["0", "0", "1", "1"]);
    assert_eq!(column(&points, "repeats"), ["2"; 4]);
    assert_eq!(column(&points, "throughput_ops_low"), [""; 4]);
    let mean: f64 = points[0]["throughput_ops_mean"].parse().unwrap();
    let of = |row: &Row| row["throughput_ops"].parse::<f64>().unwrap();
    assert!((mean - (of(&rows[0]) + of(&rows[4])) / 2.0).abs() < 0.01);

    // Once more there is nothing to do; nor where cells are only put together.
    let before = fs::read_to_string(folder.join("summary.csv")).unwrap();
    fs::remove_file(folder.join("summary.csv")).unwrap();
    good(&["--merge", at]);
    assert_eq!(
        fs::read_to_string(folder.join("summary.csv")).unwrap(),
        before
    );
    let told = good(&[&words[..], &["--baseline", at]].concat());
    assert!(told.contains("fewer than 5 runs"), "{told}");
    // Another sweep does not fit here.
    let other = [&words[..], &["--repeat", "3"]].concat();
    assert!(refused(&other).contains("holds another sweep"));
}

#[test]
fn shares_of_jobs_make_the_whole() {
    let out = tempfile::tempdir().unwrap();
    let at = out.path().join("shared");
    let at = at.to_str().unwrap();
    let own = ["--vary", "window=1,4", "--repeat=2", "--strategy=static"];
    let words = [&own[..], &["--out", at], &SHORT].concat();
    let done = || {
        let listed = good(&[&words[..], &["--list"]].concat());
        let done = |line: &&str| line.contains("done");
        let number = |line: &str| line.split_whitespace().next().unwrap().to_owned();
        listed.lines().filter(done).map(number).collect::<Vec<_>>()
    };
    let array = [
        ("SLURM_ARRAY_TASK_ID", "5"),
        ("SLURM_ARRAY_TASK_MIN", "4"),
        ("SLURM_ARRAY_TASK_COUNT", "2"),
    ];
    let ended = sweep_as(&array, &[&words[..], &["--share", "auto"]].concat());
    assert!(ended.status.success(), "{ended:?}");
    // One run of each point, so that this machine strikes both alike.
    assert_eq!(done(), ["1", "2"]);
    let index = [("JOB_COMPLETION_INDEX", "0")];
    let ended = sweep_as(&index, &[&words[..], &["--share", "auto/2"]].concat());
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(done(), ["0", "1", "2", "3"]);
    good(&["--merge", at]);
    let rows = totals(&Path::new(at).join("summary.csv"));
    assert_eq!(column(&rows, "seed"), ["1", "1", "2", "2"]);
}

#[test]
fn the_command_of_a_cell_makes_the_same_run() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("one");
    let own = [
        "--vary",
        "value-size=10,20",
        "--strategy",
        "static",
        "--out",
    ];
    good(&[&own[..], &[folder.to_str().unwrap()], &SHORT].concat());
    let rows = totals(&folder.join("summary.csv"));
    assert_eq!(column(&rows, "value_size"), ["10", "20"]);
    let run = fs::read_to_string(folder.join("cells/0001/run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    let words = run["command_line"].as_array().unwrap().iter().skip(1);
    let again = out.path().join("again");
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(words.map(|word| word.as_str().unwrap()));
    let output = command
        .args(["--quiet", "--out"])
        .arg(&again)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let repeated = totals(&again.join("latest/summary.csv"));
    assert_eq!(repeated[0]["digest"], rows[1]["digest"]);
    assert_ne!(rows[0]["digest"], rows[1]["digest"]);
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("none");
    let at = folder.to_str().unwrap();
    for (words, told) in [
        (&["--vary", "clients=1,many"][..], "clients=many"),
        (&["--vary", "no-such=1"], "no flag of `run`"),
        (&["--vary", "out=a,b"], "no flag of `run`"),
        (&["--vary", "clients"], "FLAG=A,B,C"),
        (&["--vary", "audit=perhaps"], "true or false"),
        (&["--vary", "create=5,50"], "create=50"),
        (&["--vary", "clients=1,2", "--cell", "2"], "no cell 2"),
        (
            &["--vary", "clients=1,2", "--cell", "auto"],
            "SLURM_ARRAY_TASK_ID",
        ),
        (&["--repeat", "3", "--share", "3/3"], "no share 3 of 3"),
        (&["--repeat", "3", "--share", "1"], "auto/N"),
        (&["--repeat", "3", "--share", "auto"], "SLURM_ARRAY_TASK_ID"),
        (
            &["--repeat", "3", "--seed", "18446744073709551615"],
            "too large",
        ),
        (
            &[
                "--vary",
                "seed=1,2",
                "--repeat",
                "10000",
                "--vary",
                "clients=1,2,3,4,5,6",
            ],
            "more than",
        ),
        (&["--vary", "clients=1", "--history", "h.edn"], "--history"),
        (&[], "nothing to do"),
    ] {
        let problem = refused(&[words, &["--out", at]].concat());
        assert!(problem.contains(told), "{words:?}: {problem}");
    }
    assert!(!folder.join("cells/0000").exists());
    // A list is one of what may be run elsewhere; it says what cannot be run here.
    let words = ["--vary", "create=5,50", "--out", at, "--list"];
    let listed = sweep(&words);
    let told = String::from_utf8_lossy(&listed.stderr);
    assert!(
        listed.status.success() && told.contains("cell 1 (create=50"),
        "{told}"
    );
    assert!(
        told.contains("cannot be run here") && told.contains("add up to"),
        "{told}"
    );
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 2);
    let problem = refused(&["--merge", at]);
    assert!(problem.contains("sweep.json"), "{problem}");
    let problem = refused(&["/nowhere.toml"]);
    assert!(problem.contains("/nowhere.toml"), "{problem}");
}
