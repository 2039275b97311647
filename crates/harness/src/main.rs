//! The measure: runs the four strategies on identical workloads, checks every history, and writes what it measured.
//!
//! Exit status: 0, 1 (the run failed or a check found a violation), 2 (bad usage).

mod audit;
mod check;
mod cli;
mod deploy;
mod fault;
mod interrupt;
mod load;
mod machine;
mod node;
mod progress;
mod registry;
mod report;
mod results;
mod run;
mod setup;
mod sim;
mod time;
mod trial;
mod violation;
mod workload;

use cli::{Cli, Command, UsageError};
use run::Ending;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    // Quiet unless RUST_LOG asks: the machines' events are for debugging.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let ending = match Cli::read().command {
        Command::Run(args) => run::run(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Node(args) => node::run(&args),
    };
    match ending {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Violated) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}
