//! `plot`: which files it writes, and what it refuses. What is in them is tested where they are
//! drawn (`crates/figures`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../figures/tests/data")
        .join(name)
}

fn plot(folder: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command
        .arg("plot")
        .arg(folder)
        .args(flags)
        .output()
        .unwrap()
}

/// What was printed, and what was told beside it.
fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn refused(folder: &Path, flags: &[&str], words: &[&str]) {
    let output = plot(folder, flags);
    let (_, told) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{flags:?}: {told}");
    for word in words {
        assert!(told.contains(word), "{flags:?}: no {word:?} in {told}");
    }
}

#[test]
fn each_file_that_is_written_is_printed() {
    let out = tempfile::tempdir().unwrap();
    let output = plot(&data("load"), &["--out", out.path().to_str().unwrap()]);
    let (printed, told) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let mut files: Vec<PathBuf> = fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut lines: Vec<PathBuf> = printed.lines().map(PathBuf::from).collect();
    lines.sort();
    assert_eq!(lines, files);
    assert_eq!(files.len(), 2, "{files:?}");
    let svg = fs::read_to_string(out.path().join("throughput-latency.svg")).unwrap();
    assert!(svg.contains(">throughput (kops/s)</text>"));
    let hollow = "note: hollow, for the history is unchecked: broker clients 64";
    assert!(told.contains(hollow), "{told}");
    let skipped = "not drawn: cdf: it shows one run";
    assert!(told.contains(skipped), "{told}");
}

#[test]
fn figures_go_beside_the_data_by_default() {
    let run = tempfile::tempdir().unwrap();
    fs::copy(data("run/summary.csv"), run.path().join("summary.csv")).unwrap();
    let flags = ["--figure", "bars", "--op", "create", "--latency", "p99"];
    let (printed, told) = texts(&plot(run.path(), &flags));
    let file = run.path().join("figures/bars-create-p99.svg");
    assert_eq!(
        (printed, told),
        (format!("{}\n", file.display()), String::new())
    );
    assert!(file.is_file());
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().to_str().unwrap();
    refused(empty.path(), &[], &["DIR", folder, "no summary.csv"]);
    refused(
        Path::new("/nonexistent"),
        &[],
        &["DIR", "/nonexistent", "no such folder"],
    );
    refused(
        &data("run"),
        &["--op", "dance"],
        &["DIR", "\"dance\"", "create"],
    );
    let unfit = ["--figure", "scaling", "--out", folder];
    refused(&data("run"), &unfit, &["data/run", "scaling", "sweep over"]);
    let partly = ["--figure", "bars,scaling", "--out", folder];
    refused(&data("run"), &partly, &["--figure", "data/run", "scaling"]);
    refused(
        &data("run"),
        &["--figure", "pie"],
        &["--figure", "pie", "throughput-latency"],
    );
    refused(&data("run"), &["--latency", "p50,p99"], &["--latency"]);
    let file = empty.path().join("file");
    fs::write(&file, "").unwrap();
    refused(
        &data("run"),
        &["--out", file.to_str().unwrap()],
        &["--out", "file"],
    );
}

#[cfg(not(feature = "png"))]
#[test]
fn without_dots_it_says_where_to_get_them() {
    for form in ["png", "both"] {
        let words = ["--format", "--features png", "rsvg-convert"];
        refused(&data("run"), &["--format", form], &words);
    }
}

#[cfg(feature = "png")]
#[test]
fn both_forms_are_written_if_asked_for() {
    let out = tempfile::tempdir().unwrap();
    let flags = [
        "--figure",
        "bars",
        "--format",
        "both",
        "--out",
        out.path().to_str().unwrap(),
    ];
    let (printed, _) = texts(&plot(&data("run"), &flags));
    let names: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.rsplit('/').next())
        .collect();
    assert_eq!(names, ["bars.svg", "bars.png"]);
}
