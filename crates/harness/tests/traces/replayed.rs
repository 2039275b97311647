//! Replays: their order, their end, and what is refused.

use crate::runner::{ALL, harness, lines, name, outcomes, parts, refused, replay};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// 40 objects that come, are updated and go in turn, 400 times, with pairs of neighbours in one
/// command and a read before the first create. Every command succeeds in this order alone.
fn chain() -> String {
    let mut text = String::from("command,time_us,op,id,attribute,to_attribute\n");
    let mut exists = [false; 40];
    for number in 0..400_usize {
        for object in [number * 7 % 40, number * 7 % 40 + 1].map(|object| object % 40) {
            let op = match (exists[object], number % 3) {
                (false, _) => "create",
                (true, 0) => "delete",
                (true, 1) => "update",
                (true, _) => "move",
            };
            exists[object] = op != "delete";
            let to = if op == "move" {
                number.to_string()
            } else {
                String::new()
            };
            let _ = writeln!(text, "{number},{},{op},o{object},a,{to}", number * 500);
        }
    }
    text
}

#[test]
fn commands_that_share_an_object_keep_the_order_of_the_trace() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("chain.csv"), chain()).unwrap();
    for flags in [
        &["--clients", "9", "--window", "4"][..],
        &["--clients", "9", "--trace-speed", "4"],
        &["--clients", "3", "--rate", "4000"],
        &["--clients", "1", "--execution", "gather"],
    ] {
        let more = ["--history", "h.jsonl", "--record", "r.jsonl"];
        let rows = replay(folder, "chain.csv", &[flags, &more].concat());
        assert_eq!(rows.len(), ALL.len());
        for row in rows {
            assert_eq!(
                (&row["issued"][..], &row["ok"][..]),
                ("400", "400"),
                "{row:?}"
            );
            let strategy = &row["strategy"];
            let ended = outcomes(&folder.join(format!("h-{strategy}.jsonl")));
            assert_eq!(
                ended,
                BTreeMap::from([("done".into(), 400)]),
                "{strategy} {flags:?}"
            );
        }
    }
}

#[test]
fn what_must_be_there_is_loaded_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = "op,id\nread,1\nupdate,2\ncreate,3\nlookup,4\ncreate,4\ndelete,5\ncreate,5\n";
    fs::write(folder.join("t.csv"), text).unwrap();
    let rows = replay(folder, "t.csv", &["--history", "h.jsonl", "--clients", "1"]);
    assert_eq!(rows.len(), ALL.len());
    for strategy in ALL {
        let ended = outcomes(&folder.join(format!("h-{strategy}.jsonl")));
        // Objects 1, 2 and 5 are loaded; 4 is not there when it is looked up.
        assert_eq!(
            ended,
            BTreeMap::from([("done".into(), 9), ("not-found".into(), 1)])
        );
    }
}

#[test]
fn a_replay_can_be_cut_short_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("chain.csv"), chain()).unwrap();
    let strategy = ["--strategy", "static", "--clients", "4"];
    let rows = replay(
        folder,
        "chain.csv",
        &[
            &strategy[..],
            &["--operations", "20", "--record", "r.jsonl"],
        ]
        .concat(),
    );
    let issued: usize = rows[0]["issued"].parse().unwrap();
    assert!((20..=80).contains(&issued), "{issued}");
    let recorded = lines(&folder.join("r.jsonl"));
    assert_eq!(recorded.len(), issued);
    let described = fs::read_to_string(folder.join("out/latest/run.json")).unwrap();
    let told = format!("{issued} of the 400 commands were issued before it was over");
    assert!(described.contains(&told), "{described}");
    // At a hundredth of its speed it takes 20 s.
    let words = [
        "run",
        "--workload",
        "trace",
        "--trace",
        "chain.csv",
        "--out",
        "out",
    ];
    let slowly = ["--trace-speed", "0.01", "--duration", "300ms"];
    let output = harness(folder, &[&words, &strategy[..], &slowly].concat());
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("of the 400 commands were issued"), "{told}");
}

#[test]
fn clients_of_the_trace_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut text = String::from("client,op,id\n");
    (0..30).for_each(|n| _ = writeln!(text, "{},read,{n}", n % 3 + 100));
    fs::write(folder.join("t.csv"), text).unwrap();
    let strategy = [
        "--strategy",
        "static",
        "--clients",
        "50",
        "--record",
        "r.jsonl",
    ];
    replay(folder, "t.csv", &strategy);
    let recorded = lines(&folder.join("r.jsonl"));
    for (command, parts) in recorded.iter().zip(parts(&recorded)) {
        let id = parts[0]["id"].as_u64().unwrap();
        assert_eq!(name(&parts[0]), format!("{id} of {id}"));
        assert_eq!(command["client"].as_u64(), Some((id % 3 + 100) % 50));
    }
}

#[test]
fn what_cannot_be_replayed_is_refused_by_flag_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("bad.csv"), "op,id\nread,1\nread,\n").unwrap();
    fs::write(folder.join("far.csv"), "op,id,to\nmove,1,1\nmove,1,2\n").unwrap();
    fs::write(folder.join("empty.jsonl"), "\n").unwrap();
    fs::write(folder.join("good.csv"), "op,id\nread,1\n").unwrap();
    for (flags, words) in [
        ("--workload trace", &["--trace", "needs the file"][..]),
        (
            "--workload trace --trace t.txt",
            &["--trace", ".jsonl or .csv"],
        ),
        (
            "--workload trace --trace no.csv",
            &["--trace: no.csv: cannot read it"],
        ),
        (
            "--workload trace --trace bad.csv",
            &["--trace: bad.csv: line 3: the id is missing"],
        ),
        (
            "--workload trace --trace far.csv",
            &["far.csv: line 3:", "partition 2", "--partitions"],
        ),
        (
            "--workload trace --trace empty.jsonl",
            &["empty.jsonl: there is no command in it"],
        ),
        (
            "--workload kv --trace good.csv",
            &["--trace: workload kv has no such flag"],
        ),
        (
            "--workload trace --trace good.csv --trace-speed 1",
            &["--trace-speed", "time_us"],
        ),
        (
            "--workload trace --trace good.csv --trace-speed 0",
            &["--trace-speed"],
        ),
        (
            "--workload trace --trace good.csv --trace-speed 1 --rate 5",
            &["--rate"],
        ),
        ("--record r.txt", &["--record", ".jsonl or .csv"]),
        ("--record /nowhere/r.csv", &["--record", "/nowhere/r"]),
    ] {
        let run: Vec<&str> = "run --out out".split(' ').chain(flags.split(' ')).collect();
        let told = refused(folder, &run);
        for word in words {
            assert!(told.contains(word), "{flags}: no {word:?} in {told}");
        }
    }
}

#[test]
fn commands_that_cannot_succeed_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = "op,id\ncreate,1\ncreate,1\ndelete,1\nread,1\n";
    fs::write(folder.join("t.csv"), text).unwrap();
    let rows = replay(folder, "t.csv", &["--strategy", "cache"]);
    assert_eq!(rows[0]["ok"], "4");
    let described = fs::read_to_string(folder.join("out/latest/run.json")).unwrap();
    assert!(
        described.contains("2 of the trace's 4 commands cannot succeed"),
        "{described}"
    );
}
