//! From the rows of runs to points: the mean of each measure over a point's runs, with an interval
//! where there are enough of them.

use super::rows::Rows;
use super::spec::SweepSpec;
use crate::results::columns::Cell;
use crate::results::rows::summary_columns;
use ssmr_figures::bootstrap::{mean, of_mean};

/// What says which point a row belongs to, besides the varied flags.
pub(super) const IDENTITY: [&str; 12] = [
    "strategy",
    "workload",
    "op",
    "execution",
    "partitions",
    "replicas",
    "clients",
    "window",
    "rate",
    "durability",
    "reads",
    "net",
];

/// What is averaged.
pub(super) const MEASURES: [&str; 18] = [
    "throughput_ops",
    "mean_us",
    "p50_us",
    "p95_us",
    "p99_us",
    "groups_per_command",
    "messages_per_command",
    "bytes_per_command",
    "cpu_us_per_command",
    "order_us",
    "wait_us",
    "execute_us",
    "answer_us",
    "stale_pct",
    "stale_lag_p50",
    "stale_lag_p99",
    "stale_age_p50_us",
    "stale_age_p99_us",
];

/// What is added up.
const SUMS: [&str; 7] = [
    "issued",
    "ok",
    "unsupported",
    "errors",
    "judged_ops",
    "unjudged_ops",
    "stale_past_lives",
];

/// Verdicts, each with its values from good to bad: a point has the worst of its runs.
const VERDICTS: [(&str, &[&str]); 5] = [
    // Of stale reads it says nothing.
    ("linearizable", &["", "ok", "unchecked", "violated"]),
    ("stale_values", &["", "ok", "unchecked", "violated"]),
    ("replicas_agree", &["yes", "", "no"]),
    ("cluster", &["healthy", "degraded", "lost"]),
    ("consistent", &["", "ok", "unchecked", "violated"]),
];

/// The varied flags that are no columns of a run's summary, as columns.
pub(super) fn extra_columns(spec: &SweepSpec) -> Vec<ExtraColumn<'_>> {
    let known = summary_columns();
    let column = |flag| ExtraColumn {
        flag,
        name: column_of(flag),
    };
    let columns = spec.varied_flags().map(column);
    columns
        .filter(|extra| known.iter().all(|column| column.name != extra.name))
        .collect()
}

/// A varied flag that is no column of a run's summary, as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExtraColumn<'a> {
    pub(super) flag: &'a str,
    pub(super) name: String,
}

/// The column of a flag.
pub(super) fn column_of(flag: &str) -> String {
    flag.replace('-', "_")
}

/// The runs of one point under one strategy, of one kind of operation.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    /// The varied flags and [`IDENTITY`].
    pub(super) key: Vec<&'a str>,
    pub(super) rows: Vec<&'a [String]>,
}

/// The rows of a sweep or a run, grouped by the columns of these names, in the order in which they
/// come.
pub(super) fn groups<'a>(summary: &'a Rows, names: &[String]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for row in &summary.rows {
        let key: Vec<&str> = names.iter().map(|name| summary.cell(row, name)).collect();
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                key,
                rows: vec![row],
            }),
        }
    }
    groups
}

/// The measured values of a group's rows.
pub(super) fn samples(summary: &Rows, group: &Group<'_>, measure: &str) -> Vec<f64> {
    let rows = group.rows.iter();
    rows.filter_map(|row| summary.number(row, measure))
        .collect()
}

/// The points of a sweep.
pub(super) fn points(summary: &Rows, spec: &SweepSpec) -> Rows {
    let extra = extra_columns(spec).into_iter().map(|column| column.name);
    let point = ["point".to_owned()].into_iter();
    let names: Vec<String> = point
        .chain(extra)
        .chain(IDENTITY.map(str::to_owned))
        .collect();
    let mut header = names.clone();
    header.push("repeats".into());
    for measure in MEASURES {
        header.extend(["mean", "low", "high"].map(|what| format!("{measure}_{what}")));
    }
    header.extend(SUMS.map(str::to_owned));
    header.extend(VERDICTS.map(|(name, _)| name.to_owned()));
    let mut groups = groups(summary, &names);
    groups.sort_by_key(|group| group.key[0].parse::<usize>().unwrap_or(usize::MAX));
    let row = |group: &Group<'_>| {
        let mut cells: Vec<String> = group.key.iter().map(|cell| (*cell).to_owned()).collect();
        cells.push(group.rows.len().to_string());
        for measure in MEASURES {
            let samples = samples(summary, group, measure);
            let interval = of_mean(&samples);
            cells.push(mean(&samples).text());
            cells.push(interval.map(|interval| interval.low).text());
            cells.push(interval.map(|interval| interval.high).text());
        }
        for sum in SUMS {
            let values = samples(summary, group, sum);
            let sum: f64 = values.iter().sum();
            cells.push((!values.is_empty()).then_some(sum as u64).text());
        }
        for (name, order) in VERDICTS {
            let rank = |value: &str| order.iter().position(|known| *known == value);
            let values = group.rows.iter().map(|row| summary.cell(row, name));
            let worst = values.max_by_key(|value| rank(value).unwrap_or(order.len()));
            cells.push(worst.unwrap_or_default().to_owned());
        }
        cells
    };
    let rows = groups.iter().map(row).collect();
    Rows { header, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::spec::Axis;

    fn summary(rows: &[&str]) -> Rows {
        let texts = |line: &str| line.split(',').map(str::to_owned).collect();
        Rows {
            header: texts("point,repeat,move,strategy,op,throughput_ops,ok,linearizable"),
            rows: rows.iter().map(|row| texts(row)).collect(),
        }
    }

    fn spec() -> SweepSpec {
        let axis = |flag: &str| Axis {
            flag: flag.into(),
            values: vec!["1".into()],
        };
        SweepSpec {
            vary: vec![axis("move"), axis("clients")],
            ..SweepSpec::default()
        }
    }

    #[test]
    fn a_point_has_the_mean_of_its_runs_and_the_worst_of_their_verdicts() {
        let spec = spec();
        let extra = extra_columns(&spec).into_iter().map(|column| column.name);
        assert_eq!(extra.collect::<Vec<_>>(), ["move"]);
        let summary = summary(&[
            "1,0,5,static,all,100,10,ok",
            "0,0,0,static,all,300,30,ok",
            "1,1,5,static,all,200,20,violated",
            "1,1,5,static,read,50,5,ok",
        ]);
        let points = points(&summary, &spec);
        let told: Vec<Vec<&str>> = points
            .rows
            .iter()
            .map(|row| {
                let names = [
                    "point",
                    "move",
                    "op",
                    "repeats",
                    "throughput_ops_mean",
                    "throughput_ops_low",
                    "ok",
                    "linearizable",
                    "p99_us_mean",
                ];
                names.map(|name| points.cell(row, name)).to_vec()
            })
            .collect();
        assert_eq!(
            told,
            [
                ["0", "0", "all", "1", "300", "", "30", "ok", ""],
                ["1", "5", "all", "2", "150", "", "30", "violated", ""],
                ["1", "5", "read", "1", "50", "", "5", "ok", ""],
            ]
        );
    }

    #[test]
    fn five_runs_make_an_interval() {
        let rows: Vec<String> = (0..5)
            .map(|repeat| format!("0,{repeat},0,static,all,{},1,ok", 100 + repeat))
            .collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let points = points(&summary(&rows), &spec());
        let number = |name| points.number(&points.rows[0], name).unwrap();
        assert_eq!(number("throughput_ops_mean"), 102.0);
        assert!(number("throughput_ops_low") < 102.0 && number("throughput_ops_high") > 102.0);
    }
}
