//! `trace from-git`: every kind of change, and a replay of it in which nothing fails.

use crate::repository::Repository;
use crate::runner::{ALL, harness, lines, name, outcomes, parts, refused, replay, well};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A name that needs care.
const ODD: &str = "odd \"name\",\nin two lines \u{e9}";

/// Renames within and across folders, files that come back, branches that contradict each other,
/// odd names, and a commit above the protocol's limit.
fn repository() -> Repository {
    let mut made = Repository::new();
    for path in ["a/one", "a/two", "b/three", "a/four", ODD, "README"] {
        made.write(path, path, "");
    }
    made.commit();
    made.rename("a/two", "a/zwei");
    made.rename("b/three", "c/three");
    made.write("README", "README", "more");
    made.commit();
    made.rename("a/one", "b/one");
    made.write("b/one", "a/one", "moved and changed");
    made.commit();
    made.delete("a/zwei");
    made.commit();
    // The first object of this name is back; that of the other name is in use elsewhere.
    made.write("a/two", "a/two", "back");
    made.write("a/one", "another one", "");
    made.commit();

    made.git(&["checkout", "--quiet", "-b", "side"]);
    made.write("b/one", "a/one", "by side");
    made.delete("c/three");
    made.write("d/new", "d/new", "");
    made.write("same", "same", "");
    made.rename("a/four", "d/four");
    made.commit();
    made.git(&["checkout", "--quiet", "main"]);
    made.write("b/one", "a/one", "by main");
    made.write("c/three", "b/three", "which side deletes");
    made.write("same", "same", "");
    made.write("a/four", "a/four", "which side moves");
    made.commit();
    made.merge(&["side"], |made| {
        made.write("b/one", "a/one", "by both");
        made.write("c/three", "b/three", "which side deletes");
    });
    // What a branch did counts for nothing.
    made.git(&["checkout", "--quiet", "-b", "vain"]);
    made.write("e/vain", "e/vain", "");
    made.delete("README");
    made.commit();
    made.git(&["checkout", "--quiet", "main"]);
    made.write("d/new", "d/new", "newer");
    made.commit();
    made.git(&[
        "merge",
        "--quiet",
        "--strategy",
        "ours",
        "--message",
        "ours",
        "vain",
    ]);
    // Three parents.
    for branch in ["left", "right"] {
        made.git(&["checkout", "--quiet", "-b", branch, "main"]);
        made.write(&format!("f/{branch}"), branch, "");
        made.commit();
    }
    made.git(&["checkout", "--quiet", "main"]);
    made.git(&[
        "merge",
        "--no-ff",
        "--quiet",
        "--message",
        "octopus",
        "left",
        "right",
    ]);

    (0..4_100).for_each(|n| {
        let path = made.path().join(format!("many-{n}"));
        fs::write(path, format!("{n}")).unwrap();
    });
    made.commit();
    made
}

/// The trace of a repository as a file in this folder, and what was told of it, by its heading.
fn trace(repository: &Path, folder: &Path, flags: &[&str]) -> BTreeMap<String, u64> {
    let words = ["trace", "from-git", repository.to_str().unwrap()];
    let told = well(folder, &[&words, flags].concat());
    let row = |line: &str| {
        let (heading, rest) = line.split_at_checked(18)?;
        let count = rest.split_whitespace().next()?.replace(',', "");
        Some((heading.trim().to_owned(), count.parse().ok()?))
    };
    told.lines().filter_map(row).collect()
}

/// Checks that each command can succeed, and returns what exists after all of them.
fn alive(trace: &[Value]) -> BTreeSet<String> {
    let mut alive = BTreeSet::new();
    for parts in parts(trace) {
        assert!(parts.len() <= 4_096);
        for part in parts {
            let name = name(part);
            match part["op"].as_str().unwrap() {
                "create" => assert!(alive.insert(name), "{part} is there"),
                "delete" => assert!(alive.remove(&name), "{part} is not there"),
                "update" | "move" => assert!(alive.contains(&name), "{part} is not there"),
                other => panic!("{other}"),
            }
        }
    }
    alive
}

#[test]
fn a_history_becomes_commands_of_which_each_succeeds_under_all_strategies() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (flags, commits) in [(&[][..], 15), (&["--first-parent"], 11)] {
        let out = ["--out", "t.jsonl"];
        let told = trace(repository.path(), folder, &[flags, &out].concat());
        let written = lines(&folder.join("t.jsonl"));
        let alive = alive(&written);
        assert_eq!(alive.len(), repository.file_count(), "{flags:?}: {alive:?}");
        assert_eq!(told["alive at the end"], alive.len() as u64);
        assert_eq!(told["commits"], commits, "{told:?}");
        assert_eq!(told["merges"], 3);
        assert_eq!(told["commands"], written.len() as u64);
        assert_eq!(told["too large"], 1);
        assert!(told["moved and changed"] >= 1);
        let count = |op: &str| {
            let all = parts(&written).into_iter().flatten();
            all.filter(|part| part["op"] == op).count() as u64
        };
        for (heading, op) in [
            ("creates", "create"),
            ("updates", "update"),
            ("deletes", "delete"),
            ("moves", "move"),
        ] {
            assert_eq!(told[heading], count(op), "{heading}");
        }
        let text = fs::read_to_string(folder.join("t.jsonl")).unwrap();
        for id in ["a/one~2", "odd \\\"name\\\",\\nin two lines \u{e9}"] {
            assert!(text.contains(&format!("\"id\":\"{id}\"")), "{id}");
        }
        let rows = replay(
            folder,
            "t.jsonl",
            &["--history", "h.jsonl", "--partitions", "3"],
        );
        assert_eq!(rows.len(), ALL.len());
        for row in rows {
            let strategy = &row["strategy"];
            assert_eq!(row["issued"], written.len().to_string());
            assert_eq!(
                (&row["unsupported"][..], &row["unjudged_ops"][..]),
                ("0", "0")
            );
            let ended = outcomes(&folder.join(format!("h-{strategy}.jsonl")));
            assert_eq!(
                ended,
                BTreeMap::from([("done".into(), written.len())]),
                "{strategy}"
            );
        }
    }
}

#[test]
fn renames_keep_the_object_and_move_it_between_folders() {
    let mut made = Repository::new();
    made.write("a/x/f", "f", "");
    made.commit();
    made.rename("a/x/f", "a/y/g");
    made.commit();
    made.rename("a/y/g", "h");
    made.commit();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ops = |flags: &[&str]| {
        trace(
            made.path(),
            folder,
            &[&["--out", "t.jsonl"], flags].concat(),
        );
        let written = lines(&folder.join("t.jsonl"));
        let all = parts(&written).into_iter().flatten().inspect(|part| {
            assert_eq!(part["id"], "a/x/f");
        });
        let op = |part: &Value| format!("{} {}", part["op"], part["to_attribute"]);
        all.map(op).collect::<Vec<_>>()
    };
    let (create, to_root) = ("\"create\" null", "\"move\" \".\"");
    assert_eq!(ops(&[]), [create, to_root]);
    assert_eq!(
        ops(&["--folders", "2"]),
        [create, "\"move\" \"a/y\"", to_root]
    );
    assert_eq!(ops(&["--max-commits", "2"]), [create]);
    assert_eq!(ops(&["--rev", "HEAD~2"]), [create]);
}

#[test]
fn the_same_history_makes_the_same_bytes() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for file in ["a.csv", "b.csv"] {
        trace(repository.path(), folder, &["--out", file]);
    }
    let read = |file| fs::read(folder.join(file)).unwrap();
    assert!(read("a.csv") == read("b.csv"));
    let from = repository.path().to_str().unwrap();
    let printed = well(folder, &["trace", "from-git", from]);
    trace(repository.path(), folder, &["--out", "c.jsonl"]);
    assert_eq!(printed.as_bytes(), read("c.jsonl"));
    let left: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn a_history_is_replayed_without_a_file() {
    let repository = repository();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let from = repository.path().to_str().unwrap();
    for (revision, commit) in [("HEAD", ""), ("HEAD~3", "@HEAD~3")] {
        let words = ["--rev", revision, "--out", "t.jsonl"];
        trace(repository.path(), folder, &words);
        let flags = ["--strategy", "static"];
        let of_file = replay(folder, "t.jsonl", &flags);
        let at_once = replay(folder, &format!("git:{from}{commit}"), &flags);
        for column in ["digest", "issued", "ok"] {
            assert_eq!(at_once[0][column], of_file[0][column], "{revision}");
        }
    }
    let run = ["run", "--workload", "trace", "--trace"];
    let nowhere = format!("git:{}", folder.display());
    let lacking = format!("git:{from}@no-such");
    for (source, problem) in [
        (&nowhere, "not a git repository"),
        (&lacking, "there is no commit no-such"),
    ] {
        let told = refused(folder, &[&run[..], &[source]].concat());
        let named = format!("--trace: {source}");
        assert!(told.contains(&named) && told.contains(problem), "{told}");
        assert!(!told.contains("--rev") && !told.contains("REPO:"), "{told}");
    }
}

#[test]
fn a_repository_runs_nothing() {
    let mut made = Repository::new();
    made.write("f", "f", "");
    fs::write(
        made.path().join(".gitattributes"),
        "* diff=evil filter=evil\n",
    )
    .unwrap();
    made.commit();
    made.write("f", "f", "changed");
    made.commit();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let evil = folder.join("evil");
    let script = format!("touch {}", evil.display());
    let transport = format!("ext::sh -c \"{script}\"");
    for (name, value) in [
        ("core.fsmonitor", &script),
        ("core.pager", &script),
        ("core.sshCommand", &script),
        ("diff.external", &script),
        ("diff.evil.command", &script),
        ("diff.evil.textconv", &script),
        ("filter.evil.smudge", &script),
        ("filter.evil.clean", &script),
        ("gpg.program", &script),
        ("pager.diff-tree", &script),
        ("alias.diff-tree", &format!("!{script}")),
        ("remote.origin.url", &transport),
    ] {
        made.git(&["config", name, value]);
    }
    for (name, value) in [
        ("log.showSignature", "true"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialclonefilter", "blob:none"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
        ("protocol.ext.allow", "always"),
    ] {
        made.git(&["config", name, value]);
    }
    // A content that git would have to fetch.
    let blob = made.path().join(".git/objects");
    let id = Command::new("git")
        .current_dir(made.path())
        .args(["-c", "core.fsmonitor=false", "rev-parse", "HEAD:f"])
        .output()
        .unwrap();
    let id = String::from_utf8(id.stdout).unwrap();
    fs::remove_file(blob.join(&id[..2]).join(id[2..].trim())).unwrap();
    let _ = fs::remove_file(&evil);
    let told = trace(made.path(), folder, &["--out", "t.jsonl"]);
    assert_eq!((told["commits"], told["commands"]), (2, 2));
    assert!(!evil.exists(), "something was run");
    let last = lines(&folder.join("t.jsonl")).pop().unwrap();
    assert_eq!(
        last["objects"][0].get("size"),
        None,
        "its size is not known"
    );
}

#[test]
fn what_is_no_history_is_refused() {
    let made = Repository::new();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let from = ["trace", "from-git"];
    let refuse = |words: &[&str]| refused(folder, &[&from, words].concat());
    let there = made.path().to_str().unwrap();
    assert!(refuse(&["nowhere"]).contains("REPO: nowhere: "));
    assert!(refuse(&[folder.to_str().unwrap()]).contains("not a git repository"));
    assert!(refuse(&[there]).contains("--rev: there is no commit HEAD"));
    assert!(refuse(&[there, "--rev", "--all"]).contains("--rev: there is no commit --all"));
    assert!(refuse(&[there, "--out", "t.txt"]).contains(".jsonl or .csv"));
    assert!(refuse(&[there, "--max-commits", "0"]).contains("--max-commits"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let output = command
        .args(from)
        .arg(there)
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("the program git") && told.contains("is not installed"),
        "{told}"
    );
    let mut made = made;
    made.write("f", "f", "");
    made.commit();
    let there = made.path().to_str().unwrap();
    let output = harness(
        folder,
        &["trace", "from-git", there, "--out", "/nowhere/t.csv"],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--out"));
}
