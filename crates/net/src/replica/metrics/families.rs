//! Every metric: its name, what it means, and where its samples come from.
//!
//! `docs/watching.md` has a table that is made of this; a test holds it.

use super::page::{Page, alone, by, in_bytes, in_seconds, label, plain, seconds, truth};
use super::plumbing;
use crate::cache::{BreakerState, CacheServerStatus};
use crate::report::{Refusals, ReplicaReport};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};
use prometheus_client::registry::Registry;
use std::fmt;

/// What begins the name of each metric.
const PREFIX: &str = "ssmr";

/// The page of what a replica tells, and of the cache servers that its process uses. Each sample
/// bears its group and its replica.
pub(super) fn page(
    report: ReplicaReport,
    caches: Vec<CacheServerStatus>,
) -> Result<String, fmt::Error> {
    let id = report.status.id;
    let of = |name: &'static str, value: String| (name.into(), value.into());
    let labels = [
        of("group", id.group.to_string()),
        of("replica", id.to_string()),
    ];
    let mut registry = Registry::with_prefix_and_labels(PREFIX, labels.into_iter());
    registry.register_collector(Box::new(Whole { report, caches }));
    let mut page = String::new();
    prometheus_text::encode(&mut page, &registry)?;
    Ok(page)
}

#[derive(Debug)]
struct Whole {
    report: ReplicaReport,
    caches: Vec<CacheServerStatus>,
}

impl Collector for Whole {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let page = &mut Page { encoder };
        write(&self.report, page)?;
        caches(&self.caches, page)
    }
}

/// Writes all families.
fn write(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    replica(report, page)?;
    commands(report, page)?;
    state(report, page)?;
    queues(report, page)?;
    plumbing::write(report, page)
}

fn replica(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    let status = &report.status;
    page.gauges(
        plain("build_info", "1; the version is a label"),
        [(label("version", &report.version), 1.0)],
    )?;
    page.gauges(
        in_seconds("uptime", "How long the replica has run"),
        alone(seconds(report.status.uptime_us)),
    )?;
    page.counters(
        in_seconds("processor", "Processor time of the replica's event loop"),
        alone(seconds(status.processor_us)),
    )?;
    page.gauges(
        in_seconds(
            "certified_until_timestamp",
            "When the replica's certificate ends, since 1970; with TLS alone",
        ),
        report
            .certified_until
            .into_iter()
            .flat_map(|it| alone(it as f64)),
    )?;
    page.gauges(
        plain(
            "leader",
            "1 if this replica leads its group, as far as it knows",
        ),
        alone(truth(status.is_leader)),
    )?;
    page.gauges(
        plain(
            "leader_known",
            "1 if it has heard of its leader lately, or leads and has heard of a majority",
        ),
        alone(truth(status.hears_leader)),
    )?;
    page.gauges(
        plain(
            "voter",
            "1 if it takes full part; 0 while it is filled, or belongs to no group",
        ),
        alone(truth(status.is_voter)),
    )?;
    page.gauges(
        plain("term", "The consensus term: it grows with every election"),
        alone(status.term as f64),
    )
}

fn commands(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    let answers = report.answers.iter().map(|(kind, verdict, count)| {
        let labels = vec![
            ("kind", kind.name().into()),
            ("outcome", verdict.name().into()),
        ];
        (labels, count as f64)
    });
    page.counters(
        plain(
            "commands",
            "Answers that the replica gave while it led. Outcome retry: the plan was stale and the \
             client tries again; for kind query: the read is ordered instead",
        ),
        answers,
    )?;
    let latencies = report.latencies.iter();
    let latencies = latencies.map(|(kind, took)| (label("kind", &kind.name()), *took));
    page.histograms(
        in_seconds(
            "command_duration",
            "From when a command came to the leader until its answer left",
        ),
        latencies,
    )?;
    let counters = &report.status.counters;
    let one = counters.delivered - counters.multi_group;
    page.counters(
        plain(
            "commands_delivered",
            "Commands that were delivered here, by how many groups had to",
        ),
        by("groups", [("one", one), ("several", counters.multi_group)]),
    )?;
    let Refusals {
        requests,
        not_leader,
        expired,
        ..
    } = &report.refusals;
    let refused = requests
        .iter()
        .map(|(defect, count)| (defect_name(*defect), *count));
    let other = [("not_leader", *not_leader), ("expired", *expired)];
    let refused = refused.chain(other);
    page.counters(
        plain(
            "requests_refused",
            "Requests that were not taken in, by reason",
        ),
        refused.map(|(why, count)| (label("reason", &why), count as f64)),
    )
}

fn defect_name(defect: ssmr_core::Defect) -> &'static str {
    use ssmr_core::Defect;
    match defect {
        Defect::ValueTooLarge => "value_too_large",
        Defect::RequestTooLarge => "request_too_large",
        Defect::TooManyObjects => "too_many_objects",
        Defect::OperandsTooLarge => "operands_too_large",
        Defect::NoSuchPartition => "no_such_partition",
        Defect::Malformed => "malformed",
    }
}

fn state(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    let status = &report.status;
    page.gauges(
        plain("objects", "Objects that the group owns"),
        alone(status.objects as f64),
    )?;
    page.gauges(
        in_bytes("objects", "Bytes of the encoded values of objects"),
        alone(status.object_bytes as f64),
    )?;
    let counters = &status.counters;
    page.counters(
        plain(
            "objects_moved",
            "Objects that moved to this group or away from it",
        ),
        by(
            "direction",
            [("in", counters.moved_here), ("out", counters.moved_away)],
        ),
    )?;
    page.counters(
        plain(
            "cache_lookups",
            "Values that came as references, by whether they were found in the shared cache",
        ),
        by(
            "outcome",
            [
                ("hit", counters.cache_hits),
                ("miss", counters.cache_misses),
            ],
        ),
    )
}

fn caches(servers: &[CacheServerStatus], page: &mut Page<'_>) -> fmt::Result {
    let of_each = |value: fn(&CacheServerStatus) -> f64| {
        let servers = servers.iter();
        servers.map(move |it| (label("server", &it.server), value(it)))
    };
    page.gauges(
        plain(
            "cache_server_breaker_open",
            "1 while the replica's process leaves a cache server alone, for it did not answer",
        ),
        of_each(|it| truth(it.state != BreakerState::Closed)),
    )?;
    page.counters(
        plain(
            "cache_server_breaker_openings",
            "How often the process began to leave a cache server alone",
        ),
        of_each(|it| it.openings as f64),
    )?;
    page.counters(
        plain(
            "cache_server_timeouts",
            "Batches of calls that a cache server did not answer in time",
        ),
        of_each(|it| it.timeouts as f64),
    )?;
    page.counters(
        plain(
            "cache_server_errors",
            "Batches of calls to a cache server that failed otherwise",
        ),
        of_each(|it| it.errors as f64),
    )?;
    let lookups = servers.iter().flat_map(|it| {
        [("hit", it.hits), ("miss", it.misses)].map(|(outcome, count)| {
            let server = ("server", it.server.clone());
            (vec![server, ("outcome", outcome.into())], count as f64)
        })
    });
    page.counters(
        plain(
            "cache_server_lookups",
            "Values and places that the process asked a cache server for, by whether it had them",
        ),
        lookups,
    )
}

fn queues(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    let queues = &report.queues;
    let lengths = [
        ("inputs", queues.inputs),
        ("held_back", queues.held_back),
        ("uncommitted", queues.uncommitted),
        ("undelivered", queues.undelivered),
        ("unfinished", report.status.unfinished),
        ("reads", queues.reads),
    ];
    page.gauges(
        plain(
            "queue_length",
            "What waits: inputs for the event loop, requests held back by a service time, log \
             entries uncommitted, commands undelivered or unfinished, reads for a confirmed leader",
        ),
        by("queue", lengths),
    )?;
    page.gauges(
        in_bytes("client_unread", "Answers that clients have not read"),
        alone(queues.unread_bytes as f64),
    )
}
