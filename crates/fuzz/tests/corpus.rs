//! Replays `fuzz/corpus` at every target: what searches have found, and real encodings.
//!
//! Files called `seed-...` are what [`Target::seeds`](ssmr_fuzz::Target::seeds) makes, byte by
//! byte: after a change of format they are stale, and this says so. `SSMR_BLESS=1 cargo test -p
//! ssmr-fuzz` writes them anew. All other files were found by a search.

use peak_alloc::PeakAlloc;
use ssmr_fuzz::{TARGETS, Target};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SEED: &str = "seed-";

fn corpus(target: &Target) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    root.join(target.name)
}

/// The files of a target's corpus, by name.
fn files(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let folder = corpus(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}", folder.display());
    });
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(&path).unwrap())
    };
    entries.map(file).collect()
}

fn bless(target: &Target, seeds: &BTreeMap<String, Vec<u8>>) {
    let folder = corpus(target);
    fs::create_dir_all(&folder).unwrap();
    for name in files(target).keys().filter(|name| name.starts_with(SEED)) {
        fs::remove_file(folder.join(name)).unwrap();
    }
    for (name, bytes) in seeds {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn every_target_can_be_searched() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for Target { name, .. } in TARGETS {
        assert!(
            manifest.contains(&format!("\nname = \"{name}\"\n")),
            "{name}"
        );
        let path = fuzz.join(format!("fuzz_targets/{name}.rs"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(&format!("run(\"{name}\"")), "{name}");
    }
    assert_eq!(manifest.matches("\n[[bin]]\n").count(), TARGETS.len());
}

/// In one test, for the memory that is measured is that of the whole process.
#[test]
fn every_input_of_the_corpus_is_harmless_and_every_seed_means_something() {
    for target in TARGETS {
        let seeds = (target.seeds)().into_iter();
        let seeds: BTreeMap<_, _> = seeds
            .map(|seed| (format!("{SEED}{}", seed.name), seed.bytes))
            .collect();
        if std::env::var_os("SSMR_BLESS").is_some() {
            bless(target, &seeds);
        }
        let files = files(target);
        let mut stored = files.clone();
        stored.retain(|name, _| name.starts_with(SEED));
        let name = target.name;
        let stale = seeds
            .iter()
            .filter(|(name, bytes)| stored.get(*name) != Some(*bytes));
        let stale: Vec<_> = stale.map(|(name, _)| name).collect();
        assert!(
            stale.is_empty() && stored.len() == seeds.len(),
            "the seeds of {name} are stale ({stale:?}): SSMR_BLESS=1 cargo test -p ssmr-fuzz"
        );
        for (file, bytes) in &files {
            // The first run may set up what stays: an event loop, say.
            (target.run)(bytes);
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let means_something = (target.run)(bytes);
            let taken = ALLOCATOR.peak_usage().saturating_sub(before);
            assert!(taken <= target.memory, "{name}/{file} takes {taken} bytes");
            assert!(
                means_something || !file.starts_with(SEED),
                "{name}/{file} means nothing"
            );
        }
    }
}
