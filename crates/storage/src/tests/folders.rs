//! Whom a folder belongs to, lost memory, locks, and snapshots beside the running log.

use super::*;
use crate::segments::FORMAT;
use crate::{Problem, RealFiles, verify};
use ssmr_core::mutant::{self, Mutant};

/// A log with something in it, closed.
fn used(files: &FaultyFiles, options: &OpenOptions) {
    let mut log = try_open(files, options).unwrap().log;
    log.append(vec![vote(4), append(0, vec![batch(1, 9), batch(2, 9)])])
        .unwrap();
}

type Change = fn(&mut Owner);

const OTHERS: [(Change, &str, &str, &str); 6] = [
    (
        |it| it.cluster.incarnation = 9,
        "cluster",
        "0000000000000007",
        "0000000000000009",
    ),
    (
        |it| it.cluster.service.name = "other".into(),
        "service",
        "things (version 1)",
        "other (version 1)",
    ),
    (
        |it| it.cluster.service.version = 2,
        "service",
        "things (version 1)",
        "things (version 2)",
    ),
    (
        |it| it.cluster.strategy = "global".into(),
        "strategy",
        "static",
        "global",
    ),
    (
        |it| it.cluster.topology = Topology::new(1, 5).unwrap(),
        "topology",
        "1 partitions of 3 replicas",
        "1 partitions of 5 replicas",
    ),
    (
        |it| it.replica = "p0r2".parse().unwrap(),
        "replica",
        "p0r1",
        "p0r2",
    ),
];

#[test]
fn another_owner_is_refused_with_both_values() {
    let files = FaultyFiles::new(1);
    used(&files, &options());
    for (change, what, stored, given) in OTHERS {
        let mut other = options();
        change(&mut other.owner);
        let error = try_open(&files, &other).unwrap_err();
        let StorageError::AnotherOwner {
            path,
            what: named,
            stored: had,
            given: has,
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!((path.as_path(), named.as_str()), (Path::new(FOLDER), what));
        assert_eq!((had.as_str(), has.as_str()), (stored, given));
        assert!(
            error
                .to_string()
                .starts_with("/data/p0r1 belongs to another"),
            "{error}"
        );
    }
    assert_eq!(stored(&files).entries.len(), 2);
}

#[test]
fn a_header_that_nobody_checks_would_be_noticed() {
    let files = FaultyFiles::new(1);
    used(&files, &options());
    let mut other = options();
    other.owner.replica = "p0r2".parse().unwrap();
    assert!(try_open(&files, &other).is_err());
    mutant::with(Some(Mutant::HeaderUnchecked), || {
        try_open(&files, &other).unwrap()
    });
}

#[test]
fn a_log_without_a_header_and_a_header_of_another_format_are_refused() {
    let files = FaultyFiles::new(1);
    used(&files, &options());
    let header = Path::new(FOLDER).join("identity.toml");
    let whole = files.read(&header).unwrap();
    let refused = |wanted: fn(&Problem) -> bool| {
        let error = try_open(&files, &options()).unwrap_err();
        let StorageError::Corrupted(finding) = &error else {
            panic!("{error}")
        };
        assert!(wanted(&finding.problem), "{error}");
    };
    files.rot(&header, |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let ours = format!("format = {FORMAT}");
        assert!(text.contains(&ours));
        *bytes = text.replace(&ours, "format = 99").into();
    });
    refused(|problem| *problem == Problem::UnknownFormat { found: 99 });
    files.rot(&header, |bytes| bytes.truncate(40));
    refused(|problem| matches!(problem, Problem::BrokenHeader { .. }));
    files.rot(&header, |bytes| bytes.clone_from(&whole));
    files.remove(&header).unwrap();
    refused(|problem| *problem == Problem::MissingHeader);
}

#[test]
fn a_torn_end_does_not_hide_that_the_header_is_missing() {
    let files = FaultyFiles::new(1);
    used(&files, &options());
    files.rot(&only(&files, ".log"), |bytes| bytes.extend([0; 7]));
    let header = Path::new(FOLDER).join("identity.toml");
    files.remove(&header).unwrap();
    let error = try_open(&files, &options()).unwrap_err();
    let StorageError::Corrupted(finding) = &error else {
        panic!("{error}")
    };
    assert_eq!(finding.problem, Problem::MissingHeader);
}

#[test]
fn an_unsynced_log_that_was_closed_is_believed_after_the_machine_went_down() {
    let files = FaultyFiles::new(1);
    used(&files, &unsynced());
    files.fail_power();
    let opened = try_open(&files, &unsynced()).unwrap();
    assert_eq!((opened.stored.entries.len(), opened.lost), (2, None));
}

#[test]
fn an_unsynced_log_that_was_open_when_the_machine_went_down_is_set_aside() {
    let files = FaultyFiles::new(1);
    used(&files, &unsynced());
    let mut log = try_open(&files, &unsynced()).unwrap().log;
    log.append(vec![append(2, vec![batch(3, 9)])]).unwrap();
    files.crash_at(files.operations() + 1);
    drop(log);
    files.fail_power();
    let alone = OpenOptions {
        owner: owner(1),
        ..unsynced()
    };
    assert!(try_open(&files, &alone).is_err());
    let opened = try_open(&files, &unsynced()).unwrap();
    let lost = opened.lost.unwrap();
    assert_eq!(lost.finding.problem, Problem::UnsyncedEnd);
    let aside = lost.set_aside;
    assert_eq!(aside, Path::new(FOLDER).join("set-aside-3"));
    // The checkpoint with the two entries was synced.
    assert!(
        files
            .names(&aside)
            .unwrap()
            .iter()
            .any(|name| name.ends_with(".checkpoint"))
    );
    assert_eq!(
        opened.stored,
        Stored {
            generation: 101,
            ..Stored::default()
        }
    );
    drop(opened.log);
    // The new generation survives whatever comes now.
    files.fail_power();
    assert_eq!(
        try_open(&files, &unsynced()).unwrap().stored.generation,
        101
    );
}

#[test]
fn the_only_replica_of_a_group_is_told_what_it_can_do_about_an_unsynced_end() {
    let files = FaultyFiles::new(1);
    let alone = OpenOptions {
        owner: owner(1),
        ..unsynced()
    };
    used(&files, &alone);
    let log = try_open(&files, &alone).unwrap().log;
    files.crash_at(files.operations() + 1);
    drop(log);
    files.fail_power();
    let error = try_open(&files, &alone).unwrap_err().to_string();
    assert!(error.ends_with("remove /data/p0r1/unsynced"), "{error}");
    files.remove(&Path::new(FOLDER).join("unsynced")).unwrap();
    assert_eq!(try_open(&files, &alone).unwrap().stored.entries.len(), 2);
}

/// Whoever finds nothing cannot know whether something was there before: an empty folder, too,
/// begins a generation above 0, once.
#[test]
fn a_new_folder_begins_a_generation() {
    for replicas in [1, 3] {
        let files = FaultyFiles::new(1);
        let new = OpenOptions {
            owner: owner(replicas),
            ..options()
        };
        let begun = Stored {
            generation: 100,
            ..Stored::default()
        };
        let later = OpenOptions {
            new_generation: 200,
            ..new.clone()
        };
        for options in [new, later] {
            let opened = try_open(&files, &options).unwrap();
            assert_eq!((&opened.stored, opened.lost), (&begun, None));
        }
    }
}

#[test]
fn generations_grow_whatever_the_calendar_says() {
    let files = FaultyFiles::new(1);
    used(&files, &unsynced());
    for generation in [101, 102, 103] {
        let log = try_open(&files, &unsynced()).unwrap().log;
        files.crash_at(files.operations() + 1);
        drop(log);
        files.fail_power();
        let opened = try_open(&files, &unsynced()).unwrap();
        assert_eq!(opened.stored.generation, generation);
    }
}

#[test]
fn an_open_log_is_neither_opened_nor_verified_by_others() {
    let files = FaultyFiles::new(1);
    let first = open(&files);
    let second = try_open(&files, &options());
    assert!(matches!(second, Err(StorageError::InUse { .. })));
    let verified = verify(&files, Path::new(FOLDER));
    assert!(matches!(verified, Err(StorageError::InUse { .. })));
    drop(first);
    open(&files);
}

#[test]
fn a_log_that_failed_takes_nothing_more() {
    let files = FaultyFiles::new(1);
    let mut log = open(&files).log;
    files.fail_sync_in(0);
    assert!(log.append(vec![vote(1)]).is_err());
    assert!(log.append(vec![vote(2)]).is_err());
    assert!(log.begin_snapshot(Vec::new()).is_err());
    drop(log);
    // What was read after a failed sync is stored before anybody believes it.
    let read = stored(&files);
    files.fail_power();
    assert_eq!(stored(&files), read);
}

#[test]
fn a_tail_takes_nothing_away_wherever_its_checkpoint_is_cut_off() {
    let entries: Vec<LogEntry> = (1..=9).map(|byte| batch(byte, 2000)).collect();
    let operations = |files: &FaultyFiles| {
        let mut log = open(files).log;
        log.append(vec![append(0, entries.clone())]).unwrap();
        (log, files.operations())
    };
    for crash in 1.. {
        let files = FaultyFiles::new(crash);
        let (mut log, before) = operations(&files);
        files.crash_at(before + crash);
        let written = log.begin_snapshot(entries[1..].to_vec());
        let written = written.and_then(|writer| writer.write(snapshot(1)));
        drop(log);
        if crash % 2 == 0 {
            files.fail_power();
        } else {
            files.kill();
        }
        let read = stored(&files);
        assert!(read.base().index + read.entries.len() as u64 == 9);
        assert!(entries.ends_with(&read.entries));
        if written.is_ok() {
            return;
        }
    }
}

#[test]
fn verifying_changes_nothing_and_says_what_is_there() {
    let files = FaultyFiles::new(1);
    used(&files, &options());
    let mut log = open(&files).log;
    log.append(vec![append(2, vec![batch(3, 9)]), vote(5)])
        .unwrap();
    drop(log);
    let operations = files.operations();
    let report = verify(&files, Path::new(FOLDER)).unwrap();
    assert_eq!(files.operations(), operations);
    assert_eq!(report.owner, Some(owner(3)));
    assert_eq!(
        (report.term, report.entries, report.generation),
        (5, 3, 100)
    );
    assert_eq!(report.checkpoint.map(|it| it.entries), Some(2));
    assert_eq!(
        report
            .segments
            .iter()
            .map(|it| (it.frames, it.entries))
            .collect::<Vec<_>>(),
        [(1, 1)]
    );
    assert!(report.findings.is_empty() && report.leftovers.is_empty() && report.is_sound());
    let nowhere = verify(&files, Path::new("/nowhere"));
    assert!(matches!(nowhere, Err(StorageError::Io { .. })));
}

/// The same on the files of this machine.
#[test]
fn real_files_keep_a_log() {
    let within = tempfile::tempdir().unwrap();
    let folder = within.path().join("logs").join("p0r1");
    let open = |options: &OpenOptions| LogStore::open(&RealFiles, &folder, options).unwrap();
    for options in [unsynced(), options()] {
        let Opened {
            mut log, stored, ..
        } = open(&options);
        assert_eq!(log.folder(), folder);
        let last = stored.base().index + stored.entries.len() as u64;
        let more = (0..4).map(|byte| batch(byte, 40)).collect();
        log.append(vec![vote(last + 1), append(last, more)])
            .unwrap();
        let again = LogStore::open(&RealFiles, &folder, &options);
        assert!(matches!(again, Err(StorageError::InUse { .. })));
        let tail = vec![batch(2, 40), batch(3, 40)];
        let writer = log.begin_snapshot(tail).unwrap();
        log.append(vec![append(last + 4, vec![batch(9, 40)])])
            .unwrap();
        let number = writer.number();
        let written = std::thread::spawn(move || writer.write(snapshot(last + 2)));
        written.join().unwrap().unwrap();
        log.forget_below(number).unwrap();
        assert_eq!(folder.join("unsynced").exists(), !options.sync);
        drop(log);
        assert!(!folder.join("unsynced").exists(), "it was closed in order");
        let read = open(&options).stored;
        assert_eq!(read.snapshot, Some(snapshot(last + 2)));
        assert_eq!((read.term, read.entries.len()), (last + 1, 3));
        assert!(verify(&RealFiles, &folder).unwrap().is_sound());
    }
}
