//! Logs on disks that fail.

mod corruption;
mod crashes;
mod folders;
mod model;

use crate::faulty::FaultyFiles;
use crate::{Files, LogStore, OpenOptions, Opened, Owner, StorageError};
use ssmr_core::{Identity, ServiceVersion, Topology};
use ssmr_log::{LogEntry, LogPosition, Members, Record, Snapshot, Stored};
use std::path::Path;

/// Where the log is on a disk in memory.
const FOLDER: &str = "/data/p0r1";

fn owner(replicas: u8) -> Owner {
    Owner {
        replica: "p0r1".parse().unwrap(),
        cluster: Identity {
            incarnation: 7,
            service: ServiceVersion {
                name: "things".into(),
                version: 1,
            },
            strategy: "static".into(),
            topology: Topology::new(1, replicas).unwrap(),
        },
    }
}

/// One of three replicas, with a log that is synced.
fn options() -> OpenOptions {
    OpenOptions {
        owner: owner(3),
        sync: true,
        new_generation: 100,
    }
}

fn unsynced() -> OpenOptions {
    OpenOptions {
        sync: false,
        ..options()
    }
}

fn at(index: u64) -> LogPosition {
    LogPosition { term: 1, index }
}

fn batch(byte: u8, length: usize) -> LogEntry {
    LogEntry::Batch(vec![byte; length].into())
}

fn append(after: u64, entries: Vec<LogEntry>) -> Record {
    let after = at(after);
    Record::Append { after, entries }
}

fn vote(term: u64) -> Record {
    let voted_for = Some(ssmr_log::MemberId::new(1, 0));
    Record::Vote { term, voted_for }
}

fn snapshot(index: u64) -> Snapshot {
    Snapshot {
        last: at(index),
        members: Members::founders(3),
        state: vec![index as u8; 700].into(),
    }
}

fn open(files: &FaultyFiles) -> Opened<FaultyFiles> {
    try_open(files, &options()).unwrap()
}

fn try_open(
    files: &FaultyFiles,
    options: &OpenOptions,
) -> Result<Opened<FaultyFiles>, StorageError> {
    LogStore::open(files, Path::new(FOLDER), options)
}

/// What is stored, by opening it once more.
fn stored(files: &FaultyFiles) -> Stored {
    open(files).stored
}

/// The only file in the folder with this ending.
fn only(files: &FaultyFiles, ending: &str) -> std::path::PathBuf {
    let folder = Path::new(FOLDER);
    let mut names = files.names(folder).unwrap();
    names.retain(|name| name.ends_with(ending));
    assert_eq!(names.len(), 1, "{names:?}");
    folder.join(&names[0])
}
