//! For fuzz targets: the parsers of files, flags and lines. What was understood comes back as it
//! would be written.

use crate::builtin::{BuiltinWorkloads, strategies};
use crate::cli;
use crate::deploy::lines::{NodeReport, Order};
use crate::fault::grammar::Fault;
use crate::sim::record;
use crate::trace::file::TraceForm;
use crate::trace::reader::TraceReader;
use crate::trace::writer::TraceWriter;
use crate::workload::graph::edge_list::EdgeList;
use crate::workload::graph::network::Graph;
use crate::workload::trace::fuzzing::is_replayable;

/// Reads an edge list, as a directed graph or not. Returns who follows whom, by the numbers of
/// vertices, ascending by who is followed; `None` if it is none.
#[must_use]
pub fn graph(text: &[u8], directed: bool) -> Option<Vec<(u64, u64)>> {
    let graph = Graph::of_file(EdgeList::parse(text).ok()?, directed).ok()?;
    let follows = (0..graph.vertex_count()).flat_map(|vertex| {
        let followers = graph.followers(vertex).iter();
        followers.map(move |&follower| (follower, vertex))
    });
    Some(follows.collect())
}

/// Reads one item of `--fault`. Returns it as it is written; `None` if it is none.
#[must_use]
pub fn fault(text: &str) -> Option<String> {
    text.parse::<Fault>().ok().map(|fault| fault.to_string())
}

/// Reads a command line, without the program's name, and does nothing. Returns whether there is
/// something to do.
///
/// # Panics
/// If what is registered is bad.
#[must_use]
pub fn command_line(words: &[&str]) -> bool {
    let command = cli::command::<BuiltinWorkloads>(&strategies()).expect("they have good names");
    let words = ["harness"].iter().chain(words).map(Into::into);
    let read = cli::parse::<BuiltinWorkloads>(&command, words, &strategies().infos());
    read.is_ok_and(|request| request.is_ok())
}

/// Reads the file of `sim --resume`. Returns it as it is written; `None` if it is none.
#[must_use]
pub fn resume_file(text: &[u8]) -> Option<Vec<u8>> {
    record::rewrite(text)
}

/// Reads a trace, as rows of CSV or else as lines of JSON, and makes its commands into requests.
/// Returns it as it is written; `None` if it is none.
#[must_use]
pub fn trace(text: &[u8], csv: bool) -> Option<Vec<u8>> {
    let form = if csv {
        TraceForm::Csv
    } else {
        TraceForm::Jsonl
    };
    let read = TraceReader::new(text, form).ok()?;
    let commands: Vec<_> = read.collect::<Result<_, _>>().ok()?;
    let mut written = Vec::new();
    let mut writer = TraceWriter::new(&mut written, form).ok()?;
    for located in &commands {
        writer.write(&located.command).ok()?;
    }
    writer.flush().ok()?;
    drop(writer);
    is_replayable(&commands);
    Some(written)
}

/// Reads a line between a replica's process and the one that drives it. Returns it as it is
/// written; `None` if it is none.
#[must_use]
pub fn node_line(text: &str) -> Option<String> {
    let order = serde_json::from_str::<Order>(text);
    let order = order
        .ok()
        .and_then(|order| serde_json::to_string(&order).ok());
    order.or_else(|| {
        let report: NodeReport = serde_json::from_str(text).ok()?;
        serde_json::to_string(&report).ok()
    })
}
