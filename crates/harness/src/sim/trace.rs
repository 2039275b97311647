//! `sim --trace` and `--trace-json`: one simulation, told line by line or to be drawn over time. It
//! need not fail.

use super::failure_report;
use super::variant::variants;
use crate::ending::Ending;
use crate::error::UsageError;
use crate::registry::strategies::Strategies;
use crate::results::whole;
use crate::settings::sim::SimSettings;
use ssmr_sim::{Timeline, trace};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Runs the one simulation and shows it.
///
/// # Errors
/// If the flags are those of several, or a file cannot be written.
pub(super) fn run(settings: &SimSettings, strategies: &Strategies) -> anyhow::Result<Ending> {
    let variants: Vec<_> = variants(settings).collect();
    let (seed, options) = settings.place(0);
    let [variant] = variants[..] else {
        return Err(several(settings, variants.len()).into());
    };
    if settings.count() != 1 {
        return Err(several(settings, 1).into());
    }
    let shape = variant.shape(&options)?;
    let oracle = strategies
        .choose_known(variant.strategy.name, &shape)
        .oracle;
    let recording = trace(&oracle, seed, options);
    if settings.trace {
        print(&recording.text())?;
    }
    if let Some(path) = &settings.trace_json {
        write(path, &recording.timeline())?;
        let name = path.display();
        print(&format!(
            "{name}: open it in https://ui.perfetto.dev or chrome://tracing\n"
        ))?;
    }
    let replay = failure_report::command(variant, seed, &options);
    print(&format!("replay: {replay} --trace\n"))?;
    Ok(match recording.outcome {
        Ok(_) => Ending::Good,
        Err(_) => Ending::Wrong,
    })
}

/// What to say more precisely so that it is one.
fn several(settings: &SimSettings, variants: usize) -> UsageError {
    let count = settings.count() * variants as u64;
    let seeds = settings.seeds.end - settings.seeds.start;
    let first = settings.seeds.start;
    let open = [
        (settings.strategies.len() > 1, "--strategy NAME".to_owned()),
        (
            variants > settings.strategies.len(),
            "--directory WHERE".into(),
        ),
        (seeds > 1, format!("--seeds {first}..{}", first + 1)),
        (settings.profiles.len() != 1, "--profile NAME".into()),
        (settings.executions.len() > 1, "--execution MODE".into()),
    ];
    let open = open.into_iter().filter(|(is_open, _)| *is_open);
    let open: Vec<String> = open.map(|(_, flag)| flag).collect();
    let problem = format!(
        "it shows one simulation, and these are {count}: add {}",
        open.join(" ")
    );
    UsageError::new("--trace", problem)
}

/// Prints it. Whoever reads only the beginning has seen enough.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn write(path: &Path, timeline: &Timeline) -> anyhow::Result<()> {
    let bytes = serde_json::to_vec(timeline)?;
    whole::write(path, &bytes).map_err(|error| {
        let problem = format!("cannot write {}: {error}", path.display());
        UsageError::new("--trace-json", problem).into()
    })
}
