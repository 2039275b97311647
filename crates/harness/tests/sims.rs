//! The command `sim`: results, files that let an interrupted command go on, traces of one
//! simulation, and what is refused.

use rustix::process::{Pid, Signal, kill_process};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Simulations of one kind, with their record in a file.
fn sim(seeds: &str, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let flags = "sim --strategy static --directory none --profile calm --execution exchange \
        --quiet --resume";
    command.args(flags.split(' ')).arg(file);
    command.args(["--seeds", seeds]).stdout(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The tables and the verdict.
fn report(output: &Output) -> String {
    let text = text(output);
    text.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn what_is_done_is_told_again_and_other_flags_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    let first = sim("0..3", &file).output().unwrap();
    assert!(text(&first).starts_with("static: 3 simulations, 0 failed, "));
    let again = sim("0..3", &file).output().unwrap();
    assert!(text(&again).starts_with("static: 3 simulations, 0 failed, 0 a minute\n"));
    assert_eq!(report(&first), report(&again));
    let verdict = "\nverdict: ok: none of 3 simulations violated an invariant\n";
    assert!(report(&first).ends_with(verdict), "{}", report(&first));
    let mut other = sim("0..3", &file);
    let other = other.args(["--clients", "5"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    let told = String::from_utf8(other.stderr).unwrap();
    assert!(told.contains("--resume") && told.contains("is of --clients 4, not 5"));
}

#[test]
fn a_file_that_is_no_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    fs::write(&file, "something else").unwrap();
    let output = sim("0..3", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(&file).unwrap(), "something else");
}

/// The sums are those of a command that was never interrupted.
#[test]
fn an_interrupted_command_goes_on_where_it_stopped() {
    const SEEDS: &str = "0..600";
    let folder = tempfile::tempdir().unwrap();
    let (file, whole) = (folder.path().join("a.json"), folder.path().join("b.json"));
    let child = sim(SEEDS, &file).spawn().unwrap();
    while !file.exists() {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(150));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let interrupted = child.wait_with_output().unwrap();
    let by = std::os::unix::process::ExitStatusExt::signal(&interrupted.status);
    assert_eq!(by, Some(Signal::INT.as_raw()));
    let told = text(&interrupted);
    assert!(told.contains(" of 600 simulations") && told.contains("interrupted: "));
    assert!(told.contains("\nverdict: interrupted: none of "), "{told}");
    let rest = sim(SEEDS, &file).output().unwrap();
    let whole = sim(SEEDS, &whole).output().unwrap();
    assert_eq!(report(&rest), report(&whole));
}

/// Two strategies under two profiles: a row for each of the four in the file, and the tables have
/// their sums.
#[test]
fn every_counter_is_in_the_file_and_tables_are_by_profile() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counters.csv");
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let flags = "sim --strategy global,cache --profile crash,lossy --execution gather --quiet \
        --seeds 0..2 --out";
    let output = command.args(flags.split_whitespace()).arg(&file).output();
    let told = text(&output.unwrap());
    let mut reader = csv::Reader::from_path(&file).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| header.iter().position(|own| own == name).unwrap();
    let of = |row: &csv::StringRecord, name: &str| row[column(name)].parse::<u64>().unwrap();
    let names: Vec<_> = rows.iter().map(|row| (&row[0], &row[1])).collect();
    assert_eq!(
        names,
        [
            ("global", "lossy"),
            ("global", "crash"),
            ("cache", "lossy"),
            ("cache", "crash")
        ]
    );
    for row in &rows {
        let (crashes, lost) = (of(row, "crashes"), of(row, "lost"));
        assert_eq!(
            (crashes > 0, lost > 0),
            (&row[1] == "crash", &row[1] == "lossy")
        );
        assert_eq!((of(row, "simulations"), of(row, "failed")), (2, 0));
    }
    let crashes = of(&rows[1], "crashes") + of(&rows[3], "crashes");
    let line = told
        .lines()
        .find(|line| line.starts_with(" crash "))
        .unwrap();
    assert!(line.contains(&format!(" crashes {crashes} ")), "{told}");
    assert!(told.ends_with("verdict: ok: none of 8 simulations violated an invariant\n"));
}

/// The flags of one simulation.
const ONE: &str = "sim --strategy broker --profile crash --execution exchange --seeds 7..8";

fn traced(flags: &str, json: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(flags.split_whitespace());
    command.args(["--trace", "--trace-json"]).arg(json);
    command.output().unwrap()
}

/// The events of a file in the Trace Event Format, each of which is as that asks for.
fn events(file: &Path) -> Vec<serde_json::Value> {
    let json: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let events = json["traceEvents"].as_array().unwrap().clone();
    for event in &events {
        assert!(
            event["name"].is_string() && event["ph"].is_string(),
            "{event}"
        );
        assert!(event["ts"].is_u64() && event["pid"].is_u64(), "{event}");
        assert_eq!(event["ph"] == "X", event["dur"].is_u64(), "{event}");
    }
    events
}

/// Spans of one line lie apart or within each other.
fn assert_nested(events: &[serde_json::Value]) {
    let mut lines: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    for span in events.iter().filter(|event| event["ph"] == "X") {
        let of = |key: &str| span[key].as_u64().unwrap();
        let line = lines.entry((of("pid"), of("tid"))).or_default();
        line.push((of("ts"), of("ts") + of("dur")));
    }
    assert!(
        lines.len() > 5,
        "clients and groups have lines of their own"
    );
    for spans in lines.values_mut() {
        spans.sort_by_key(|(begin, end)| (*begin, Reverse(*end)));
        let mut around: Vec<u64> = Vec::new();
        for (begin, end) in spans {
            around.retain(|outer| *outer > *begin);
            assert!(around.iter().all(|outer| *outer >= *end), "{begin}..{end}");
            around.push(*end);
        }
    }
}

#[test]
fn one_simulation_that_passes_is_told_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["a.json", "b.json"].map(|name| folder.path().join(name));
    let (first, again) = (traced(ONE, &one), traced(ONE, &other));
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
    let (told, events) = (text(&first), events(&one));
    let until_files = |told: &str| {
        told.split(&*folder.path().to_string_lossy())
            .next()
            .map(str::to_owned)
    };
    assert_eq!(until_files(&told), until_files(&text(&again)));
    assert!(told.contains(" == no invariant is violated\n"), "{told}");
    let replay = told.lines().last().unwrap();
    assert!(
        replay.starts_with("replay: ") && replay.ends_with(" --trace"),
        "{replay}"
    );
    assert_nested(&events);
    let named = |cat: &'static str| events.iter().filter(move |event| event["cat"] == cat);
    // As many crashes in both, and some.
    let crash = |text: &str| text.contains(" crashes") && !text.contains("start");
    let crashes = told
        .lines()
        .filter(|line| line.contains(" -- ") && crash(line));
    let drawn = named("fault").filter(|event| crash(event["name"].as_str().unwrap()));
    let (crashes, drawn) = (crashes.count(), drawn.count());
    assert!(
        crashes > 0 && crashes == drawn,
        "{crashes} are told, {drawn} drawn"
    );
    let asked = told.lines().filter(|line| line.contains(" asks: ")).count();
    assert_eq!(asked, named("request").count());
    // Each arrow has both ends, and there are some of each kind.
    for name in ["command", "signal", "answer"] {
        let ends = |ph: &str| {
            let of = named("message").filter(|event| event["name"] == name && event["ph"] == ph);
            of.map(|event| event["id"].as_u64().unwrap())
                .collect::<BTreeSet<_>>()
        };
        assert!(!ends("s").is_empty() && ends("s") == ends("f"), "{name}");
    }
    let last = events.last().unwrap();
    assert_eq!(
        (&last["cat"], &last["name"]),
        (&"end".into(), &"no invariant is violated".into())
    );
}

#[test]
fn a_trace_of_several_simulations_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args("sim --strategy static,broker --seeds 3..9 --profile calm --trace".split(' '))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    let missing = "add --strategy NAME --directory WHERE --seeds 3..4 --execution MODE\n";
    assert!(told.ends_with(missing), "{told}");
}

#[cfg(not(feature = "mutants"))]
#[test]
fn a_mutant_needs_a_program_that_has_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["sim", "--mutant", "no-signal-wait"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("--mutant") && told.contains("--features mutants"),
        "{told}"
    );
}

/// The first failing seed is found; its replay command shows the violation at the end.
#[cfg(feature = "mutants")]
#[test]
fn the_trace_of_a_mutant_ends_with_the_violation() {
    let folder = tempfile::tempdir().unwrap();
    let search = "sim --strategy static --directory none --profile calm --execution exchange \
        --reads ordered --seeds 0..10 --mutant no-signal-wait --quiet";
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let found = command.args(search.split_whitespace()).output().unwrap();
    assert_eq!(found.status.code(), Some(1));
    let told = text(&found);
    assert!(told.contains("\nverdict: violated: "), "{told}");
    let replay = told
        .lines()
        .find_map(|line| line.strip_prefix("replay: "))
        .unwrap();
    let (_, flags) = replay.split_once(' ').unwrap();
    assert!(flags.ends_with("--mutant no-signal-wait"), "{flags}");
    let file = folder.path().join("trace.json");
    let shown = traced(flags, &file);
    assert_eq!(shown.status.code(), Some(1));
    let (told, events) = (text(&shown), events(&file));
    assert_nested(&events);
    let line = told.lines().find(|line| line.contains(" == violated: "));
    let (_, violation) = line.unwrap().split_once(" == ").unwrap();
    let last = events.last().unwrap();
    assert_eq!(last["cat"], "end");
    assert!(
        last["name"].as_str().unwrap().starts_with(violation),
        "{last}"
    );
    let replay = told.lines().last().unwrap();
    assert!(
        replay.ends_with("--mutant no-signal-wait --trace"),
        "{replay}"
    );
}
