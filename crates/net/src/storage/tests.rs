//! The log on disk, cut, broken and compacted.

use super::frames::{HEADER, whole as whole_frame};
use super::*;
use ssmr_log::Snapshot;
use ssmr_log::{LogPosition, MemberId};

fn vote(term: u64) -> Record {
    Record::Vote {
        term,
        voted_for: Some(MemberId::new(1, 0)),
    }
}

fn at(index: u64) -> LogPosition {
    LogPosition { term: 1, index }
}

fn entry(index: u64) -> Record {
    let batch = LogEntry::Batch(vec![index as u8; 40].into());
    Record::Append {
        after: at(index - 1),
        entries: vec![batch],
    }
}

fn open(folder: &Path, sync: bool) -> (LogStore, Stored) {
    let (log, stored) = LogStore::open(folder, sync).unwrap();
    (log, stored.expect("nothing can be lost"))
}

fn filled(folder: &Path) -> Stored {
    let (mut log, stored) = open(folder, true);
    assert_eq!(stored, Stored::default());
    log.append(vec![vote(1), entry(1)]).unwrap();
    log.append(vec![entry(2)]).unwrap();
    log.append(vec![entry(2), entry(3), vote(2)]).unwrap();
    drop(log);
    open(folder, true).1
}

#[test]
fn what_was_appended_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let stored = filled(folder.path());
    assert_eq!(
        (stored.term, stored.voted_for, stored.entries.len()),
        (2, Some(MemberId::new(1, 0)), 3)
    );
}

#[test]
fn a_torn_end_is_cut_at_the_last_whole_frame_wherever_it_tears() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let file = path(folder.path(), 1);
    let whole = std::fs::read(&file).unwrap();
    let mut counts = Vec::new();
    for length in 0..whole.len() {
        std::fs::write(&file, &whole[..length]).unwrap();
        let (mut log, stored) = open(folder.path(), true);
        counts.push(stored.entries.len());
        log.append(vec![vote(9)]).unwrap();
        drop(log);
        let (_, again) = open(folder.path(), true);
        assert_eq!((again.term, again.entries.len()), (9, stored.entries.len()));
    }
    assert!(counts.is_sorted());
    assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&2)));
}

#[test]
fn a_broken_middle_is_refused_with_file_and_offset() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let file = path(folder.path(), 1);
    let whole = std::fs::read(&file).unwrap();
    let second = HEADER + whole_frame(&whole).unwrap().len();
    for broken in [second, second + 5, second + HEADER + 3] {
        let mut bytes = whole.clone();
        bytes[broken] ^= 0x40;
        std::fs::write(&file, &bytes).unwrap();
        let error = LogStore::open(folder.path(), true).unwrap_err().to_string();
        assert!(error.contains("0000000001.log"), "{error}");
        assert!(error.contains(&format!("offset {second}")), "{error}");
    }
}

#[test]
fn a_round_larger_than_a_frame_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let batch = |byte| LogEntry::Batch(vec![byte; 5 << 20].into());
    let entries: Vec<LogEntry> = std::iter::once(LogEntry::Term(3))
        .chain((0..20).map(batch))
        .collect();
    let record = Record::Append {
        after: LogPosition::ZERO,
        entries: entries.clone(),
    };
    let (mut log, _) = open(folder.path(), false);
    log.append(vec![vote(3), record]).unwrap();
    drop(log);
    let (_, stored) = open(folder.path(), false);
    assert!(stored.entries == entries && stored.term == 3);
}

#[test]
fn an_open_log_is_not_opened_twice() {
    let folder = tempfile::tempdir().unwrap();
    let open = open(folder.path(), false);
    let second = LogStore::open(folder.path(), false);
    assert!(matches!(second, Err(StorageError::InUse { .. })));
    drop(open);
}

fn snapshot(index: u64) -> Snapshot {
    Snapshot {
        last: at(index),
        members: Default::default(),
        state: vec![7; 3000].into(),
    }
}

/// A log that was compacted at entry 2 of 4, before or after the old segments were removed.
fn compacted(folder: &Path, cleaned: bool) {
    let (mut log, _) = open(folder, true);
    log.append(vec![vote(1), entry(1), entry(2), entry(3)])
        .unwrap();
    let Record::Append { entries, .. } = entry(3) else {
        unreachable!()
    };
    let writer = log.begin_snapshot(at(2), entries).unwrap();
    log.append(vec![entry(4), vote(5)]).unwrap();
    writer.write(&snapshot(2)).unwrap();
    if cleaned {
        log.forget_below(writer.number()).unwrap();
    }
}

#[test]
fn a_snapshot_stands_for_what_is_before_it() {
    for cleaned in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        compacted(folder.path(), cleaned);
        for _ in 0..2 {
            let (_log, stored) = open(folder.path(), true);
            assert_eq!(stored.snapshot, Some(snapshot(2)));
            assert_eq!((stored.term, stored.entries.len()), (5, 2));
            assert_eq!(numbers(folder.path(), "log").unwrap(), [2]);
        }
    }
}

#[test]
fn an_unfinished_snapshot_stands_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path(), true);
    log.append(vec![vote(1), entry(1), entry(2)]).unwrap();
    let writer = log.begin_snapshot(at(2), Vec::new()).unwrap();
    writer.write(&snapshot(2)).unwrap();
    drop(log);
    let named = folder.path().join("0000000002.snapshot");
    std::fs::rename(&named, named.with_extension("unfinished")).unwrap();
    let (_log, stored) = open(folder.path(), true);
    assert_eq!((stored.snapshot, stored.entries.len()), (None, 2));
}

#[test]
fn a_broken_snapshot_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    compacted(folder.path(), true);
    let named = folder.path().join("0000000002.snapshot");
    let whole = std::fs::read(&named).unwrap();
    for place in [0, 40, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&named, bytes).unwrap();
        let error = LogStore::open(folder.path(), true).unwrap_err().to_string();
        assert!(error.contains("0000000002.snapshot"), "{error}");
    }
}

#[test]
fn an_installed_snapshot_takes_the_place_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path(), true);
    log.append(vec![vote(3), entry(1)]).unwrap();
    let install = Record::Install {
        snapshot: snapshot(9),
        entries: Vec::new(),
    };
    log.append(vec![install, entry(10)]).unwrap();
    drop(log);
    let (_log, stored) = open(folder.path(), true);
    assert_eq!(stored.base(), at(9));
    assert_eq!((stored.term, stored.entries.len()), (3, 1));
}

#[test]
fn an_unsynced_log_is_believed_after_its_process_died_and_not_after_the_machine_did() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path(), false);
    log.append(vec![vote(1), entry(1)]).unwrap();
    let mark = folder.path().join("unsynced");
    assert!(mark.exists());
    let this_boot = std::fs::read(&mark).unwrap();
    drop(log);
    assert!(!mark.exists(), "it was closed in order");

    std::fs::write(&mark, this_boot).unwrap();
    assert_eq!(open(folder.path(), false).1.entries.len(), 1);
    std::fs::write(&mark, "another boot").unwrap();
    let (log, stored) = LogStore::open(folder.path(), true).unwrap();
    assert_eq!(stored, None);
    drop(log);
    assert_eq!(open(folder.path(), true).1, Stored::default());
}
