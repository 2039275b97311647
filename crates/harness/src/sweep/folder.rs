//! The folder of a sweep: what it is made from, and which cells are done.
//!
//! ```text
//!   sweep.json       what it is made from
//!   cells/0003       the folder of a run that is done
//!   cells/0003.part  of one that is under way, or was when its process ended
//!   summary.csv, points.csv, comparison.csv
//! ```
//!
//! Invariant: what has its final name is complete, for it was renamed to it. A cell is one
//! process's at a time: it holds a lock on it.

use super::spec::SweepSpec;
use crate::error::UsageError;
use crate::results::whole;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The version of the files' form.
const SCHEMA: u32 = 1;

const DESCRIPTION: &str = "sweep.json";

/// The content of `sweep.json`.
#[derive(Serialize, Deserialize)]
struct Description {
    schema: u32,
    sweep_id: String,
    #[serde(flatten)]
    spec: SweepSpec,
}

/// The folder of a sweep.
#[derive(Debug)]
pub(crate) struct SweepFolder {
    path: PathBuf,
    /// Its name.
    id: String,
}

/// A cell that this process is at.
#[derive(Debug)]
pub(super) struct Claim {
    /// Where its run is to write; it is not there yet.
    pub(super) part: PathBuf,
    done: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

/// Reads what the sweep in this folder is made from.
///
/// # Errors
/// If it holds none.
pub(crate) fn read_spec(folder: &Path) -> Result<SweepSpec, UsageError> {
    Ok(read(folder)?.spec)
}

fn read(folder: &Path) -> Result<Description, UsageError> {
    let path = folder.join(DESCRIPTION);
    let bad = |problem: String| UsageError::new(path.display().to_string(), problem);
    let text = fs::read_to_string(&path).map_err(|error| bad(error.to_string()))?;
    let description: Description =
        serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    match description.schema {
        SCHEMA => Ok(description),
        other => Err(bad(format!(
            "its form is {other}: this program knows {SCHEMA}"
        ))),
    }
}

impl SweepFolder {
    /// The folder of this sweep, be it there yet or not.
    ///
    /// # Errors
    /// If it holds another sweep.
    pub(super) fn at(path: &Path, spec: &SweepSpec) -> Result<Self, UsageError> {
        let id = if path.join(DESCRIPTION).exists() {
            let there = read(path)?;
            if there.spec != *spec {
                let path = path.display();
                let problem =
                    format!("{path} holds another sweep: name another folder, or remove that one");
                return Err(UsageError::new("--out", problem));
            }
            there.sweep_id
        } else {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        Ok(Self {
            path: path.to_owned(),
            id,
        })
    }

    /// Makes the folder, unless it is there.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub(super) fn make(&self, spec: &SweepSpec) -> Result<(), UsageError> {
        let make = || -> Result<()> {
            fs::create_dir_all(self.path.join("cells"))?;
            if self.path.join(DESCRIPTION).exists() {
                return Ok(());
            }
            let description = Description {
                schema: SCHEMA,
                sweep_id: self.id.clone(),
                spec: spec.clone(),
            };
            let text = serde_json::to_string_pretty(&description)?;
            self.write(DESCRIPTION, format!("{text}\n").as_bytes())
        };
        make().map_err(|error| {
            let problem = format!("cannot write to {}: {error:#}", self.path.display());
            UsageError::new("--out", problem)
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of a cell's run in the files.
    pub(super) fn run_id(&self, cell: usize) -> String {
        format!("{}-{cell:04}", self.id)
    }

    /// The folder of a cell that is done.
    pub(super) fn cell(&self, cell: usize) -> PathBuf {
        self.path.join("cells").join(format!("{cell:04}"))
    }

    pub(super) fn is_done(&self, cell: usize) -> bool {
        self.cell(cell).is_dir()
    }

    /// Takes on a cell; `None` if another process is at it or has done it. What a process left
    /// behind that did not get done is removed.
    pub(super) fn claim(&self, cell: usize) -> Result<Option<Claim>> {
        let done = self.cell(cell);
        let (part, lock_path) = (done.with_extension("part"), done.with_extension("lock"));
        let claim = || -> io::Result<Option<Claim>> {
            let lock = File::create(&lock_path)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            if done.exists() {
                fs::remove_file(&lock_path)?;
                return Ok(None);
            }
            if part.exists() {
                fs::remove_dir_all(&part)?;
            }
            Ok(Some(Claim {
                part,
                done: done.clone(),
                lock_path: lock_path.clone(),
                _lock: lock,
            }))
        };
        claim().with_context(|| lock_path.display().to_string())
    }

    /// Writes a file, which is there as a whole or not at all.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        whole::write(&path, content).with_context(|| path.display().to_string())
    }
}

impl Claim {
    /// Its run is complete.
    pub(super) fn done(self) -> Result<()> {
        let rename = || -> io::Result<()> {
            fs::rename(&self.part, &self.done)?;
            fs::remove_file(&self.lock_path)
        };
        rename().with_context(|| self.done.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_sweep_and_a_cell_to_one_process() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("scaling");
        let spec = SweepSpec {
            repeat: 2,
            ..SweepSpec::default()
        };
        let folder = SweepFolder::at(&path, &spec).unwrap();
        assert!(!path.exists());
        folder.make(&spec).unwrap();
        assert_eq!(read_spec(&path).unwrap(), spec);
        assert_eq!(folder.run_id(3), "scaling-0003");
        let again = SweepFolder::at(&path, &spec).unwrap();
        let claim = folder.claim(0).unwrap().unwrap();
        assert!(again.claim(0).unwrap().is_none(), "it is taken");
        fs::create_dir(&claim.part).unwrap();
        // Its process ends before it is done.
        drop(claim);
        let claim = again.claim(0).unwrap().unwrap();
        assert!(!claim.part.exists(), "what was left behind");
        fs::create_dir(&claim.part).unwrap();
        claim.done().unwrap();
        assert!(again.is_done(0) && folder.claim(0).unwrap().is_none());
        let other = SweepFolder::at(&path, &SweepSpec::default()).unwrap_err();
        assert!(other.to_string().contains("another sweep"), "{other}");
    }
}
