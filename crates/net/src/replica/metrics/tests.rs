//! The documents and the dashboard say what the code says.

use super::families::page;
use crate::cache::CacheServerStatus;
use crate::samples;
use ssmr_core::{GroupId, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// A metric, as a page says what it is.
#[derive(Debug, Default)]
struct Metric {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

fn sample_page() -> String {
    let group = GroupId::ORACLE;
    let cache = CacheServerStatus {
        server: "cache-0:11211".into(),
        ..CacheServerStatus::default()
    };
    page(samples::report(ReplicaId { group, index: 1 }), vec![cache]).unwrap()
}

fn metrics(page: &str) -> BTreeMap<String, Metric> {
    let mut found: BTreeMap<String, Metric> = BTreeMap::new();
    for line in page.lines() {
        if let Some(told) = line.strip_prefix("# ") {
            let mut words = told.splitn(3, ' ');
            let (what, name, rest) = (words.next(), words.next(), words.next().unwrap());
            let metric = found.entry(name.unwrap().into()).or_default();
            match what.unwrap() {
                "HELP" => metric.help = rest.into(),
                "TYPE" => metric.kind = rest.into(),
                other => panic!("{other}: {line}"),
            }
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap();
        let labels = rest.split_once('}').unwrap().0;
        let names = labels
            .split(',')
            .map(|label| label.split_once('=').unwrap().0);
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| {
                name.strip_suffix(suffix)
                    .filter(|name| found.contains_key(*name))
            })
            .unwrap_or(name);
        let metric = found
            .get_mut(name)
            .unwrap_or_else(|| panic!("{name} is not told of"));
        let own = names.filter(|name| !["group", "replica", "le"].contains(name));
        metric.labels.extend(own.map(str::to_owned));
    }
    found
}

fn unit(name: &str) -> &'static str {
    let name = name.trim_end_matches("_total");
    match name {
        _ if name.ends_with("_seconds") => "seconds",
        _ if name.ends_with("_bytes") => "bytes",
        _ => "",
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for (name, metric) in metrics(&sample_page()) {
        assert!(name.starts_with("ssmr_"), "{name}");
        let plain = name
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase());
        assert!(plain, "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == "counter", "{name}");
        assert!(
            !metric.help.is_empty() && !metric.help.ends_with('.'),
            "{name}"
        );
        for wrong in ["_ms", "_us", "_milliseconds", "_kilobytes", "_count"] {
            assert!(!name.ends_with(wrong), "{name}");
        }
    }
}

/// The table of `docs/watching.md` is made of the page. `SSMR_BLESS=1` writes it anew.
#[test]
fn the_document_names_every_metric() {
    let path = root().join("docs/watching.md");
    let text = fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        "<!-- metrics: made by a test -->\n",
        "<!-- end of metrics -->\n",
    );
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let mut table = String::from("| metric | type | unit | labels | meaning |\n");
    table += "| --- | --- | --- | --- | --- |\n";
    for (name, metric) in metrics(&sample_page()) {
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (kind, unit, labels) = (metric.kind, unit(&name), labels.join(", "));
        table += &format!(
            "| `{name}` | {kind} | {unit} | {labels} | {} |\n",
            metric.help
        );
    }
    let new = [before, begin, &table, end, after].concat();
    if std::env::var_os("SSMR_BLESS").is_some() {
        fs::write(&path, &new).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == new,
        "{} is stale: run this test with SSMR_BLESS=1",
        path.display()
    );
}

/// The names in these words that look like ours.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let words = text.split(|c| !is_name(c));
    words
        .filter(|word| word.starts_with("ssmr_"))
        .map(str::to_owned)
        .collect()
}

/// Whether a page has such a metric, or such a part of a histogram.
fn exists(name: &str, known: &BTreeMap<String, Metric>) -> bool {
    let part = ["_bucket", "_sum", "_count"];
    let mut whole = part.iter().filter_map(|part| name.strip_suffix(part));
    known.contains_key(name)
        || whole.any(|name| known.get(name).is_some_and(|it| it.kind == "histogram"))
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_exist() {
    let known = metrics(&sample_page());
    for (path, least) in [
        ("deploy/grafana/ssmr.json", 20),
        ("deploy/grafana/alerts.yml", 5),
        ("docs/watching.md", known.len()),
    ] {
        let used = names(&fs::read_to_string(root().join(path)).unwrap());
        let used: Vec<_> = used.iter().filter(|name| *name != "ssmr_net").collect();
        let unknown: Vec<_> = used.iter().filter(|name| !exists(name, &known)).collect();
        assert!(unknown.is_empty(), "{path} names {unknown:?}");
        assert!(used.len() >= least, "{path} names only {used:?}");
    }
}
