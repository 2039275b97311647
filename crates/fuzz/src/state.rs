//! What replicas store, and give to each other to be stored.
//!
//! Other replicas and the disk are believed as to what is said, so nothing is fed to a machine: it
//! decodes, or not.

use crate::messages::{MEMORY, comes_back};
use crate::samples;
use crate::service::Numbers;
use crate::{Seed, Target};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::{Identity, PartitionId, ReplicaId, ServiceVersion, Topology, codec};
use ssmr_log::{LogEntry, LogPosition, Members, Record, Snapshot, Stored};
use ssmr_multicast::Batch;
use ssmr_storage::faulty::FaultyFiles;
use ssmr_storage::{AppendFile, Files, LogStore, OpenOptions, Owner, fuzzing, verify};
use std::path::Path;

/// Entries of a group's log.
pub(crate) const LOG_ENTRY: Target = Target {
    name: "log_entry",
    run: comes_back::<Batch>,
    seeds: || {
        let minutes = samples::minutes("broker");
        let entries = minutes.records.into_iter().flat_map(|record| match record {
            Record::Append { entries, .. } => entries,
            _ => Vec::new(),
        });
        let mut batches: Vec<Vec<u8>> = entries
            .filter_map(|entry| match entry {
                LogEntry::Batch(bytes) => Some(bytes.into()),
                _ => None,
            })
            .collect();
        batches.sort_unstable();
        batches.dedup_by_key(|batch| batch.len());
        batches.truncate(24);
        samples::numbered(batches)
    },
    memory: MEMORY,
};

/// The state in a snapshot: the order's part and the engine's.
pub(crate) const SNAPSHOT: Target = Target {
    name: "snapshot",
    run: |bytes| {
        let bytes = Bytes::copy_from_slice(bytes);
        let Some((order, engine)) = ssmr_multicast::fuzzing::snapshot_parts(&bytes) else {
            return false;
        };
        let Some(engine) = ssmr_core::fuzzing::engine_state::<Numbers>(&engine) else {
            return false;
        };
        // Maps may change their order, and a set lose what is in it twice; then nothing changes.
        let length = (order.len() as u64).to_le_bytes();
        let again = Bytes::from([&length[..], &order, &engine].concat());
        let parts = ssmr_multicast::fuzzing::snapshot_parts(&again);
        let (order_again, engine_again) = parts.expect("what was encoded decodes");
        let state = ssmr_core::fuzzing::engine_state::<Numbers>(&engine_again);
        let state = state.expect("what was encoded decodes");
        assert_eq!(
            (order_again.len(), state.len()),
            (order.len(), engine.len())
        );
        true
    },
    seeds: || {
        let minutes = ["broker", "global"].map(samples::minutes).into_iter();
        let states = minutes.flat_map(|minutes| minutes.snapshots);
        let mut states: Vec<Vec<u8>> = states.map(|snapshot| snapshot.state.into()).collect();
        states.dedup_by_key(|state| state.len());
        states.truncate(12);
        samples::numbered(states)
    },
    memory: MEMORY,
};

/// A data folder with any files in it, some of them with right checks.
pub(crate) const DATA_FOLDER: Target = Target {
    name: "data_folder",
    run,
    seeds,
    memory: MEMORY,
};

/// A file in the folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Part {
    /// Any name and content.
    Any(String, Bytes),
    /// The header of the replica that opens the folder.
    Header,
    /// A checkpoint with right checks.
    Checkpoint(u64, Bytes),
    /// A segment with right checks, behind one of some length.
    Segment(u64, u64, Vec<Bytes>),
}

impl Part {
    fn file(self) -> (String, Bytes) {
        match self {
            Self::Any(name, content) => (name.replace('/', ""), content),
            Self::Header => {
                let text = fuzzing::write_owner(&owner()).expect("it can be written");
                ("identity.toml".to_owned(), text.into())
            }
            Self::Checkpoint(number, content) => {
                let file = fuzzing::checkpoint(number, &content);
                (format!("{number:010}.checkpoint"), file.into())
            }
            Self::Segment(number, previous, frames) => {
                let file = fuzzing::segment(number, previous, &frames);
                (format!("{number:010}.log"), file.into())
            }
        }
    }
}

/// Whose folder it is.
pub(crate) fn owner() -> Owner {
    let topology = Topology::new(2, 3).expect("it is possible");
    Owner {
        replica: ReplicaId {
            group: PartitionId(0).into(),
            index: 1,
        },
        cluster: Identity {
            incarnation: 7,
            service: ServiceVersion::of::<Numbers>(),
            strategy: "static".to_owned(),
            topology,
        },
    }
}

/// Each part of the input is a file, or left out. What is said of the folder must be what comes of
/// opening it, and what was opened once is opened again as it was.
fn run(bytes: &[u8]) -> bool {
    let (files, folder) = (FaultyFiles::new(1), Path::new("/p0r1"));
    files.create_folder(folder).expect("there is room");
    let mut all_known = true;
    for part in samples::parts(bytes) {
        let Ok(part) = codec::decode::<Part>(&part) else {
            all_known = false;
            continue;
        };
        let (name, content) = part.file();
        if !name.is_empty() {
            let mut file = files.create(&folder.join(name)).expect("there is room");
            file.append(&content).expect("there is room");
        }
    }
    let report = verify(&files, folder).expect("it can be read");
    let options = OpenOptions {
        owner: owner(),
        sync: true,
        new_generation: 9,
    };
    let Ok(opened) = LogStore::open(&files, folder, &options) else {
        let ours = report.owner.as_ref().is_none_or(|found| *found == owner());
        let numbered = report
            .checkpoint
            .as_ref()
            .is_none_or(|last| last.number < u64::MAX);
        assert!(!(report.is_sound() && ours && numbered), "{report:?}");
        return false;
    };
    if report.is_sound() && report.owner.is_some() {
        assert_eq!(opened.stored.generation, report.generation);
        assert_eq!(opened.stored.entries.len() as u64, report.entries);
    }
    let stored = opened.stored.clone();
    drop(opened);
    let again = LogStore::open(&files, folder, &options).expect("it was opened before");
    assert_eq!((&again.stored, &again.lost), (&stored, &None));
    all_known && report.is_sound()
}

fn seeds() -> Vec<Seed> {
    let minutes = samples::minutes("static");
    let at = LogPosition { term: 1, index: 3 };
    let snapshot = Snapshot {
        last: at,
        members: Members::founders(3),
        state: Bytes::from_static(b"state"),
    };
    let stored = Stored {
        generation: 4,
        term: 2,
        snapshot: Some(snapshot.clone()),
        entries: vec![LogEntry::Term(2)],
        ..Stored::default()
    };
    let frames = |records: &[Record]| -> Vec<Bytes> {
        let one_each = records
            .chunks(3)
            .map(|records| codec::encode(&records.to_vec()));
        one_each.collect()
    };
    let none = codec::encode(&Stored::default());
    let from_nothing: Vec<Record> = minutes.records.into_iter().take(12).collect();
    let behind = [
        Record::Vote {
            term: 3,
            voted_for: None,
        },
        Record::Append {
            after: LogPosition { term: 2, index: 4 },
            entries: vec![LogEntry::Term(3), LogEntry::Batch(Bytes::from_static(b"b"))],
        },
        Record::Install {
            snapshot,
            entries: Vec::new(),
        },
        Record::Generation(5),
    ];
    let first = fuzzing::segment(1, 0, &frames(&behind));
    let folders: [(&str, Vec<Part>); 4] = [
        ("empty", vec![Part::Any("lock".into(), Bytes::new())]),
        (
            "of-one-life",
            vec![
                Part::Header,
                Part::Checkpoint(1, none),
                Part::Segment(1, 0, frames(&from_nothing)),
            ],
        ),
        (
            "two-segments",
            vec![
                Part::Header,
                Part::Checkpoint(1, codec::encode(&stored)),
                Part::Segment(1, 0, frames(&behind)),
                Part::Segment(2, first.len() as u64, frames(&behind[..1])),
            ],
        ),
        (
            "as-bytes",
            vec![
                Part::Header,
                Part::Any(
                    "0000000001.checkpoint".into(),
                    fuzzing::checkpoint(1, &codec::encode(&stored)).into(),
                ),
                Part::Any("0000000001.log".into(), first.into()),
                Part::Any("0000000002.log.unfinished".into(), Bytes::new()),
            ],
        ),
    ];
    let folders = folders.into_iter();
    let seed = |(name, parts): (&str, Vec<Part>)| {
        Seed::new(name, samples::join(parts.iter().map(codec::encode)))
    };
    folders.map(seed).collect()
}
