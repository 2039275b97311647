//! `harness log`: what is in a replica's data folder, and whether it can go on from there.

use crate::ending::Ending;
use crate::error::UsageError;
use crate::numbers::grouped;
use crate::settings::log::LogSettings;
use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use ssmr_core::Difference;
use ssmr_storage::{Finding, Owner, RealFiles, Report, Severity, verify};
use std::fmt::Write;

/// Looks into the folder and prints what is there.
///
/// # Errors
/// If it cannot be read, or a replica has it open.
pub(crate) fn run(settings: &LogSettings) -> Result<Ending> {
    let report = verify(&RealFiles, &settings.folder);
    let report = report.map_err(|error| UsageError::new("FOLDER", error.to_string()))?;
    print!("{}", text(&report)?);
    Ok(if report.is_sound() {
        Ending::Good
    } else {
        Ending::Wrong
    })
}

/// What a folder holds, for people.
fn text(report: &Report) -> Result<String> {
    let mut text = String::new();
    let owner = report.owner.as_ref().map_or("unknown".into(), describe);
    writeln!(text, "replica      {owner}")?;
    writeln!(text, "generation   {}", report.generation)?;
    let vote = report
        .voted_for
        .map_or("for nobody".into(), |member| format!("for {member:?}"));
    writeln!(text, "vote         {vote}, in term {}", report.term)?;
    let first = match report.snapshot {
        Some((last, bytes)) => {
            let (index, term, bytes) = (grouped(last.index), last.term, grouped(bytes));
            writeln!(
                text,
                "snapshot     up to entry {index} of term {term}: {bytes} bytes"
            )?;
            last.index + 1
        }
        None => 1,
    };
    match report.entries {
        0 => writeln!(text, "entries      none behind that")?,
        count => {
            let last = grouped(first + count - 1);
            writeln!(text, "entries      {} to {last}", grouped(first))?;
        }
    }
    writeln!(text, "{}", files(report))?;
    for path in &report.leftovers {
        writeln!(text, "left over    {}", path.display())?;
    }
    for path in &report.set_aside {
        writeln!(text, "set aside    {}", path.display())?;
    }
    for finding in &report.findings {
        writeln!(text, "{}    {finding}", word(finding))?;
    }
    let verdict = match report.is_sound() {
        true => "all that was acknowledged is here",
        false => "something that was acknowledged may be missing",
    };
    writeln!(text, "verdict      {verdict}")?;
    Ok(text)
}

fn describe(owner: &Owner) -> String {
    let of = |difference| owner.cluster.value(difference);
    format!(
        "{} of cluster {}: {}, strategy {}, {}",
        owner.replica,
        of(Difference::Cluster),
        of(Difference::Service),
        of(Difference::Strategy),
        of(Difference::Topology)
    )
}

/// What comes of it, as wide as the other words.
fn word(finding: &Finding) -> &'static str {
    match finding.problem.severity() {
        Severity::Cut => "is cut   ",
        Severity::MemoryLost => "doubtful ",
        Severity::Refused => "refused  ",
    }
}

fn files(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["file", "bytes", "frames", "entries"]);
    if let Some(checkpoint) = &report.checkpoint {
        table.add_row([
            format!("{:010}.checkpoint", checkpoint.number),
            grouped(checkpoint.bytes),
            String::new(),
            grouped(checkpoint.entries),
        ]);
    }
    for segment in &report.segments {
        table.add_row([
            format!("{:010}.log", segment.number),
            grouped(segment.bytes),
            grouped(segment.frames),
            grouped(segment.entries),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
