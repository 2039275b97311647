//! Folders of old and of broken results.

mod common;

use common::{Picture, choice, data};
use ssmr_figures::{Choice, Drawing, Folder, Kind};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn draw(folder: &Path) -> Drawing {
    Folder::open(folder).unwrap().draw(&choice(&[])).unwrap()
}

/// Asserts that a folder is refused, with these words.
fn refused(folder: &Path, words: &[&str]) {
    let drawn = Folder::open(folder).and_then(|folder| folder.draw(&choice(&[])));
    let error = drawn.unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "no {word:?} in {error}");
    }
}

fn why(drawing: &Drawing, kind: Kind) -> &str {
    let skipped = drawing.skipped.iter().find(|(skipped, _)| *skipped == kind);
    &skipped
        .unwrap_or_else(|| panic!("{kind:?} is not skipped"))
        .1
}

const SUMMARY: &str = "strategy,op,throughput_ops,p50_us\nglobal,all,100,10\nbroker,all,90,12\n";

#[test]
fn columns_that_are_missing_cost_the_figures_that_need_them() {
    let old = folder(&[
        (
            "summary.csv",
            "strategy,op,throughput_ops\nglobal,all,100\n",
        ),
        (
            "intervals.csv",
            "strategy,t_ms,op,throughput_ops\nglobal,0,all,100\n",
        ),
    ]);
    let drawing = draw(old.path());
    assert!(drawing.figures.is_empty());
    assert_eq!(
        why(&drawing, Kind::Bars),
        "summary.csv has no column p50_us"
    );
    assert_eq!(
        why(&drawing, Kind::Timeline),
        "intervals.csv has no column p99_us"
    );
    let phases = "summary.csv has no columns order_us, wait_us, execute_us, answer_us";
    assert_eq!(why(&drawing, Kind::Breakdown), phases);
    let with_latency = folder(&[("summary.csv", SUMMARY)]);
    assert_eq!(draw(with_latency.path()).figures[0].name(), "bars");
}

#[test]
fn a_strategy_that_is_gone_is_gone_from_the_figure() {
    let without = folder(&[(
        "summary.csv",
        "strategy,op,throughput_ops,p50_us\nglobal,all,1,2\n",
    )]);
    let with = folder(&[("summary.csv", SUMMARY)]);
    let texts = |folder: &TempDir| Picture::of(&draw(folder.path()), "bars").texts;
    let has_broker = |texts: &[String]| texts.iter().any(|text| text == "broker");
    assert!(has_broker(&texts(&with)) && !has_broker(&texts(&without)));
}

#[test]
fn what_is_saturated_is_left_out_and_what_is_violated_says_so() {
    let run = folder(&[(
        "summary.csv",
        "strategy,op,throughput_ops,p50_us,linearizable,saturated\n\
         global,all,100,10,ok,yes\nbroker,all,90,12,violated,\n",
    )]);
    let drawing = draw(run.path());
    let picture = Picture::of(&drawing, "bars");
    picture.says(&["broker (violated)"]);
    assert!(!picture.texts.iter().any(|text| text.contains("global")));
    // Two hollow bars.
    assert_eq!(picture.markers("rect", "#ffffff", "#000000"), 2);
    let notes = [
        "left out, for the machine was saturated: global",
        "hollow, for the history is violated: broker",
    ];
    assert_eq!(drawing.notes, notes);
}

#[test]
fn each_operation_of_a_saturated_run_is_left_out() {
    let run = folder(&[(
        "summary.csv",
        "strategy,op,throughput_ops,p50_us,saturated\n\
         global,all,100,10,yes\nglobal,create,9,11,\nbroker,all,90,12,no\nbroker,create,8,13,\n",
    )]);
    let chosen = Choice {
        op: "create".into(),
        ..choice(&[Kind::Bars])
    };
    let drawing = Folder::open(run.path()).unwrap().draw(&chosen).unwrap();
    let picture = Picture::of(&drawing, "bars-create");
    picture.says(&["broker"]);
    assert!(!picture.texts.iter().any(|text| text == "global"));
}

/// An unfinished sweep may have nothing but saturated rows.
#[test]
fn nothing_is_drawn_of_nothing() {
    let run = folder(&[(
        "summary.csv",
        &SUMMARY
            .replace("us\n", "us,saturated\n")
            .replace("10\n", "10,yes\n")
            .replace("12\n", "12,yes\n"),
    )]);
    let drawing = draw(run.path());
    assert!(drawing.figures.is_empty(), "{:?}", drawing.figures);
    assert_eq!(drawing.notes.len(), 2);
}

#[test]
fn the_folder_and_what_it_lacks_are_named() {
    refused(
        Path::new("/nonexistent/run"),
        &["/nonexistent/run", "no such folder"],
    );
    let empty = folder(&[]);
    refused(
        empty.path(),
        &[empty.path().to_str().unwrap(), "no summary.csv"],
    );
    let of_runs = folder(&[("latest/summary.csv", SUMMARY)]);
    refused(of_runs.path(), &["`latest`"]);
    let nameless = folder(&[("summary.csv", "strategy,throughput_ops\nglobal,1\n")]);
    refused(nameless.path(), &["summary.csv", "no column op"]);
    let no_rows = folder(&[("summary.csv", "strategy,op\n")]);
    refused(no_rows.path(), &["summary.csv", "no rows yet"]);
}

#[test]
fn a_sweep_says_what_it_varied() {
    let rows = "point,repeat,strategy,op,clients,throughput_ops,p50_us\n0,0,global,all,1,5,6\n";
    let nameless = folder(&[("summary.csv", rows)]);
    refused(nameless.path(), &["no sweep.json"]);
    for (sweep, words) in [
        ("{", "sweep.json"),
        ("{}", "no list \"vary\""),
        (
            r#"{"vary":[{"flag":"clients","values":3}]}"#,
            "expected a flag and a list",
        ),
        (
            r#"{"vary":[{"values":["3"]}]}"#,
            "expected a flag and a list",
        ),
        (
            r#"{"vary":[{"flag":"move-ratio","values":["1"]}]}"#,
            "no column move_ratio",
        ),
    ] {
        let bad = folder(&[("summary.csv", rows), ("sweep.json", sweep)]);
        refused(bad.path(), &[words]);
    }
    // Numbers are as good as texts; a point that is not done yet has no row.
    let sweep = r#"{"vary":[{"flag":"clients","values":[1,2]}],"repeat":1}"#;
    let good = folder(&[("summary.csv", rows), ("sweep.json", sweep)]);
    assert_eq!(draw(good.path()).figures[0].name(), "throughput-latency");
}

/// With a frame for each strategy, the mean of the repeats, and room for a point that was not
/// measured.
#[test]
fn a_breakdown_of_a_sweep_stands_along_what_was_varied() {
    let rows = "repeat,strategy,op,multi,throughput_ops,order_us,wait_us,execute_us,answer_us\n\
                0,global,all,0,5,100,0,10,90\n\
                1,global,all,0,5,300,0,10,110\n\
                0,global,all,10,5,,,,\n\
                0,static,all,0,5,50,0,10,40\n\
                0,static,all,10,5,50,20,10,40\n";
    let sweep = r#"{"vary":[{"flag":"multi","values":["0","10"]}],"repeat":2}"#;
    let folder = folder(&[("summary.csv", rows), ("sweep.json", sweep)]);
    let picture = Picture::of(&draw(folder.path()), "breakdown-multi");
    picture.says(&["global", "static", "0", "10", "multi", "order", "answer"]);
    // Three stacks, and the legend.
    assert_eq!(picture.elements("rect", &["url(#kuva-fp-diag-fwd)"]), 4);
    assert!(picture.svg.contains("0, order: 200 µs"), "{}", picture.svg);
}

#[test]
fn a_sweep_over_faults_has_a_time_line_of_each_points_first_run() {
    let axis = r#"{"flag":"fault,strategy","values":["kill:p0r1@1s,a","kill:p1r0@1s,b"]}"#;
    let header = "point,repeat,run_id,fault,strategy,op,throughput_ops,p50_us\n";
    let row = |point, repeat, cell| {
        let (fault, strategy) = [("kill:p0r1@1s", "a"), ("kill:p1r0@1s", "b")][point];
        format!("{point},{repeat},x-y-{cell},{fault},{strategy},all,5,6\n")
    };
    let rows = [row(0, 0, "0000"), row(1, 0, "0001"), row(0, 1, "0002")].concat();
    let run = "strategy,op,throughput_ops,p50_us\na,all,5,6\n";
    let over_time = |fault: &str| {
        let header = "strategy,t_ms,op,fault,throughput_ops,p99_us\n";
        format!("{header}a,0,all,{fault},5,6\na,100,all,,5,6\n")
    };
    let mut files = vec![
        ("summary.csv", header.to_owned() + &rows),
        ("sweep.json", format!("{{\"vary\":[{axis}]}}")),
    ];
    let drawn = |files: &[(&str, String)]| {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (*name, &text[..]))
            .collect();
        draw(folder(&files).path())
    };
    let names = |drawing: &Drawing| {
        let names = drawing
            .figures
            .iter()
            .map(|figure| figure.name().to_owned());
        names.collect::<Vec<_>>()
    };
    assert!(why(&drawn(&files), Kind::Timeline).contains("cells/"));
    files.extend([
        ("cells/0000/summary.csv", run.into()),
        ("cells/0000/intervals.csv", over_time("kill p0r1")),
        ("cells/0002/summary.csv", run.into()),
        ("cells/0002/intervals.csv", over_time("kill p0r2")),
    ]);
    let drawing = drawn(&files);
    assert_eq!(names(&drawing), ["bars", "timeline-a"]);
    Picture::of(&drawing, "timeline-a").says(&["kill p0r1"]);
    assert_eq!(drawing.notes, ["timeline: cells/0001 is not there"]);
    // Where strategies do not tell the points apart, names of files do.
    files[1].1 = files[1].1.replace("@1s,b", "@1s,all");
    let told = ["bars-fault", "timeline-a-fault=kill_p0r1_1s"];
    assert_eq!(names(&drawn(&files)), told);
}

#[test]
fn questions_are_drawn_for_strategies_that_ask() {
    let rows = "strategy,t_ms,op,throughput_ops,p99_us,issued,oracle_consults\n\
                global,0,all,5,6,4,0\nglobal,100,all,5,6,4,0\n\
                broker,0,all,5,6,4,8\nbroker,100,all,5,6,0,0\nbroker,200,all,5,6,4,1\n";
    let run = |rows: &str| {
        let files = [("summary.csv", SUMMARY), ("intervals.csv", rows)];
        draw(folder(&files).path())
    };
    let drawing = run(rows);
    let picture = Picture::of(&drawing, "consults");
    picture.says(&["broker", "questions per command", "2"]);
    assert!(!picture.texts.iter().any(|text| text == "global"));
    let silent = rows.replace(",8\n", ",0\n").replace(",1\n", ",0\n");
    assert_eq!(why(&run(&silent), Kind::Consults), "nobody asked an oracle");
}

#[test]
fn numbers_have_bars_where_they_are_asked_for() {
    let rows = "point,repeat,strategy,op,create,throughput_ops,p50_us\n\
                0,0,global,all,0,50,6\n1,0,global,all,5,40,7\n";
    let sweep = r#"{"vary":[{"flag":"create,update","values":["0,50","5,45"]}],"repeat":1}"#;
    let sweep = folder(&[("summary.csv", rows), ("sweep.json", sweep)]);
    let names = |kinds: &[Kind]| {
        let drawing = Folder::open(sweep.path()).unwrap().draw(&choice(kinds));
        let figures = drawing.unwrap().figures;
        let names = figures.iter().map(|figure| figure.name().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["scaling-create"]);
    assert_eq!(names(&[Kind::Bars]), ["bars-create"]);
}

#[test]
fn a_bad_cell_is_named_by_line_and_column() {
    for bad in ["many", "NaN", "inf"] {
        let rows = SUMMARY.replace("90", bad);
        let run = folder(&[("summary.csv", &rows)]);
        refused(
            run.path(),
            &["summary.csv", "line 3", "throughput_ops", bad],
        );
    }
    let ragged = folder(&[("summary.csv", "strategy,op\nglobal\n")]);
    refused(ragged.path(), &["summary.csv", "line: 2"]);
}

#[test]
fn histograms_that_are_none_are_refused() {
    for bad in [
        "what\n",
        "Tag=all,0.0,1.0,5.0,AAAA\n",
        "Tag=all,0.0,1.0,5.0,!\n",
    ] {
        let run = folder(&[("summary.csv", SUMMARY), ("histograms/global.hlog", bad)]);
        refused(run.path(), &["global.hlog"]);
    }
}

/// Numbers at the ends of what is possible are drawn somehow, and nothing breaks.
#[test]
fn strange_numbers_break_nothing() {
    for number in ["0", "-5", "1e-300", "1e300", "1e18"] {
        let rows = SUMMARY.replace("90", number).replace("12", number);
        let run = folder(&[
            ("summary.csv", &rows),
            (
                "intervals.csv",
                &format!(
                    "strategy,t_ms,op,fault,throughput_ops,p99_us\nglobal,{number},all,x,{number},\
                 {number}\nglobal,5,all,{},1,\n",
                    "long ".repeat(100)
                ),
            ),
        ]);
        assert!(!draw(run.path()).figures[0].svg().is_empty());
        let sweep = format!(r#"{{"vary":[{{"flag":"clients","values":["{number}","2"]}}]}}"#);
        let rows = format!(
            "point,repeat,strategy,op,clients,throughput_ops,p50_us\n\
             0,0,a b/c,all,{number},{number},{number}\n1,0,a b/c,all,2,5,6\n"
        );
        let sweep = folder(&[("summary.csv", &rows), ("sweep.json", &sweep)]);
        let drawing = draw(sweep.path());
        assert!(
            drawing
                .figures
                .iter()
                .all(|figure| !figure.name().contains('/'))
        );
    }
    assert!(data("run").is_dir());
}

/// A marker in each frame for each point that has one, and none for strategies without a cache.
#[test]
fn what_a_cache_buys_has_a_point_for_each_value_of_the_first_key() {
    let rows = "repeat,strategy,op,memcached,throughput_ops,p50_us,p99_us,value_hits,\
                value_misses,bytes_per_command,cpu_us_per_command\n\
                0,cache,all,local:1:1MiB,5,900,1000,10,30,5000,60\n\
                1,cache,all,local:1:1MiB,5,700,1000,30,10,3000,50\n\
                0,cache,all,local:1,5,400,1000,80,0,1000,40\n\
                0,static,all,local:1,5,400,1000,,,1000,40\n";
    let sweep = r#"{"vary":[{"flag":"memcached","values":["local:1:1MiB","local:1"]}]}"#;
    let full = folder(&[("summary.csv", rows), ("sweep.json", sweep)]);
    let drawing = draw(full.path());
    let picture = Picture::of(&drawing, "hits");
    picture.says(&[
        "values found in the cache (%)",
        "sent (kB)",
        "processor time (µs)",
    ]);
    assert!(!picture.texts.iter().any(|text| text == "static"));
    for told in [
        "cache, memcached local:1:1MiB: 50.0 % found, 800 µs",
        "cache, memcached local:1:1MiB: 50.0 % found, 4.00 kB",
        "cache, memcached local:1: 100 % found, 400 µs",
        "cache, memcached local:1: 100 % found, 40.0 µs",
    ] {
        assert!(picture.svg.contains(told), "no {told:?} in {}", picture.svg);
    }
    let nobody = rows.replace("cache,all", "static,all");
    let nobody = nobody.replace(",10,30,", ",,,").replace(",30,10,", ",,,");
    let nobody = nobody.replace(",80,0,", ",,,");
    let empty = folder(&[("summary.csv", &nobody), ("sweep.json", sweep)]);
    let told = "nobody looked for values in a shared cache";
    assert_eq!(why(&draw(empty.path()), Kind::Hits), told);
}
