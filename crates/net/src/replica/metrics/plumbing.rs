//! The metrics of what is below commands: links and peers, log and snapshots, connections.

use super::page::{Page, alone, by, in_bytes, in_seconds, label, plain, seconds, truth};
use crate::report::ReplicaReport;
use std::fmt;

/// Writes these families.
pub(super) fn write(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    groups(report, page)?;
    log(report, page)?;
    network(report, page)
}

fn groups(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    let links = || report.links.iter();
    let to = |link: &crate::LinkState| label("to", &link.to);
    page.gauges(
        plain(
            "link_unacknowledged_items",
            "Items of the link to another group that it is not known to have logged",
        ),
        links().map(|link| (to(link), (link.sent - link.acknowledged) as f64)),
    )?;
    page.counters(
        plain(
            "link_items",
            "Items that this group has put into its link to another one",
        ),
        links().map(|link| (to(link), link.sent as f64)),
    )?;
    page.counters(
        plain(
            "link_resends",
            "How often items were sent again because they stayed unacknowledged",
        ),
        links().map(|link| (to(link), link.resends as f64)),
    )?;
    page.counters(
        plain(
            "link_cache_fallbacks",
            "How often the other group did not find values in the shared cache and asked for them",
        ),
        links().map(|link| (to(link), link.pulls_in_full as f64)),
    )?;
    let peers = || report.peers.iter();
    let reached = peers().filter_map(|peer| {
        let is = peer.is_reachable?;
        Some((label("peer", &peer.replica), truth(is)))
    });
    page.gauges(
        plain(
            "peer_reachable",
            "1 if another replica can be reached; absent while nothing was sent to it",
        ),
        reached,
    )?;
    let unwritten = peers().flat_map(|peer| {
        let lane = |lane: &str, bytes: u64| {
            let labels = vec![("peer", peer.replica.to_string()), ("lane", lane.into())];
            (labels, bytes as f64)
        };
        [
            lane("urgent", peer.urgent_bytes),
            lane("bulk", peer.bulk_bytes),
        ]
    });
    page.gauges(
        in_bytes("peer_unwritten", "What waits for another replica"),
        unwritten,
    )
}

fn log(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    let (log, snapshots, status) = (&report.log, &report.snapshots, &report.status);
    page.gauges(
        plain(
            "log_committed_index",
            "The last log entry that it knows to be committed",
        ),
        alone(status.committed as f64),
    )?;
    page.gauges(
        plain(
            "log_applied_index",
            "The last log entry that it has applied",
        ),
        alone(status.applied as f64),
    )?;
    page.gauges(
        plain("log_entries", "Log entries in memory"),
        alone(log.entries as f64),
    )?;
    page.gauges(
        in_bytes(
            "log",
            "Log that was applied since the last snapshot was begun",
        ),
        alone(log.bytes as f64),
    )?;
    page.gauges(
        in_bytes("log_limit", "After how much log a snapshot is due"),
        alone(log.limit_bytes as f64),
    )?;
    page.counters(
        in_bytes("log_written", "What was written into the log's files"),
        alone(log.written_bytes as f64),
    )?;
    page.histograms(
        in_seconds(
            "log_store_duration",
            "How long it took to store what a round of the event loop led to, with its sync",
        ),
        alone(log.stores),
    )?;
    page.counters(
        plain(
            "snapshots",
            "Snapshots that the replica made, and that it was filled with",
        ),
        by(
            "origin",
            [
                ("taken", snapshots.taken),
                ("installed", snapshots.installed),
            ],
        ),
    )?;
    page.gauges(
        plain(
            "snapshot_last_index",
            "The last log entry that the newest snapshot stands for",
        ),
        alone(snapshots.last_entry as f64),
    )?;
    page.gauges(
        in_bytes(
            "snapshot",
            "The newest snapshot that was encoded; 0 if none was",
        ),
        alone(snapshots.bytes as f64),
    )?;
    page.gauges(
        in_seconds(
            "snapshot_duration",
            "How long it took to encode and write that one",
        ),
        alone(seconds(snapshots.duration_us)),
    )
}

fn network(report: &ReplicaReport, page: &mut Page<'_>) -> fmt::Result {
    let (here, away, traffic) = (
        &report.connections,
        &report.refusals,
        &report.status.traffic,
    );
    page.gauges(
        plain(
            "connections",
            "Connections that others have made to the replica, by who they are",
        ),
        by(
            "kind",
            [
                ("client", here.clients),
                ("replica", here.replicas),
                ("operator", here.operators),
                ("ungreeted", here.ungreeted),
            ],
        ),
    )?;
    page.counters(
        plain(
            "connections_refused",
            "Connections that were refused or closed by the replica, by reason",
        ),
        by(
            "reason",
            [
                ("greeting", away.greetings),
                ("full", away.full),
                ("message", away.messages),
                ("slow", away.slow),
                ("crowded", away.crowded),
            ],
        ),
    )?;
    let (sent, received) = (traffic.messages_sent, traffic.messages_received);
    page.counters(
        plain(
            "network_messages",
            "Messages to and from replicas and clients",
        ),
        by("direction", [("sent", sent), ("received", received)]),
    )?;
    let (sent, received) = (traffic.bytes_sent, traffic.bytes_received);
    page.counters(
        in_bytes(
            "network",
            "Bytes of messages to and from replicas and clients",
        ),
        by("direction", [("sent", sent), ("received", received)]),
    )?;
    page.counters(
        plain(
            "network_messages_dropped",
            "Messages that found their queue full or nobody connected; what matters is sent again",
        ),
        alone(traffic.messages_dropped as f64),
    )
}
