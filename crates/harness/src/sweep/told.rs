//! What a sweep says: a line for each run, a table of its points, what to distrust, what changed.
//!
//! It computes nothing that is not in the files.

use super::baseline::SAME;
use super::points::{column_of, groups, samples};
use super::rows::Rows;
use super::spec::SweepSpec;
use crate::ending::Ending;
use crate::notes::SATURATED;
use crate::numbers::grouped;
use crate::results::measures::Measures;
use crate::results::rows::{ALL, Point, STALE, Whole};
use crate::tables::table_of;
use ssmr_figures::bootstrap::{ENOUGH, mean};

/// Repeats of a point that lie further apart than this share of their mean are told.
const APART: f64 = 0.05;

/// The strategies of one run, in a line.
pub(super) fn line(totals: &[&(Point, Measures, Whole)]) -> String {
    let strategy = |(point, measures, whole): &&(Point, Measures, Whole)| {
        let throughput = grouped(measures.throughput_ops.round() as u64);
        let verdict = match (whole.linearizable, whole.cluster) {
            ("ok", "healthy") => String::new(),
            (linearizable, cluster) => format!(" ({linearizable}, {cluster})"),
        };
        format!("{} {throughput} ops/s{verdict}", point.strategy)
    };
    let strategies: Vec<String> = totals.iter().map(strategy).collect();
    strategies.join(", ")
}

/// The points, all kinds of operations together.
pub(super) fn table(points: &Rows, spec: &SweepSpec) -> String {
    let axes = axes(spec);
    let names = axes.iter().map(String::as_str);
    let own = ["strategy"]
        .into_iter()
        .filter(|name| !axes.iter().any(|axis| axis == name));
    let keys: Vec<&str> = names.chain(own).collect();
    let measures = [
        "runs",
        "ops/s",
        "95 %",
        "p50 us",
        "p99 us",
        "cpu us",
        "errors",
        "linearizable",
        "cluster",
    ];
    let header: Vec<&str> = keys.iter().copied().chain(measures).collect();
    let rows = points
        .rows
        .iter()
        .filter(|row| points.cell(row, "op") == ALL);
    let rows = rows.map(|row| {
        let whole = |name| whole_number(points.number(row, name));
        let low = points.number(row, "throughput_ops_low");
        let interval = low.map_or(String::new(), |_| {
            let ends = ["throughput_ops_low", "throughput_ops_high"].map(whole);
            ends.join(" - ")
        });
        let cell = |name: &str| points.cell(row, name).to_owned();
        let keys = keys.iter().map(|name| cell(name));
        keys.chain([
            cell("repeats"),
            whole("throughput_ops_mean"),
            interval,
            whole("p50_us_mean"),
            whole("p99_us_mean"),
            whole("cpu_us_per_command_mean"),
            cell("errors"),
            cell("linearizable"),
            cell("cluster"),
        ])
        .collect()
    });
    table_of(&header, rows, keys.len())
}

/// What makes points bad or needs to be known with them.
pub(super) fn warnings(summary: &Rows, points: &Rows, spec: &SweepSpec) -> Vec<String> {
    let mut warnings = Vec::new();
    let names = ["point", "strategy", "op"].map(str::to_owned);
    for group in groups(summary, &names) {
        let [point, strategy, op] = group.key[..] else {
            continue;
        };
        let throughputs = samples(summary, &group, "throughput_ops");
        let most = throughputs.iter().copied().fold(f64::MIN, f64::max);
        let least = throughputs.iter().copied().fold(f64::MAX, f64::min);
        let apart = mean(&throughputs).map_or(0.0, |mean| (most - least) / mean);
        if op == ALL && apart > APART {
            let told = spec.told(point.parse().unwrap_or(0));
            let percent = apart * 100.0;
            warnings.push(format!(
                "{strategy} {told}: the throughputs of its {} runs lie {percent:.0} % apart",
                throughputs.len()
            ));
        }
    }
    let all = summary
        .rows
        .iter()
        .filter(|row| summary.cell(row, "op") == ALL);
    let busy = |row: &&Vec<String>| {
        let busy = summary.number(row, "processors_busy_pct");
        busy.is_some_and(|busy| busy > SATURATED * 100.0)
    };
    let saturated = all.clone().filter(busy).count();
    if saturated > 0 {
        warnings.push(format!(
            "the processors were busy in {saturated} of {} measurements: clients and replicas \
             share them, so throughput is what both can do together",
            all.count()
        ));
    }
    if spec.repeat < ENOUGH as u64 && !points.rows.is_empty() {
        warnings.push("there are no intervals: they take --repeat 5 or more".into());
    }
    warnings
}

/// What changed, all kinds of operations together.
pub(super) fn comparison(compared: &Rows, spec: &SweepSpec) -> String {
    if compared.rows.is_empty() {
        return "against the baseline: it has no point in common with this".into();
    }
    let axes = axes(spec);
    let names = axes.iter().map(String::as_str);
    let own = ["strategy"]
        .into_iter()
        .filter(|name| !axes.iter().any(|axis| axis == name));
    let keys: Vec<&str> = names.chain(own).collect();
    let measures = ["measure", "before", "now", "change", "95 %", "verdict"];
    let header: Vec<&str> = keys.iter().copied().chain(measures).collect();
    let shown = ["throughput_ops", "p50_us", "p99_us", "cpu_us_per_command"];
    let rows = compared.rows.iter().filter(|row| {
        compared.cell(row, "op") == ALL && shown.contains(&compared.cell(row, "measure"))
    });
    let rows = rows.map(|row| {
        let change = |name| {
            let ratio = compared.number(row, name)?;
            Some(format!("{:+.1} %", (ratio - 1.0) * 100.0))
        };
        let interval = change("low").zip(change("high"));
        let interval = interval.map(|(low, high)| format!("{low} to {high}"));
        let cell = |name: &str| compared.cell(row, name).to_owned();
        let whole = |name| whole_number(compared.number(row, name));
        let keys = keys.iter().map(|name| cell(name));
        keys.chain([
            cell("measure"),
            whole("before"),
            whole("now"),
            change("ratio").unwrap_or_default(),
            interval.unwrap_or_default(),
            cell("verdict"),
        ])
        .collect()
    });
    let table = table_of(&header, rows, keys.len() + 1);
    let verdicts = compared
        .rows
        .iter()
        .map(|row| compared.cell(row, "verdict"));
    let (same, all) = (
        verdicts.filter(|it| *it == SAME).count(),
        compared.rows.len(),
    );
    format!("against the baseline ({same} of {all} measures: {SAME}):\n{table}")
}

/// How a sweep with these runs ends.
pub(super) fn ending(summary: &Rows) -> Ending {
    let endings = summary.rows.iter().map(|row| {
        let is = |name, value| summary.cell(row, name) == value;
        let consistent = is("consistent", "") || is("consistent", "ok");
        let agree = !is("replicas_agree", "no");
        let judged = match is("op", STALE) {
            true => "stale_values",
            false => "linearizable",
        };
        if !is(judged, "ok") || !agree || !consistent || is("cluster", "lost") {
            Ending::Wrong
        } else if is("cluster", "degraded") {
            Ending::Degraded
        } else {
            Ending::Good
        }
    });
    endings.max().unwrap_or(Ending::Good)
}

/// The columns of the varied flags.
fn axes(spec: &SweepSpec) -> Vec<String> {
    spec.varied_flags().map(column_of).collect()
}

fn whole_number(number: Option<f64>) -> String {
    number.map_or(String::new(), |number| grouped(number.round() as u64))
}
