//! `report`: where the page goes, and what is refused. What is in it is tested where it is made
//! (`crates/report`), and in a browser by `.ci/page`.

mod common;

use common::Run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../figures/tests/data")
        .join(name)
}

fn report(within: &Path, folder: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let command = command.current_dir(within).arg("report").arg(folder);
    command.args(flags).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_page_goes_beside_the_data_or_where_it_is_wanted() {
    let run = tempfile::tempdir().unwrap();
    fs::copy(data("run/summary.csv"), run.path().join("summary.csv")).unwrap();
    let output = report(run.path(), run.path(), &[]);
    let file = run.path().join("report.html");
    assert_eq!(text(&output.stdout), format!("{}\n", file.display()));
    assert!(output.status.success() && output.stderr.is_empty());
    let page = fs::read_to_string(&file).unwrap();
    // The dictionary of this program, and its name.
    assert!(page.contains("id=\"column-p50-us\"") && page.contains("harness plot "));
    let output = report(run.path(), Path::new("."), &["--out", "mine.html"]);
    assert_eq!(text(&output.stdout), "mine.html\n");
    assert!(run.path().join("mine.html").is_file());
}

#[test]
fn what_cannot_be_made_is_refused_by_name() {
    let empty = tempfile::tempdir().unwrap();
    let missing = empty.path().join("nothing/page.html");
    let cases: [(&Path, &[&str], [&str; 2]); 3] = [
        (empty.path(), &[], ["DIR", "no summary.csv"]),
        (Path::new("/nonexistent"), &[], ["DIR", "no such folder"]),
        (
            &data("run"),
            &["--out", missing.to_str().unwrap()],
            ["--out", "page.html"],
        ),
    ];
    for (folder, flags, words) in cases {
        let output = report(empty.path(), folder, flags);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        for word in words {
            assert!(told.contains(word), "no {word:?} in {told}");
        }
    }
    let left: Vec<_> = fs::read_dir(empty.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_run_ends_by_making_its_page() {
    let flags = ["--strategy", "static,broker", "--operations", "50"];
    let run = Run::of(&flags);
    let page = run.folder.join("report.html");
    let name = run.folder.file_name().unwrap().to_str().unwrap();
    let is_told = |line: &str| {
        let told = line.strip_prefix("report: ");
        told.is_some_and(|path| path.ends_with(&format!("/{name}/report.html")))
    };
    assert!(run.stdout.lines().any(is_told), "{}", run.stdout);
    let page = fs::read_to_string(page).unwrap();
    for told in [
        "static",
        "broker",
        "All is well: ",
        "--operations 50",
        "<figure ",
    ] {
        assert!(page.contains(told), "{told}");
    }
}
