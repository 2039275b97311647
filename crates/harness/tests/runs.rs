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

/// Several times what can be served, for a while: nothing is lost, no group loses its leader for
/// good, and once less comes all of it is served. Emulated machines are equally slow everywhere.
#[test]
fn what_comes_too_fast_is_served_late() {
    let flags = [
        "--clients",
        "100",
        "--rate",
        "20000",
        "--duration",
        "300ms",
        "--service-time",
        "500us",
    ];
    let all = Run::of(&[&flags[..], &["--audit"]].concat()).summary();
    for row in &all {
        assert_eq!(row["errors"], "0", "{row:?}");
        assert_eq!(row["unjudged_ops"], "0", "{row:?}");
        assert_eq!(row["cluster"], "healthy", "{row:?}");
        let late: u64 = row["max_us"].parse().unwrap();
        assert!(late > 300_000, "that was not too fast: {row:?}");
    }
}

/// However fast this machine is, the emulated ones take no more than they may: whether replicas
/// are threads or processes, commands, look-ups at the oracle and unordered reads alike.
#[test]
fn slow_machines_are_emulated() {
    let slow = [
        "--service-time=2ms",
        "--duration=600ms",
        "--clients=8",
        "--replicas=1",
        "--oracle-replicas=1",
    ];
    let kinds = |read, create| {
        let rest = ["--update=0", "--delete=0", "--move=0", "--multi=0"];
        [format!("--read={read}"), format!("--create={create}")]
            .into_iter()
            .chain(rest.map(str::to_owned))
            .collect::<Vec<_>>()
    };
    // A second has 500 turns, and 2 ms may be saved; what clients wait for at the end of the
    // warm-up is answered later.
    let most = 500.0 * 0.6 + 16.0;
    let (reads, creates) = (kinds(100, 0), kinds(0, 100));
    for (own, kinds, groups) in [
        (&["--strategy=static", "--partitions=1"][..], &reads, 1.0),
        (
            &["--strategy=static", "--partitions=1", "--reads=lease"],
            &reads,
            1.0,
        ),
        (&["--strategy=static", "--partitions=3"], &reads, 3.0),
        (
            &["--strategy=static", "--partitions=1", "--deploy=processes"],
            &reads,
            1.0,
        ),
        // The oracle delivers every create.
        (&["--strategy=broker", "--partitions=3"], &creates, 1.0),
    ] {
        let kinds = kinds.iter().map(String::as_str);
        let flags: Vec<&str> = slow.iter().chain(own).copied().chain(kinds).collect();
        let total = Run::of(&flags).total();
        let ok: f64 = total["ok"].parse().unwrap();
        assert!(ok > 0.0 && ok <= most * groups, "{own:?}: {ok}");
        assert_eq!(total["service_time_us"], "2000");
        assert_eq!(total["saturated"], "no", "{own:?}");
    }
}

#[test]
fn the_highest_throughput_is_found_and_latencies_are_taken_below_it() {
    let out = tempfile::tempdir().unwrap();
    let flags = [
        "run",
        "--peak",
        "--strategy=static",
        "--service-time=1ms",
        "--partitions=1",
        "--replicas=1",
        "--clients=4",
        "--duration=200ms",
        "--warmup=50ms",
        "--keys=50",
        "--quiet",
        "--out",
    ];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_harness"));
    let ended = command.args(flags).arg(out.path()).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let steps = common::read_rows(&out.path().join("latest/peak.csv"));
    let of = |step: &str| {
        let rows = steps.iter().filter(|row| row["step"] == step);
        rows.cloned().collect::<Vec<Row>>()
    };
    let (closed, open) = (of("closed"), of("open"));
    assert_eq!(column(&closed[..3], "window"), ["1", "2", "4"]);
    assert!(!open.is_empty() && column(&steps, "linearizable").iter().all(|it| *it == "ok"));
    let number = |row: &Row, name: &str| row[name].parse::<f64>().unwrap();
    // The last rate that was reached is the peak of the open loop.
    let reached = |row: &&Row| number(row, "throughput_ops") >= 0.98 * number(row, "rate");
    if let Some(peak) = open.iter().rfind(reached) {
        let half = number(&of("50")[0], "rate") / number(peak, "throughput_ops");
        assert!((half - 0.5).abs() < 0.01, "{half}");
    }
    // Each step is a run in a folder of its own.
    for row in &steps {
        let cell = row["run_id"].rsplit_once('-').unwrap().1;
        assert!(
            out.path()
                .join("latest/cells")
                .join(cell)
                .join("run.json")
                .exists()
        );
    }
}

#[test]
fn single_commands_and_the_distribution_of_their_latencies_are_written_down() {
    let flags = [
        "--strategy=static,cache",
        "--operations=200",
        "--clients=3",
        "--samples",
    ];
    let run = Run::of(&flags);
    let samples = run.rows("samples.csv");
    for total in run.summary() {
        let strategy = &total["strategy"];
        let own: Vec<&Row> = samples
            .iter()
            .filter(|row| row["strategy"] == *strategy)
            .collect();
        let ok = own.iter().filter(|row| row["outcome"] == "ok");
        assert_eq!(own.len().to_string(), total["issued"]);
        assert_eq!(ok.clone().count().to_string(), total["ok"]);
        // The distribution says what the commands do, with three digits.
        let mut latencies: Vec<f64> = ok.map(|row| row["latency_us"].parse().unwrap()).collect();
        latencies.sort_by(f64::total_cmp);
        let points = run.rows("cdf.csv");
        let points = points.iter();
        let points = points.filter(|row| row["strategy"] == *strategy && row["op"] == "all");
        let mut last = 0.0;
        for point in points {
            let number = |name: &str| point[name].parse::<f64>().unwrap();
            let (share, latency) = (number("share"), number("latency_us"));
            let within = latencies
                .iter()
                .filter(|it| **it <= latency * 1.001)
                .count();
            let found = within as f64 / latencies.len() as f64;
            assert!(
                found >= share - 1e-9 && latency >= last,
                "{point:?}: {found}"
            );
            last = latency;
        }
        assert!(last >= latencies[latencies.len() - 1]);
    }
    assert!(
        run.rows("intervals.csv")
            .iter()
            .all(|row| row["run_id"] == samples[0]["run_id"])
    );
}

#[test]
fn what_a_run_did_is_done_again_from_its_description() {
    let out = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_harness"));
        command.arg("run").args(words).arg("--out").arg(out.path());
        command.output().unwrap()
    };
    let good = |words: &[&str]| {
        let ended = run(words);
        assert!(ended.status.success(), "{words:?}: {ended:?}");
        let latest = out.path().join("latest");
        let text = fs::read_to_string(latest.join("run.json")).unwrap();
        let described: serde_json::Value = serde_json::from_str(&text).unwrap();
        (latest.canonicalize().unwrap(), described)
    };
    let flags = "--strategy static,cache --warmup 0s --operations 20 --window 3 --clients 2 \
                 --keys 60 --create 10 --read 35 --update 40 --delete 10 --move 0 --multi 5 \
                 --popularity zipf --audit --quiet --execution gather --seed 5";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let (first, described) = good(&flags);
    assert_eq!(described["schema"], 1);
    let first = first.to_str().unwrap();
    let (again, same) = good(&["--from", first]);
    assert_eq!(same["digest"], described["digest"]);
    assert_eq!(same["settings"]["audit"], true);
    let settings = |run: &serde_json::Value| {
        let mut settings = run["settings"].as_object().unwrap().clone();
        for own in ["out", "quiet"] {
            settings.remove(own);
        }
        settings
    };
    assert_eq!(settings(&same), settings(&described));
    // What is given counts more, and takes what contradicts it away; also at the second remove.
    let again = again.join("run.json");
    let words = [
        "--from",
        again.to_str().unwrap(),
        "--seed",
        "6",
        "--rate",
        "200",
        "--quiet",
    ];
    let (_, other) = good(&words);
    assert_ne!(other["digest"], described["digest"]);
    let mut expected = settings(&described);
    expected.insert("seed".into(), 6.into());
    expected.insert("rate".into(), 200.into());
    expected.insert("window".into(), 1.into());
    assert_eq!(settings(&other), expected);
    // What is no description of a run is refused, by name.
    let ended = run(&["--from", "/nowhere"]);
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--from: /nowhere"), "{stderr}");
}
