//! What experiments are made of: emulated machines, overload, the search for the peak, single
//! commands, and doing a run again.

mod common;

use common::{Row, Run, column, read_rows};
use std::fs;
use std::process::Command;

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
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let ended = command.args(flags).arg(out.path()).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let mut steps = read_rows(&out.path().join("latest/peak.csv"));
    let operations = steps.len();
    steps.retain(|row| row["op"] == "all");
    assert!(steps.len() < operations);
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
    assert!(
        open.iter()
            .all(|row| (row["reached"] == "yes") == reached(&row))
    );
    assert!(out.path().join("latest/report.html").exists());
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
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

/// Whether replicas are threads or processes: where the time of commands goes, and what each group
/// does.
#[test]
fn time_is_broken_down_and_groups_are_watched() {
    for deploy in ["threads", "processes"] {
        let run = Run::of(&[
            "--strategy=broker",
            "--breakdown",
            "--duration=500ms",
            "--deploy",
            deploy,
        ]);
        let number = |row: &Row, name: &str| row[name].parse::<f64>().unwrap();
        let total = run.total();
        let parts = ["order_us", "wait_us", "execute_us", "answer_us"];
        let parts: Vec<f64> = parts.iter().map(|name| number(&total, name)).collect();
        assert!(parts.iter().all(|part| *part > 0.0), "{parts:?}");
        // The histogram's mean has three digits.
        let (sum, mean) = (parts.iter().sum::<f64>(), number(&total, "mean_us"));
        assert!((sum - mean).abs() < 0.02 * mean, "{sum} of {mean}");

        let rows = run.rows("partitions.csv");
        for group in ["p0", "p1", "oracle"] {
            let of_it = rows.iter().filter(|row| row["group"] == group);
            let sum = |name| of_it.clone().map(|row| number(row, name)).sum::<f64>();
            assert!(sum("delivered") > sum("multi") && sum("cpu_us") > 0.0);
            assert!(sum("multi") > 0.0, "{group} delivers creates");
            let moves = sum("objects_in").min(sum("objects_out"));
            assert_eq!(moves > 0.0, group != "oracle", "{group}");
        }
    }
    let without = Run::of(&["--strategy=static", "--duration=300ms"]).total();
    assert_eq!(without["order_us"], "");
}
