//! Pages of committed folders, and of folders that lack something. Whether scripts work in a
//! browser is tested by `.ci/page`.

use ssmr_report::{Context, page};
use std::fs;
use std::path::{Path, PathBuf};

const DICTIONARY: &str = include_str!("../../../results/data-dictionary.md");

/// A folder that is drawn in the tests of figures.
fn data(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates.join("../figures/tests/data").join(name)
}

fn hostile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile")
}

fn made(folder: &Path) -> String {
    let context = Context {
        program: "harness",
        dictionary: DICTIONARY,
    };
    page(folder, &context).unwrap()
}

/// What stands between a heading and the next one of its rank.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<h2>{heading}</h2>")).unwrap();
    rest.split_once("</section>").unwrap().0
}

/// The texts of the cells of each row of a table that has a strategy.
fn rows(html: &str) -> Vec<Vec<String>> {
    let rows = html.split("<tr data-strategy=").skip(1);
    rows.map(|row| {
        let row = row.split_once("</tr>").unwrap().0;
        let cells = row.split("</td>").flat_map(|part| part.split("</th>"));
        let cells = cells.filter_map(|cell| {
            let at = cell.rfind("<td").or_else(|| cell.rfind("<th"))?;
            Some(cell[at..].split_once('>')?.1.to_owned())
        });
        cells.collect()
    })
    .collect()
}

fn csv_rows(path: &Path) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.records().map(Result::unwrap).collect()
}

/// A folder with a copy of these files.
fn copy(from: &Path, names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn every_row_of_a_run_is_in_its_table() {
    let page = made(&data("run"));
    let found = rows(section(&page, "What was measured"));
    let expected = csv_rows(&data("run/summary.csv"));
    assert_eq!(found.len(), expected.len());
    for (found, row) in found.iter().zip(&expected) {
        assert_eq!((&found[0][..], &found[1][..]), (&row[1], &row[5]));
        let throughput: f64 = row[6].parse().unwrap();
        let shown = found.iter().map(|cell| cell.replace(',', ""));
        assert!(
            shown.into_iter().any(|cell| cell == throughput.to_string()),
            "{found:?}"
        );
        for cell in [&row[9], &row[10]] {
            assert!(
                found.iter().any(|found| found.replace(',', "") == *cell),
                "{cell}: {found:?}"
            );
        }
    }
    // A bar figure for each latency, a distribution, two time lines, two of partitions and a
    // breakdown, of each operation that has one; those of all operations by the median are to be
    // seen at once.
    assert!(page.matches("<figure ").count() >= 8);
    assert_eq!(page.matches("<figure data-op=\"all\"").count(), 8);
    let seen = page.split("<figure ").skip(1);
    let seen = seen.filter(|figure| !figure.split_once('>').unwrap().0.contains("hidden"));
    assert_eq!(seen.count(), 7);
}

#[test]
fn points_of_a_sweep_have_their_intervals() {
    let folder = copy(&data("partitions"), &["summary.csv", "sweep.json"]);
    let points = "point,strategy,workload,op,partitions,repeats,throughput_ops_mean,\
                  throughput_ops_low,throughput_ops_high,linearizable\n\
                  0,global,kv,all,1,5,12345.6,11900,12800,ok\n\
                  1,global,kv,all,2,3,10000,,,violated\n";
    fs::write(folder.path().join("points.csv"), points).unwrap();
    let page = made(folder.path());
    let found = rows(section(&page, "What was measured"));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0][0], "global");
    assert!(
        found[0].contains(&"12,346<small>11,900 – 12,800</small>".into()),
        "{found:?}"
    );
    assert!(found[1].contains(&"10,000".into()), "{found:?}");
    assert!(page.contains("The same in all rows: <code>workload</code> kv."));
    // The table of what commands cost has a row for each of the sweep's points, not for each run.
    let runs = csv_rows(&folder.path().join("summary.csv")).len();
    let cost = rows(section(&page, "What a command cost")).len();
    assert!(cost < runs, "{cost} of {runs}");
}

#[test]
fn a_search_for_the_highest_throughput_has_its_figure_and_a_line_for_each_strategy() {
    let page = made(&data("peak"));
    assert!(section(&page, "Verdicts").contains("broker: the history is unchecked"));
    let found = rows(section(&page, "Highest throughput"));
    let names: Vec<&str> = found.iter().map(|row| &row[0][..]).collect();
    assert_eq!(names, ["global", "broker", "static"]);
    // The best window, the rate that was reached last, and what users see below it.
    let expected = [
        "global", "22,000", "8", "21,890", "342", "1,140", "456", "1,900",
    ];
    assert_eq!(found[0], expected);
    // One for the median and one for the 99th percentile, of all operations and of creates.
    assert_eq!(section(&page, "Figures").matches("<figure ").count(), 4);
    let steps = csv_rows(&data("peak/peak.csv")).len();
    assert_eq!(rows(section(&page, "What was measured")).len(), steps);
    // Of what no rate was reached there is nothing to say.
    let folder = copy(&data("peak"), &["peak.csv"]);
    let file = folder.path().join("peak.csv");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("open,yes", "open,no");
    fs::write(
        &file,
        text + "closed,,r,cache,kv,8,1,,all,0,5,6,7,ok,1,0,\n",
    )
    .unwrap();
    let peak = r#"{"run_id": "r", "finished": null, "command_line": ["harness", "run", "--peak"]}"#;
    fs::write(folder.path().join("peak.json"), peak).unwrap();
    let page = made(folder.path());
    let found = rows(section(&page, "Highest throughput"));
    assert_eq!(found[0][3], "");
    assert_eq!(found[3][4..], ["", "", "", ""]);
    assert!(page.contains("The run had not ended when this page was made."));
    assert!(section(&page, "How to make it again").contains("harness run --peak"));
}

#[test]
fn nothing_is_loaded_and_headings_are_in_order() {
    for folder in [
        data("run"),
        data("moves"),
        data("load"),
        data("peak"),
        hostile(),
    ] {
        let page = made(&folder);
        let markup = page.replace("see https://example.org/x.js", "");
        for loads in [
            "http://", "https://", " src=", "@import", "url(http", "srcset",
        ] {
            // What stands in a text is no element.
            let text = markup.replace("&lt;img src=", "");
            assert!(!text.contains(loads), "{}: {loads}", folder.display());
        }
        for part in markup.split("href=\"").skip(1) {
            assert!(
                part.starts_with('#') || part.starts_with("data:,"),
                "{}",
                &part[..30]
            );
        }
        let mut last = 0;
        for part in page.split("<h").skip(1) {
            let Some(level) = part.chars().next().and_then(|digit| digit.to_digit(10)) else {
                continue;
            };
            assert!(level <= last + 1, "h{level} after h{last}");
            last = level;
        }
    }
}

#[test]
fn what_files_say_stays_text() {
    let page = made(&hostile());
    // One script is the page's own, and only that.
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    for element in [
        "<img",
        "<b>",
        "<i>",
        "<u>",
        "<br>",
        "onerror=alert(1)>",
        "</title></style>",
    ] {
        assert!(!page.contains(element), "{element}");
    }
    for text in 1..=10 {
        let text = format!("alert({text})");
        assert!(page.contains(&text), "{text} is lost");
    }
    let command = "harness run --history ''\\''; rm -rf / #&lt;/pre&gt;&lt;script&gt;alert(6)";
    assert!(page.contains(command));
}

#[test]
fn what_is_wrong_is_told_first() {
    let page = made(&hostile());
    let verdicts = section(&page, "Verdicts");
    assert!(verdicts.contains("Not all is well: "));
    let told = "the history is unchecked";
    assert!(verdicts.contains(told), "{verdicts}");
    assert!(verdicts.contains("<h3>What is wrong</h3>"));
    assert!(page.contains("The run had not ended when this page was made."));
    let good = made(&data("run"));
    assert!(section(&good, "Verdicts").contains("All is well: every history is linearizable."));
}

#[test]
fn stale_reads_have_a_verdict_of_their_own() {
    let folder = copy(&data("run"), &[]);
    let verdicts = |stale: &str| {
        let header = "strategy,op,throughput_ops,linearizable,replicas_agree,cluster,stale_values";
        let rows = "cache,all,5,ok,yes,healthy,\ncache,stale-read,5,,yes,healthy,";
        let summary = folder.path().join("summary.csv");
        fs::write(summary, format!("{header}\n{rows}{stale}\n")).unwrap();
        section(&made(folder.path()), "Verdicts").to_owned()
    };
    let good = verdicts("ok");
    assert!(
        good.contains("and what stale reads were told was true once."),
        "{good}"
    );
    let bad = verdicts("violated");
    let told = "Not all is well: cache: the history of stale reads is violated.";
    assert!(bad.contains(told), "{bad}");
    for (verdicts, word) in [(&good, "ok"), (&bad, "violated")] {
        let rows = rows(verdicts);
        assert_eq!(rows[0].len(), 10);
        assert!(rows[0][9].contains(word), "{rows:?}");
    }
    let run = made(&data("run"));
    let others = rows(section(&run, "Verdicts"));
    assert!(others.iter().all(|row| row.len() == 9), "{others:?}");
}

#[test]
fn old_results_make_a_page_that_says_what_is_missing() {
    let folder = copy(&data("run"), &["summary.csv"]);
    let page = made(folder.path());
    for told in [
        "There is no usable run.json",
        "cdf: there are no histograms",
        "timeline: there is no intervals.csv",
        "They are not known: there is no run.json",
        "The command line is not known.",
    ] {
        assert!(page.contains(told), "{told}");
    }
    fs::write(folder.path().join("run.json"), "{ \"run_id\": ").unwrap();
    assert!(made(folder.path()).contains("run.json: EOF while parsing"));
    // Of a time with fewer columns, and nothing measured yet.
    let summary = folder.path().join("summary.csv");
    fs::write(&summary, "strategy,op,throughput_ops\nglobal,all,5\n").unwrap();
    let page = made(folder.path());
    assert!(page.contains("of a time that did not write down verdicts"));
    assert!(page.contains("bars: summary.csv has no column p50_us"));
    fs::write(&summary, "strategy,op,throughput_ops\n").unwrap();
    assert!(made(folder.path()).contains("Nothing was measured yet."));
}

#[test]
fn a_sweep_without_points_shows_its_runs() {
    let page = made(&data("moves"));
    assert!(page.contains("There is no points.csv: `sweep --merge` writes it."));
    assert!(page.contains("There is no cells/NUMBER/run.json"));
    let runs = csv_rows(&data("moves/summary.csv")).len();
    assert_eq!(rows(section(&page, "What was measured")).len(), runs);
    assert!(page.contains("0 of 30 runs are done"));
    assert!(page.contains("&quot;move&quot; = [&quot;0&quot;, &quot;1&quot;"));
}

#[test]
fn what_is_no_folder_of_results_is_refused() {
    let context = Context {
        program: "harness",
        dictionary: "",
    };
    let empty = tempfile::tempdir().unwrap();
    let error = page(empty.path(), &context).unwrap_err().to_string();
    assert!(error.contains("no summary.csv"), "{error}");
}

#[test]
fn the_same_files_make_the_same_page() {
    assert_eq!(made(&data("run")), made(&data("run")));
}

#[test]
fn time_lines_of_single_operations_of_a_long_run_are_left_out_and_told() {
    let folder = copy(&data("run"), &["summary.csv", "intervals.csv"]);
    let file = folder.path().join("intervals.csv");
    let text = fs::read_to_string(&file).unwrap();
    let (_, row) = text.trim_end().rsplit_once('\n').unwrap();
    let create = row.replace(",all,", ",create,");
    assert_ne!(create, row);
    let text = format!("{text}{create}\n{row}\n");
    fs::write(&file, &text).unwrap();
    let of_create = |page: &str| page.contains("timeline-broker-create.svg");
    let told = "`plot --figure timeline --op create` draws it";
    let short = made(folder.path());
    assert!(of_create(&short) && !short.contains(told));
    fs::write(&file, text + &format!("{row}\n").repeat(20_000)).unwrap();
    let long = made(folder.path());
    assert!(long.contains(told) && !of_create(&long));
    assert!(long.contains("timeline-broker.svg"));
}

/// Each strategy of this workspace has its three message diagrams, folded; without a directory the
/// move under static placement is refused.
#[test]
fn the_message_diagrams_of_the_strategies_are_there() {
    let page = made(&data("run"));
    let diagrams = section(&page, "Who sends what");
    for strategy in ["global", "broker"] {
        let (_, own) = diagrams
            .split_once(&format!("<details data-diagrams=\"{strategy}\">"))
            .unwrap();
        let own = own.split_once("</details>").unwrap().0;
        assert_eq!(own.matches("<svg ").count(), 3, "{strategy}");
        assert!(own.contains(&format!("<title>{strategy}: create x at p1</title>")));
    }
    assert!(
        !diagrams.contains("data-diagrams=\"cache\""),
        "it was not run"
    );
}
