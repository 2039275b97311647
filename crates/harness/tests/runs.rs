//! Whole runs of the binary: clusters over TCP, checked histories, files.

mod common;

use common::{Row, Run, column};
use std::fs;
use std::path::Path;

#[test]
fn all_strategies_do_the_same_work_and_are_linearizable() {
    let run = Run::of(&["--duration", "500ms", "--clients", "6", "--window", "2"]);
    let all = run.summary();
    assert_eq!(
        column(&all, "strategy"),
        ["global", "broker", "static", "cache"]
    );
    assert!(
        column(&all, "digest")
            .windows(2)
            .all(|pair| pair[0] == pair[1])
    );
    assert_eq!(column(&all, "duration_s"), ["0.5"; 4]);
    // What does not apply is empty.
    assert_eq!(
        column(&all, "cache_hits")
            .iter()
            .filter(|cell| cell.is_empty())
            .count(),
        3
    );
    assert_eq!(
        (&all[2]["moves"][..], &all[2]["oracle_consults"][..]),
        ("", "")
    );
    assert!(column(&all, "rate").iter().all(|cell| cell.is_empty()));
    // Static placement refuses moves, and only these.
    let rows = run.rows("summary.csv");
    let unsupported = rows
        .iter()
        .filter(|row| row["unsupported"] != "0" && row["op"] != "all");
    let refused: Vec<_> = unsupported
        .map(|row| (&row["strategy"][..], &row["op"][..], &row["p50_us"][..]))
        .collect();
    assert_eq!(refused, [("static", "move", "")]);
    // Five intervals each, one row for all operations.
    let intervals: Vec<Row> = run
        .rows("intervals.csv")
        .into_iter()
        .filter(|row| row["op"] == "all")
        .collect();
    assert_eq!(
        column(&intervals[..5], "t_ms"),
        ["0", "100", "200", "300", "400"]
    );
    assert_eq!(intervals.len(), 20);
    let sum: u64 = intervals[..5]
        .iter()
        .map(|row| row["issued"].parse::<u64>().unwrap())
        .sum();
    assert_eq!(sum.to_string(), all[0]["issued"]);
    for file in [
        "run.json",
        "histograms/global.hlog",
        "../data-dictionary.md",
    ] {
        assert!(run.folder.join(file).exists(), "{file} is missing");
    }
    for word in [
        "global",
        "broker",
        "static",
        "cache",
        "groups",
        "lookups",
        "linearizable",
    ] {
        assert!(run.stdout.contains(word), "no {word:?} in {}", run.stdout);
    }
    histograms_are_readable(&run.folder.join("histograms/cache.hlog"), &all[3]);
}

/// The histogram of all operations holds as many values as the summary counts.
fn histograms_are_readable(path: &Path, row: &Row) {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    let log = fs::read(path).unwrap();
    let entries: Vec<_> = IntervalLogIterator::new(&log).map(Result::unwrap).collect();
    let all = entries.iter().find_map(|entry| match entry {
        LogEntry::Interval(interval) if interval.tag().is_some_and(|tag| tag.as_str() == "all") => {
            Some(interval)
        }
        _ => None,
    });
    let encoded = all
        .expect("there is one for all operations")
        .encoded_histogram();
    let bytes = decode_base64(encoded);
    let histogram = Deserializer::new()
        .deserialize::<u64, _>(&mut &bytes[..])
        .unwrap();
    assert_eq!(histogram.len().to_string(), row["ok"]);
    assert_eq!(histogram.value_at_quantile(0.5).to_string(), row["p50_us"]);
}

/// Standard base64; enough for a test.
fn decode_base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text
        .bytes()
        .filter_map(|byte| alphabet.iter().position(|letter| *letter == byte));
    let (mut bytes, mut bits, mut width) = (Vec::new(), 0usize, 0);
    for digit in digits {
        (bits, width) = (bits << 6 | digit, width + 6);
        if width >= 8 {
            width -= 8;
            bytes.push((bits >> width) as u8);
            bits &= (1 << width) - 1;
        }
    }
    bytes
}

#[test]
fn the_social_network_grows_under_every_strategy() {
    let graph = tempfile::tempdir().unwrap();
    let file = graph.path().join("ring.txt");
    let ring: String = (0..60)
        .map(|user| {
            format!(
                "{user},{},1\n{user},{},1\n",
                (user + 1) % 60,
                (user + 7) % 60
            )
        })
        .collect();
    let ring = format!("source,target,weight\n{ring}5,5,1\n");
    fs::write(&file, ring).unwrap();
    let run = Run::of(&[
        "--workload",
        "chirper",
        "--mix",
        "growing",
        "--graph",
        file.to_str().unwrap(),
        "--directed",
        "--max-degree",
        "1",
        "--duration",
        "300ms",
        "--clients",
        "4",
    ]);
    assert_eq!(run.summary().len(), 4);
    let ops: Vec<String> = run
        .rows("summary.csv")
        .into_iter()
        .map(|row| row["op"].clone())
        .collect();
    assert_eq!(
        &ops[..6],
        ["all", "timeline", "post", "follow", "unfollow", "signup"]
    );
    let graph = &run.description()["workload"]["graph"];
    assert_eq!(graph["directed"], true);
    assert_eq!(
        (&graph["vertices"], &graph["edges"]),
        (&60.into(), &120.into())
    );
    assert_eq!(
        (&graph["self_loops"], &graph["dropped_follows"]),
        (&1.into(), &60.into())
    );
    assert_eq!(graph["blake3"].as_str().map(str::len), Some(64));
    assert!(run.stdout.contains("edges, directed"), "{}", run.stdout);
}

#[test]
fn gathering_a_directory_and_other_sizes_work() {
    let common = ["--duration", "200ms", "--clients", "4"];
    for flags in [
        &[
            "--execution",
            "gather",
            "--partitions",
            "3",
            "--replicas",
            "1",
            "--multi-objects",
            "4",
        ][..],
        &[
            "--directory",
            "home",
            "--strategy",
            "static",
            "--popularity",
            "zipf",
        ],
        &[
            "--partitions",
            "1",
            "--strategy",
            "broker",
            "--oracle-replicas",
            "1",
            "--window",
            "8",
        ],
        &[
            "--strategy",
            "global,cache",
            "--replicas",
            "5",
            "--value-size",
            "5000",
        ],
    ] {
        let all = Run::of(&[&common, flags].concat()).summary();
        for row in &all {
            let gathers = flags.contains(&"gather") && row["strategy"] != "static";
            assert_eq!(row["execution"] == "gather", gathers, "{row:?}");
            assert!(
                !flags.contains(&"home") || row["unsupported"] == "0",
                "{row:?}"
            );
        }
    }
}

#[test]
fn reads_need_not_be_ordered() {
    for (reads, unordered) in [("ordered", false), ("index", true), ("lease", true)] {
        let run = Run::of(&["--reads", reads, "--duration", "300ms", "--clients", "4"]);
        for row in run.summary() {
            assert_eq!(row["reads"], reads);
            let share: f64 = row["unordered_pct"].parse().unwrap();
            assert_eq!(share > 0.0, unordered, "{row:?}");
        }
    }
}

#[test]
fn a_number_of_operations_is_measured_exactly() {
    let run = Run::of(&[
        "--operations",
        "50",
        "--clients",
        "5",
        "--strategy",
        "static,global",
    ]);
    assert_eq!(column(&run.summary(), "issued"), ["250", "250"]);
}

#[test]
fn an_open_loop_issues_at_its_rate() {
    let run = Run::of(&[
        "--rate",
        "500",
        "--duration",
        "1s",
        "--clients",
        "7",
        "--strategy",
        "static",
    ]);
    let all = run.summary();
    assert_eq!((&all[0]["rate"][..], &all[0]["window"][..]), ("500", ""));
    assert_eq!(all[0]["issued"], "500");
}

#[test]
fn quiet_runs_say_nothing_and_write_everything() {
    let run = Run::of(&["--quiet", "--strategy", "static", "--duration", "100ms"]);
    assert_eq!(run.stdout, "");
    assert_eq!(run.summary().len(), 1);
}
