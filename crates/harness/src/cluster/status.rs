//! `cluster status`: how each replica is, by its own account.

use super::runtime;
use crate::described::{ClusterVisitor, Described};
use crate::ending::Ending;
use crate::numbers::grouped;
use crate::settings::cluster::StatusSettings;
use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use futures_util::future::join_all;
use serde::Serialize;
use ssmr_core::{Application, ReplicaId};
use ssmr_net::{ConnectError, Operator, ReplicaStatus};
use std::io::{self, Write};

/// Asks the replicas, and shows what they say.
pub(super) struct Show<'a>(pub(super) &'a StatusSettings);

impl ClusterVisitor for Show<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let config = &cluster.file.config;
        let operator = Operator::new::<A>(config, cluster.oracle)?;
        let operator = operator.with_patience(self.0.timeout);
        let asked = config.topology.replicas().map(|id| {
            let operator = &operator;
            async move { (id, operator.inspect(id).await) }
        });
        let told = runtime()?.block_on(join_all(asked));
        match self.0.json {
            true => lines(&told)?,
            false => table(&told)?,
        }
        let takes_part = |told: &Result<ReplicaStatus, ConnectError>| {
            told.as_ref().is_ok_and(ReplicaStatus::takes_part)
        };
        Ok(match told.iter().all(|(_, told)| takes_part(told)) {
            true => Ending::Good,
            false => Ending::Degraded,
        })
    }
}

/// What a replica does in its group.
fn role(status: &ReplicaStatus) -> &'static str {
    match status {
        _ if status.is_voter && !status.hears_leader => "leaderless",
        _ if status.is_leader => "leader",
        _ if status.is_voter => "follower",
        _ if status.is_member => "is filled",
        _ => "waits",
    }
}

fn table(told: &[(ReplicaId, Result<ReplicaStatus, ConnectError>)]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "replica",
        "role",
        "term",
        "applied",
        "objects",
        "bytes",
        "digest",
        "generation",
        "cpu s",
    ]);
    for (id, told) in told {
        match told {
            Ok(status) => table.add_row([
                id.to_string(),
                role(status).to_owned(),
                status.term.to_string(),
                grouped(status.applied),
                grouped(status.objects),
                grouped(status.object_bytes),
                status
                    .digest
                    .map_or_else(String::new, |it| format!("{it:016x}")),
                status.member.generation().to_string(),
                format!("{:.1}", status.processor_us as f64 / 1e6),
            ]),
            Err(_) => table.add_row([id.to_string(), "silent".to_owned()]),
        };
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{table}")?;
    for (_, told) in told {
        if let Err(why) = told {
            writeln!(out, "{why}")?;
        }
    }
    Ok(())
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    replica: ReplicaId,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a ReplicaStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn lines(told: &[(ReplicaId, Result<ReplicaStatus, ConnectError>)]) -> Result<()> {
    for (replica, told) in told {
        let line = Line {
            replica: *replica,
            status: told.as_ref().ok(),
            error: told.as_ref().err().map(ToString::to_string),
        };
        writeln!(io::stdout(), "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}
