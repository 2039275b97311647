//! Every workload under every strategy, briefly.

mod common;

use common::{Row, Run, column};
use std::fs;

/// Runs so many commands of each client, and reads every object at the end. Returns the rows.
fn run(flags: &[&str]) -> Vec<Row> {
    let common = ["--operations", "60", "--clients", "4", "--audit"];
    let run = Run::of(&[&common, flags].concat());
    let all = run.summary();
    assert_eq!(column(&all, "strategy").len(), 4, "{flags:?}");
    let digests = column(&all, "digest");
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(column(&all, "unjudged_ops"), ["0"; 4], "{flags:?}");
    run.rows("summary.csv")
}

/// Runs workloads, and looks whether these kinds of operations are among their rows.
fn run_each(workloads: &[&str], kinds: &[&str]) {
    for workload in workloads {
        let rows = run(&["--workload", workload]);
        for kind in kinds {
            let there = rows.iter().any(|row| row["op"] == *kind);
            assert!(there, "{workload} has no {kind}");
        }
    }
}

#[test]
fn ycsb() {
    let records = ["--records", "200"];
    for workload in ["ycsb-a", "ycsb-b", "ycsb-c", "ycsb-d", "ycsb-e", "ycsb-f"] {
        run(&[&["--workload", workload], &records[..]].concat());
    }
}

#[test]
fn chirper() {
    let mixes = [
        ("timeline", "timeline"),
        ("post", "post"),
        ("follow", "unfollow"),
        ("follow-noop", "follow-noop"),
        ("mix", "follow"),
        ("growing", "signup"),
        ("dynastar", "post"),
        ("celebrity", "post"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("graph.txt");
    let edges = (0..50).map(|user| format!("{user} {}\n{user} {}\n", user + 1, user * 7 % 51));
    fs::write(&file, edges.collect::<String>()).unwrap();
    for (mix, kind) in mixes {
        let flags = ["--workload", "chirper", "--mix", mix];
        let shift = ["--shift-at", "30"];
        let shift = shift.iter().filter(|_| mix == "celebrity");
        let graph = ["--graph", file.to_str().unwrap()];
        let flags = flags.iter().chain(&graph).chain(shift);
        let rows = run(&flags.copied().collect::<Vec<_>>());
        assert!(
            rows.iter().any(|row| row["op"] == kind),
            "{mix} has no {kind}"
        );
    }
}

#[test]
fn linkbench() {
    run_each(&["linkbench"], &["addnode", "addlink", "getlinklist"]);
}

/// Its consistency conditions are looked at without `--audit`, too.
#[test]
fn tpcc() {
    let flags = ["--workload", "tpcc", "--operations", "60", "--clients", "8"];
    let more = ["--remote-lines", "10", "--samples", "--window", "2"];
    let run = Run::of(&[&flags[..], &more].concat());
    let all = run.summary();
    assert_eq!(column(&all, "consistent"), ["ok"; 4]);
    assert_eq!(column(&all, "unjudged_ops"), ["0"; 4]);
    assert_eq!(column(&all, "issued"), ["480"; 4], "a transaction is one");
    let digests = column(&all, "digest");
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
    let rows = run.rows("summary.csv");
    for kind in [
        "new-order",
        "payment",
        "order-status",
        "delivery",
        "stock-level",
    ] {
        let of_kind = rows.iter().filter(|row| row["op"] == kind);
        assert_eq!(of_kind.count(), 4, "{kind}");
    }
    let conflicts = column(&all, "conflicts");
    let conflicts: Vec<u64> = conflicts.iter().map(|n| n.parse().unwrap()).collect();
    assert!(conflicts.iter().all(|count| *count > 0), "{conflicts:?}");
    let samples = run.rows("samples.csv");
    let of = |strategy: &str| {
        let own = samples.iter().filter(|row| row["strategy"] == strategy);
        own.map(|row| row["conflicts"].parse::<u64>().unwrap())
            .sum::<u64>()
    };
    let told = column(&all, "strategy").into_iter().map(of);
    assert_eq!(told.collect::<Vec<_>>(), conflicts);
    let notes = &run.description()["strategies"][0];
    assert_eq!(notes["consistent"], "ok");
}

/// What is read without being ordered may be old, and the commit finds that out. A transaction
/// that only reads so is told so.
#[test]
fn tpcc_reads_at_leaders() {
    let flags = "--workload tpcc --operations 60 --clients 6 --remote-payments 50 --reads index \
        --strategy broker,static --scale mini --warehouses 3";
    let run = Run::of(&flags.split_whitespace().collect::<Vec<_>>());
    let all = run.summary();
    assert_eq!(column(&all, "consistent"), ["ok"; 2]);
    assert_eq!(column(&all, "unjudged_ops"), ["0"; 2]);
    for share in column(&all, "unordered_pct") {
        let share: f64 = share.parse().unwrap();
        assert!(
            share > 0.0 && share < 20.0,
            "{share} %: stock-levels, if none was declined"
        );
    }
}

#[test]
fn twitter() {
    run_each(&["twitter-12", "twitter-15"], &["create"]);
    run_each(&["twitter-14"], &["create", "read", "delete"]);
    run_each(&["twitter-23"], &["create", "read", "read-modify-write"]);
    run_each(&["twitter-45", "twitter-52"], &["create", "read"]);
}

/// Every access names objects of exactly so many partitions that are there: nothing else does.
#[test]
fn so_many_partitions() {
    let rows = run(&[
        "--partitions",
        "4",
        "--multi-partitions",
        "3",
        "--multi",
        "50",
        "--move",
        "0",
        "--read",
        "5",
    ]);
    let multi = rows.iter().filter(|row| row["op"] == "multi");
    let shares: Vec<&str> = multi.map(|row| &row["multi_partition_pct"][..]).collect();
    assert_eq!(shares, ["100"; 4]);
}

#[test]
fn popularities_and_sizes() {
    for flags in [
        ["kv", "latest", "uniform:1-500"],
        ["ycsb-d", "hotspot", "zipf:300"],
        ["linkbench", "uniform", "lognormal:100:1"],
        ["twitter-52", "zipf:0.5", "10"],
    ] {
        let [workload, popularity, size] = flags;
        run(&[
            "--workload",
            workload,
            "--popularity",
            popularity,
            "--value-size",
            size,
        ]);
    }
}

/// What no workload but kv does by itself is mixed into any, and what cannot be is refused.
#[test]
fn creates_deletes_and_moves_are_mixed_into_any_workload() {
    let mixed = ["--create=10", "--delete=5", "--move=10"];
    for workload in ["ycsb-b", "chirper", "twitter-14"] {
        let rows = run(&[&["--workload", workload], &mixed[..]].concat());
        for kind in ["create", "delete", "move"] {
            for row in rows.iter().filter(|row| row["op"] == kind) {
                let refused = kind == "move" && row["strategy"] == "static";
                let count = if refused { "unsupported" } else { "ok" };
                assert_eq!(row["issued"], row[count], "{row:?}");
            }
            let of_kind = rows.iter().filter(|row| row["op"] == kind).count();
            assert_eq!(of_kind, 4, "{workload}");
        }
    }
    for (flags, problem) in [
        (&["--workload=tpcc", "--create=1"][..], "counts its objects"),
        (&["--workload=ycsb-a", "--delete=1"], "--create"),
        (&["--workload=ycsb-a", "--move=101"], "101"),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_harness"));
        let ended = command.arg("run").args(flags).output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains(problem), "{told}");
    }
}
