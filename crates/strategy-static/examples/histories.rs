//! Writes two histories of the simulator for judges from outside, `good.jsonl` and `mutant.jsonl`,
//! into a folder: of the same seed, the second without rule R2 (mutant `NoSignalWait`).
//!
//! `cargo run -p ssmr-strategy-static --example histories -- FOLDER`

use ssmr_core::{Mutant, Oracle};
use ssmr_sim::app::terms;
use ssmr_sim::{InvariantViolation, Options, record};
use ssmr_strategy_static::Static;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// How many seeds are tried.
const SEEDS: u64 = 50;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: histories FOLDER");
        return ExitCode::from(2);
    };
    match write(&PathBuf::from(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    let oracle = Static::new().into_shared();
    let with = |mutant| Options {
        mutant,
        ..Options::default()
    };
    let mutant = with(Some(Mutant::NoSignalWait));
    // A history is complete if nothing else was violated before it was judged. That the black-box
    // check refuses it shows that it can be refused without what only answers tell.
    let refused = |&seed: &u64| {
        let (history, outcome) = record(&oracle, seed, mutant);
        let judged = outcome.is_err_and(|failure| {
            matches!(*failure.violation, InvariantViolation::NotLinearizable(_))
        });
        judged && history.check_blackbox().is_err()
    };
    let seed = (0..SEEDS).find(refused);
    let seed = seed.ok_or_else(|| io::Error::other("no seed shows the mutant"))?;
    keep(&oracle, seed, mutant, &folder.join("mutant.jsonl"))?;
    keep(&oracle, seed, with(None), &folder.join("good.jsonl"))
}

fn keep(oracle: &Arc<dyn Oracle>, seed: u64, options: Options, path: &Path) -> io::Result<()> {
    let (history, _) = record(oracle, seed, options);
    let mutant = options.mutant.map_or("none", |_| "NoSignalWait");
    let about = [("strategy", oracle.name()), ("mutant", mutant)];
    let mut file = BufWriter::new(File::create(path)?);
    history.write_jsonl(&terms(), &about, &mut file)?;
    file.flush()
}
