//! What stands beneath the title: which run or sweep this is, when, by which program, on which
//! machine.

use crate::json;
use crate::source::Source;
use maud::{Markup, html};
use serde_json::Value;
use ssmr_figures::Contents;

/// A fact of more letters has the room of two.
const LONG: usize = 24;

/// The list of facts, then what is missing.
pub(crate) fn markup(source: &Source) -> Markup {
    let facts = match &source.sweep {
        Some(sweep) => of_sweep(source, sweep),
        None => of_runs(source),
    };
    let machine = source.run.as_ref().map(of_machine).unwrap_or_default();
    html! {
        dl.facts {
            @for (name, value) in facts.iter().chain(&machine) {
                div.wide[value.len() > LONG] { dt { (name) } dd { (value) } }
            }
        }
        @for warning in warnings(source) { p.banner.bad { (warning) } }
        @if !source.missing.is_empty() {
            p { "What is missing:" }
            ul { @for told in &source.missing { li { (told) } } }
        }
    }
}

type Facts = Vec<(&'static str, String)>;

/// Of one run, or of those of a search for the highest throughput, which have the same settings.
fn of_runs(source: &Source) -> Facts {
    let times = source.peak.as_ref().or(source.run.as_ref()).map(times);
    let settings = source.run.as_ref().map(settings);
    let mut facts = times
        .into_iter()
        .chain(settings)
        .flatten()
        .collect::<Facts>();
    if source.folder.contents() == Contents::Peak {
        facts.push(("runs", source.cells.len().to_string()));
    }
    facts
}

fn settings(run: &Value) -> Facts {
    let mut facts = Facts::new();
    for name in ["workload", "partitions", "replicas", "clients"] {
        facts.extend(json::text(run, &["settings", name]).map(|text| (name, text)));
    }
    let net = json::text(run, &["settings", "net"]).filter(|text| text != "none");
    facts.extend(net.map(|text| ("network", text)));
    let sites = json::at(run, &["network", "sites"]).and_then(Value::as_object);
    facts.extend(sites.map(|sites| ("sites", places(sites))));
    let faults = json::text(run, &["settings", "fault"]).filter(|text| !text.is_empty());
    facts.extend(faults.map(|text| ("faults", text)));
    facts
}

/// Who is at which site of an emulated network.
fn places(sites: &serde_json::Map<String, Value>) -> String {
    let place = |(name, site): (&String, &Value)| {
        let replicas = json::texts(site, &["replicas"]);
        let clients = json::text(site, &["clients"]).filter(|count| count != "0");
        let clients = clients.map(|count| format!("{count} clients"));
        let caches = json::text(site, &["caches"]).filter(|there| there == "true");
        let there = replicas.into_iter().chain(clients);
        let there: Vec<String> = there.chain(caches.map(|_| "the cache".into())).collect();
        format!("{name}: {}", there.join(" "))
    };
    let places: Vec<String> = sites.iter().map(place).collect();
    places.join("; ")
}

fn times(run: &Value) -> Facts {
    let date =
        |name| json::text(run, &[name]).map(|text| text.replace('T', " ").replace('Z', " UTC"));
    let began = date("began").map(|text| ("began", text));
    let finished = date("finished").map(|text| ("finished", text));
    began.into_iter().chain(finished).collect()
}

fn of_sweep(source: &Source, sweep: &Value) -> Facts {
    let mut facts: Facts = source.run.as_ref().map(times).unwrap_or_default();
    // The times of the first run; the end is the last one's.
    facts.retain(|(name, _)| *name == "began");
    let ends = source.cells.iter().filter_map(|(_, run)| times(run).pop());
    facts.extend(ends.filter(|(name, _)| *name == "finished").max());
    for key in source.folder.keys() {
        facts.push(("varied", format!("{}: {}", key.name, key.values.join(", "))));
    }
    facts.extend(json::text(sweep, &["repeat"]).map(|text| ("repeats", text)));
    facts.push(("runs done", source.cells.len().to_string()));
    facts
}

fn of_machine(run: &Value) -> Facts {
    let own = |name| json::text(run, &["machine", name]);
    let mut facts = Facts::new();
    let is_dirty = own("dirty").as_deref() == Some("true");
    let changed = if is_dirty { ", with changes" } else { "" };
    facts.extend(own("commit").map(|commit| {
        let short: String = commit.chars().take(12).collect();
        ("commit", short + changed)
    }));
    facts.extend(own("version").map(|version| ("version", version)));
    let memory = own("memory").map(|text| gibibytes(&text).unwrap_or(text));
    let parts = [
        own("cpu"),
        own("cores").map(|cores| format!("{cores} processors")),
        memory,
        own("os").map(|os| format!("{os} {}", own("kernel").unwrap_or_default())),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        facts.push(("machine", parts.join(", ")));
    }
    facts
}

/// `24684084 kB`, as people say it.
fn gibibytes(text: &str) -> Option<String> {
    let kib: f64 = text.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{:.1} GiB", kib / 1024.0 / 1024.0))
}

/// What makes all of the page doubtful.
fn warnings(source: &Source) -> Vec<String> {
    let mut warnings = Vec::new();
    let is = |path: &[&str]| {
        let told = source.run.as_ref().and_then(|run| json::text(run, path));
        told.as_deref() == Some("true")
    };
    if is(&["machine", "debug_build"]) {
        warnings.push("The program was compiled without optimisation.".to_owned());
    }
    let contents = source.folder.contents();
    let own = match contents {
        Contents::Run => source.run.as_ref(),
        Contents::Peak => source.peak.as_ref(),
        Contents::Sweep => None,
    };
    if contents == Contents::Run && is(&["interrupted"]) {
        warnings.push("The run was interrupted: this is what was measured until then.".into());
    } else if own.is_some_and(|own| json::at(own, &["finished"]).is_none()) {
        warnings.push("The run had not ended when this page was made.".into());
    }
    if let Some(sweep) = &source.sweep {
        let repeat = json::text(sweep, &["repeat"]).and_then(|text| text.parse::<u128>().ok());
        let vary = json::at(sweep, &["vary"]).and_then(Value::as_array);
        let lengths = vary.into_iter().flatten();
        let lengths = lengths.map(|axis| json::texts(axis, &["values"]).len() as u128);
        let all = lengths.fold(repeat.unwrap_or(1), u128::saturating_mul);
        if all > source.cells.len() as u128 {
            let done = source.cells.len();
            warnings.push(format!(
                "{done} of {all} runs are done: the others are not in this page."
            ));
        }
    }
    for (path, what) in [
        (["machine", "commit"], "commits"),
        (["machine", "cpu"], "kinds of processors"),
    ] {
        let told = source.cells.iter().map(|(_, run)| json::text(run, &path));
        let mut told: Vec<_> = told.collect();
        told.sort();
        told.dedup();
        if told.len() > 1 {
            warnings.push(format!("The runs are of {} {what}.", told.len()));
        }
    }
    warnings
}
