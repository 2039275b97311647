//! Files that are not as they were written: told with file and offset, or cut, but never believed.

use super::*;
use crate::frames::{self, Found, look};
use crate::segments::Header;
use crate::{Finding, Problem, segments, verify};
use std::path::PathBuf;

/// A synced log of `count` appends of one entry each, closed. Returns its segment.
fn filled(files: &FaultyFiles, count: u64) -> PathBuf {
    let mut log = open(files).log;
    log.append(vec![vote(3)]).unwrap();
    for index in 1..=count {
        log.append(vec![append(index - 1, vec![batch(index as u8, 60)])])
            .unwrap();
    }
    only(files, ".log")
}

/// Where the frames of a segment begin, and where it ends.
fn frames_of(files: &FaultyFiles, segment: &Path) -> Vec<usize> {
    let bytes = files.read(segment).unwrap();
    let number = segment
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let key = Header::read(&bytes, number).unwrap().key();
    let mut places = vec![segments::HEADER];
    while let Found::Whole(payload) = look(key, &bytes, *places.last().unwrap()) {
        places.push(places.last().unwrap() + frames::HEADER + payload.len());
    }
    assert_eq!(places.last(), Some(&bytes.len()));
    places
}

fn refused(files: &FaultyFiles) -> Finding {
    match try_open(files, &options()) {
        Err(StorageError::Corrupted(finding)) => finding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_torn_end_is_cut_at_the_last_whole_frame_wherever_it_tears() {
    let whole = FaultyFiles::new(1);
    let segment = filled(&whole, 3);
    let places = frames_of(&whole, &segment);
    for length in segments::HEADER..*places.last().unwrap() {
        let files = FaultyFiles::new(1);
        filled(&files, 3);
        files.rot(&segment, |bytes| bytes.truncate(length));
        let report = verify(&files, Path::new(FOLDER)).unwrap();
        let torn = !places.contains(&length);
        assert_eq!(report.findings.len(), usize::from(torn));
        assert!(report.is_sound());
        let entries = places.iter().filter(|place| **place <= length).count() as u64;
        let read = stored(&files);
        // The first frame is the vote.
        assert_eq!(read.entries.len() as u64, entries.saturating_sub(2));
        assert_eq!(report.entries, read.entries.len() as u64);
        assert_eq!(stored(&files), read);
    }
}

#[test]
fn a_broken_middle_is_refused_with_file_and_offset_and_left_alone() {
    let files = FaultyFiles::new(1);
    let segment = filled(&files, 3);
    let places = frames_of(&files, &segment);
    let whole = files.read(&segment).unwrap();
    for broken in places[1]..places[2] {
        files.rot(&segment, |bytes| bytes[broken] ^= 0x40);
        let finding = refused(&files);
        assert_eq!(
            (&finding.path, finding.offset),
            (&segment, Some(places[1] as u64))
        );
        assert_eq!(finding.problem, Problem::BrokenFrame);
        let report = verify(&files, Path::new(FOLDER)).unwrap();
        assert_eq!(report.findings, [finding]);
        // All the others are seen.
        assert_eq!(report.segments[0].frames, 3);
        files.rot(&segment, |bytes| bytes.clone_from(&whole));
    }
    assert_eq!(stored(&files).entries.len(), 3);
}

#[test]
fn rot_in_the_last_frame_is_lost_memory_and_no_torn_write() {
    let whole = FaultyFiles::new(1);
    let segment = filled(&whole, 3);
    let places = frames_of(&whole, &segment);
    for broken in places[3]..places[4] {
        let files = FaultyFiles::new(1);
        filled(&files, 3);
        files.rot(&segment, |bytes| bytes[broken] ^= 1);
        let opened = open(&files);
        let lost = opened.lost.unwrap();
        let finding = lost.finding;
        assert_eq!(
            (finding.path, finding.offset),
            (segment.clone(), Some(places[3] as u64))
        );
        assert_eq!(
            opened.stored,
            Stored {
                generation: 101,
                ..Stored::default()
            }
        );
        let aside = lost.set_aside;
        assert!(
            files
                .read(&aside.join(segment.file_name().unwrap()))
                .is_ok()
        );
        drop(opened.log);
        // The new generation is stored, and not lost again.
        let again = open(&files);
        assert_eq!((again.stored.generation, again.lost), (101, None));
    }
}

/// Killed wherever it is while it comes back: the new generation is stored, or what was there still
/// says that one must begin; and in the end all of that is set aside.
#[test]
fn lost_memory_is_set_aside_wherever_the_opening_is_killed() {
    for crash in 1.. {
        let files = FaultyFiles::new(crash);
        let segment = filled(&files, 3);
        files.rot(&segment, |bytes| *bytes.last_mut().unwrap() ^= 1);
        files.crash_at(files.operations() + crash);
        let opened = try_open(&files, &options()).is_ok();
        files.kill();
        let read = stored(&files);
        assert!(read.generation >= 100 && read.entries.is_empty());
        let folders = files.names(Path::new(FOLDER)).unwrap();
        let mut asides = folders.iter().filter(|name| name.starts_with("set-aside-"));
        let name = segment.file_name().unwrap();
        let kept = |aside: &String| {
            files
                .read(&Path::new(FOLDER).join(aside).join(name))
                .is_ok()
        };
        assert!(asides.any(kept), "{crash}: {folders:?}");
        if opened {
            return;
        }
    }
}

#[test]
fn the_only_replica_of_a_group_refuses_a_doubtful_end_until_it_is_cut() {
    let files = FaultyFiles::new(1);
    let alone = OpenOptions {
        owner: owner(1),
        ..options()
    };
    let mut log = try_open(&files, &alone).unwrap().log;
    for index in 1..=2 {
        log.append(vec![append(index - 1, vec![batch(1, 60)])])
            .unwrap();
    }
    drop(log);
    let segment = only(&files, ".log");
    let places = frames_of(&files, &segment);
    files.rot(&segment, |bytes| *bytes.last_mut().unwrap() ^= 1);
    let before = files.read(&segment).unwrap();
    let error = try_open(&files, &alone).unwrap_err().to_string();
    let place = format!("{}, offset {}", segment.display(), places[1]);
    assert!(
        error.contains(&place) && error.contains("cut the file off there"),
        "{error}"
    );
    assert_eq!(files.read(&segment).unwrap(), before);
    files.rot(&segment, |bytes| bytes.truncate(places[1]));
    assert_eq!(try_open(&files, &alone).unwrap().stored.entries.len(), 1);
}

#[test]
fn a_value_cannot_make_a_torn_end_look_like_a_broken_middle() {
    let files = FaultyFiles::new(1);
    let mut log = open(&files).log;
    log.append(vec![append(0, vec![batch(1, 60)])]).unwrap();
    drop(log);
    // The worst that a client can send: whole frames, as they stand in the file.
    let copied = files.read(&only(&files, ".log")).unwrap();
    let mut log = open(&files).log;
    let forged = LogEntry::Batch([copied.as_slice(), &[0; 99]].concat().into());
    log.append(vec![append(1, vec![forged.clone()])]).unwrap();
    drop(log);
    let segment = only(&files, ".log");
    files.rot(&segment, |bytes| bytes.truncate(bytes.len() - 5));
    let opened = open(&files);
    assert_eq!((opened.stored.entries.len(), opened.lost), (1, None));
}

/// Three segments behind a checkpoint, of one entry each.
fn segmented(files: &FaultyFiles) -> Vec<PathBuf> {
    let mut log = open(files).log;
    log.segment_bytes = 1;
    let first = files.names(Path::new(FOLDER)).unwrap();
    for index in 1..=3 {
        log.append(vec![append(index - 1, vec![batch(1, 60)])])
            .unwrap();
    }
    drop(log);
    let names = files.names(Path::new(FOLDER)).unwrap().into_iter();
    let paths = names.filter(|name| name.ends_with(".log") && !first.contains(name));
    paths.map(|name| Path::new(FOLDER).join(name)).collect()
}

#[test]
fn a_gap_between_segments_is_refused_by_name() {
    for missing in 0..2 {
        let files = FaultyFiles::new(1);
        let segments = segmented(&files);
        files.remove(&segments[missing]).unwrap();
        let finding = refused(&files);
        assert_eq!(
            (finding.path, finding.problem),
            (segments[missing].clone(), Problem::MissingSegment)
        );
    }
    let files = FaultyFiles::new(1);
    filled(&files, 1);
    files.remove(&only(&files, ".log")).unwrap();
    assert_eq!(refused(&files).problem, Problem::MissingSegment);
    let files = FaultyFiles::new(1);
    filled(&files, 1);
    files.remove(&only(&files, ".checkpoint")).unwrap();
    assert_eq!(refused(&files).problem, Problem::MissingCheckpoint);
}

#[test]
fn a_segment_that_lost_whole_frames_is_refused_by_its_length() {
    let files = FaultyFiles::new(1);
    let segments = segmented(&files);
    files.rot(&segments[1], |bytes| bytes.truncate(segments::HEADER));
    let finding = refused(&files);
    assert_eq!(finding.path, segments[1]);
    assert!(
        matches!(finding.problem, Problem::WrongLength { .. }),
        "{finding}"
    );
}

#[test]
fn segments_and_frames_count_only_where_they_were_written() {
    let files = FaultyFiles::new(1);
    let segments = segmented(&files);
    let whole: Vec<Vec<u8>> = segments
        .iter()
        .map(|path| files.read(path).unwrap())
        .collect();
    // Another segment's file.
    files.rot(&segments[2], |bytes| bytes.clone_from(&whole[1]));
    assert_eq!(refused(&files).problem, Problem::BrokenSegmentHeader);
    // Another segment's frame, as if it were the last one of this.
    let header = segments::HEADER;
    files.rot(&segments[2], |bytes| {
        bytes.clone_from(&whole[2]);
        bytes.truncate(header);
        bytes.extend_from_slice(&whole[1][header..]);
    });
    let lost = open(&files).lost.unwrap();
    assert!(matches!(lost.finding.problem, Problem::DoubtfulEnd { .. }));
}

#[test]
fn an_append_behind_the_end_is_refused() {
    let files = FaultyFiles::new(1);
    let mut log = open(&files).log;
    log.append(vec![append(0, vec![batch(1, 9)])]).unwrap();
    log.append(vec![append(2, vec![batch(1, 9)])]).unwrap();
    drop(log);
    assert_eq!(
        refused(&files).problem,
        Problem::BeyondEnd { after: 2, end: 1 }
    );
}

#[test]
fn every_changed_bit_of_a_checkpoint_is_refused_by_name() {
    let files = FaultyFiles::new(1);
    let mut log = open(&files).log;
    log.append(vec![append(0, vec![batch(1, 9), batch(2, 9)])])
        .unwrap();
    let writer = log.begin_snapshot(vec![batch(2, 9)]).unwrap();
    let number = writer.number();
    writer.write(snapshot(1)).unwrap();
    log.forget_below(number).unwrap();
    drop(log);
    let path = only(&files, ".checkpoint");
    let whole = files.read(&path).unwrap();
    for place in (0..whole.len()).step_by(7) {
        files.rot(&path, |bytes| bytes[place] ^= 1);
        assert_eq!(refused(&files).path, path);
        files.rot(&path, |bytes| bytes.clone_from(&whole));
    }
    let read = stored(&files);
    assert_eq!((read.snapshot, read.entries.len()), (Some(snapshot(1)), 1));
}

#[test]
fn a_torn_end_of_many_megabytes_is_judged_in_no_time() {
    let files = FaultyFiles::new(1);
    let segment = filled(&files, 1);
    let end = files.read(&segment).unwrap().len();
    // A header that is whole, and nothing right behind it: every place is looked at.
    files.rot(&segment, |bytes| bytes.resize(end + (16 << 20), 0xa5));
    let opened = open(&files);
    let finding = opened.lost.unwrap().finding;
    assert_eq!(finding.offset, Some(end as u64));
}

#[test]
fn an_append_of_many_megabytes_is_there_as_a_whole_or_not_at_all() {
    let entries: Vec<LogEntry> = (0..5).map(|byte| batch(byte, 5 << 20)).collect();
    for torn in [false, true] {
        let files = FaultyFiles::new(1);
        let mut log = open(&files).log;
        log.append(vec![append(0, entries.clone())]).unwrap();
        log.append(vec![append(0, entries.clone())]).unwrap();
        drop(log);
        let segment = only(&files, ".log");
        if torn {
            files.rot(&segment, |bytes| bytes.truncate(bytes.len() - (9 << 20)));
        }
        // The first one is there whatever became of the second.
        assert!(stored(&files).entries == entries);
    }
}

/// Whatever bit of whatever file changes: what is read is right, or nothing is read.
#[test]
fn no_changed_bit_goes_unnoticed() {
    let make = || {
        let files = FaultyFiles::new(1);
        let mut log = try_open(&files, &unsynced()).unwrap().log;
        log.segment_bytes = 400;
        log.append(vec![vote(3), append(0, vec![batch(1, 30), batch(2, 30)])])
            .unwrap();
        let writer = log.begin_snapshot(vec![batch(2, 30)]).unwrap();
        let number = writer.number();
        for index in 3..6 {
            log.append(vec![append(index - 1, vec![batch(index as u8, 150)])])
                .unwrap();
        }
        writer.write(snapshot(1)).unwrap();
        log.forget_below(number).unwrap();
        // Its process dies: the mark is left.
        files.crash_at(files.operations() + 1);
        drop(log);
        files.kill();
        files
    };
    let whole = make();
    let right = try_open(&whole, &unsynced()).unwrap().stored;
    assert_eq!(right.entries.len(), 4);
    let names = make().names(Path::new(FOLDER)).unwrap();
    let mut outcomes = [0; 3];
    for name in names.iter().filter(|name| *name != "lock") {
        let path = Path::new(FOLDER).join(name);
        let length = make().read(&path).unwrap().len();
        for place in 0..length {
            let files = make();
            files.rot(&path, |bytes| bytes[place] ^= 1 << (place % 8));
            let report = verify(&files, Path::new(FOLDER)).unwrap();
            match try_open(&files, &unsynced()) {
                Ok(Opened {
                    stored, lost: None, ..
                }) => {
                    assert_eq!(stored, right, "{name} {place}");
                    assert!(report.is_sound());
                    outcomes[0] += 1;
                }
                Ok(Opened { lost: Some(_), .. }) => {
                    assert!(!report.is_sound());
                    outcomes[1] += 1;
                }
                Err(_) => outcomes[2] += 1,
            }
        }
    }
    // Comments may change; of the last frame nobody knows; most is refused.
    assert!(
        outcomes[0] < 100 && outcomes[1] > 100 && outcomes[2] > 1000,
        "{outcomes:?}"
    );
}
