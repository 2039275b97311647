//! The ready experiments (`experiments/`): each can still be run, and says what it is.

mod common;

use common::{has_memcached, read_rows};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What makes a cell as short as it can be. Faults have times of their own, within their duration.
const SHORT: [&str; 2] = ["--duration=200ms", "--warmup=50ms"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The names of the experiments.
fn names() -> Vec<String> {
    let folders = fs::read_dir(root().join("experiments")).unwrap();
    let folders = folders.map(Result::unwrap);
    let folders = folders.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> = folders
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.contains(&"scaling".to_owned()), "{names:?}");
    names
}

fn file(name: &str) -> PathBuf {
    Path::new("experiments").join(name).join("sweep.toml")
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The sweep of an experiment, as somebody in the workspace's root runs it.
fn sweep(name: &str, out: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(root()).arg("sweep").arg(file(name));
    command.arg("--out").arg(out).args(words).output().unwrap()
}

fn good(name: &str, out: &Path, words: &[&str]) -> String {
    let output = sweep(name, out, words);
    let told = String::from_utf8_lossy(&output.stderr);
    let is_good = output.status.success() && !told.contains("cannot be run");
    assert!(is_good, "{name} {words:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the commits that a sweep replays can be here: they are not in an archive of the sources,
/// nor in a shallow clone.
fn can_have_commits() -> bool {
    let asked = Command::new("git")
        .current_dir(root())
        .args(["rev-parse", "--is-shallow-repository"])
        .output()
        .unwrap();
    let whole = asked.status.success() && asked.stdout == b"false\n";
    if !whole {
        eprintln!("this is no whole clone: sweeps over its history are not tried");
    }
    whole
}

/// The experiments whose commands and servers can be had here.
fn possible() -> Vec<String> {
    let (whole, servers) = (can_have_commits(), has_memcached());
    let needs = |name: &String, what: &str| text(file(name)).contains(what);
    let mut names = names();
    names.retain(|name| whole || !needs(name, "trace = \"git:"));
    names.retain(|name| servers || !needs(name, "\"local:"));
    names
}

#[test]
fn each_experiment_says_its_question_and_how_it_is_run() {
    let index = text("experiments/README.md");
    for name in names() {
        let sweep = text(file(&name));
        let question = sweep.lines().next().unwrap();
        let is_question = question.starts_with("# ") && question.contains('?');
        assert!(is_question, "{name}: {question}");
        assert!(
            index.contains(&format!("({name}/README.md)")),
            "{name} is not in the index"
        );
        let about = text(Path::new("experiments").join(&name).join("README.md"));
        let command = format!("sweep experiments/{name}/sweep.toml");
        assert!(about.contains(&command), "{name}: {command}");
    }
}

/// Each point is one that can be run; and there are repeats enough for intervals.
#[test]
fn each_experiment_can_be_run() {
    let out = tempfile::tempdir().unwrap();
    for name in possible() {
        let listed = good(&name, &out.path().join(&name), &["--list"]);
        let first = listed.lines().filter(|line| line.ends_with(" seed=1"));
        let points = first.count();
        assert!(points > 0 && listed.lines().count() == 5 * points, "{name}");
    }
}

#[test]
fn a_cell_of_each_experiment_is_judged_and_found_good() {
    let out = tempfile::tempdir().unwrap();
    for name in possible() {
        let folder = out.path().join(&name);
        let words: &[&str] = match text(file(&name)).contains("fault") {
            true => &[],
            false => &SHORT,
        };
        good(&name, &folder, &[words, &["--cell", "0"]].concat());
        let rows = read_rows(&folder.join("cells/0000/summary.csv"));
        for row in rows.iter().filter(|row| row["op"] == "all") {
            assert_ne!(row["ok"], "0", "{name}: {row:?}");
            let verdicts = [&row["linearizable"], &row["unjudged_ops"], &row["cluster"]];
            assert_eq!(verdicts, ["ok", "0", "healthy"], "{name}: {row:?}");
        }
    }
}
