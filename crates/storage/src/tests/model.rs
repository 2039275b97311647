//! A random history of one log, and what must be read back after it was cut off anywhere.

use super::*;
use crate::SnapshotWriter;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// What happens to the disk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Process or machine go down at this operation.
    Crash(u64),
    /// This sync fails.
    FailedSync(u64),
    /// There is room for so many bytes.
    Full(usize),
}

/// All that was acknowledged.
#[derive(Clone, Debug, Default)]
struct Acknowledged {
    /// Everything since an installed snapshot, with nothing compacted.
    all: Stored,
    /// Snapshots that were begun, by their last index.
    snapshots: BTreeMap<u64, Snapshot>,
}

impl Acknowledged {
    fn last(&self) -> u64 {
        self.all.base().index + self.all.entries.len() as u64
    }

    fn with(&self, record: Record) -> Self {
        let mut next = self.clone();
        if let Record::Install { snapshot, .. } = &record {
            next.snapshots.clear();
            next.snapshots.insert(snapshot.last.index, snapshot.clone());
        }
        next.all.add(record);
        next
    }

    /// Whether this is what was read back, behind whichever snapshot.
    fn is(&self, read: &Stored) -> bool {
        let promises = |stored: &Stored| (stored.generation, stored.term, stored.voted_for);
        let (base, first) = (read.base().index, self.all.base().index);
        let known = read.snapshot.as_ref() == self.snapshots.get(&base) || base == 0;
        let behind = base.checked_sub(first).map(|skipped| skipped as usize);
        let entries = behind.and_then(|skipped| self.all.entries.get(skipped..));
        promises(read) == promises(&self.all) && known && entries == Some(&read.entries)
    }
}

/// One log and its disk.
pub(super) struct History {
    pub(super) files: FaultyFiles,
    rng: ChaCha8Rng,
    options: OpenOptions,
    acknowledged: Acknowledged,
    /// What is stored as well if the last operation took effect before it failed.
    perhaps: Option<Acknowledged>,
    /// How often the memory was lost.
    pub(super) lost: u64,
    /// Nothing less than what was acknowledged may be read back.
    strict: bool,
}

type Log = LogStore<FaultyFiles>;

impl History {
    pub(super) fn new(seed: u64, sync: bool, fault: Fault) -> Self {
        let chance = match fault {
            Fault::Crash(number) | Fault::FailedSync(number) => number,
            Fault::Full(bytes) => bytes as u64,
        };
        let files = FaultyFiles::new(seed << 20 | chance);
        match fault {
            Fault::Crash(operation) => files.crash_at(operation),
            Fault::FailedSync(number) => files.fail_sync_in(number),
            Fault::Full(bytes) => files.set_room(Some(bytes)),
        }
        Self {
            files,
            rng: ChaCha8Rng::seed_from_u64(seed),
            options: OpenOptions { sync, ..options() },
            acknowledged: Acknowledged::default(),
            perhaps: None,
            lost: 0,
            strict: true,
        }
    }

    /// Opens, works, and opens again a few times. Returns whether nothing failed.
    pub(super) fn play(&mut self) -> bool {
        for _ in 0..3 {
            let Ok(log) = self.open() else { return false };
            if self.work(log).is_err() {
                return false;
            }
        }
        true
    }

    /// Opens the log and compares what is read with what was acknowledged.
    fn open(&mut self) -> Result<Log, StorageError> {
        self.options.new_generation += 1;
        let Opened {
            mut log,
            stored,
            lost,
        } = try_open(&self.files, &self.options)?;
        log.segment_bytes = 1500;
        let generation = stored.generation;
        let forgotten = Stored {
            generation,
            ..Stored::default()
        };
        let candidates = [Some(&self.acknowledged), self.perhaps.as_ref()];
        let believed = candidates.into_iter().flatten().find(|it| it.is(&stored));
        self.acknowledged = if let (None, Some(believed)) = (&lost, believed) {
            believed.clone()
        } else {
            let first = self.acknowledged.all == Stored::default() && lost.is_none();
            assert!(
                !self.strict || first,
                "{lost:?}: {stored:?} is not {:?}",
                self.acknowledged
            );
            assert_eq!(stored, forgotten);
            assert!(generation >= 100);
            self.lost += u64::from(!first);
            Acknowledged {
                all: forgotten,
                snapshots: BTreeMap::new(),
            }
        };
        self.perhaps = None;
        Ok(log)
    }

    fn work(&mut self, mut log: Log) -> std::io::Result<()> {
        let mut writer: Option<(SnapshotWriter<FaultyFiles>, Snapshot)> = None;
        for _ in 0..self.rng.random_range(4..14) {
            let last = self.acknowledged.last();
            let compacted = self
                .acknowledged
                .snapshots
                .keys()
                .last()
                .copied()
                .unwrap_or(0);
            match self.rng.random_range(0..10) {
                0..5 => {
                    // What no snapshot stands for may be replaced.
                    let replaces = self.rng.random_range(0..3) == 0;
                    let least = if replaces { compacted } else { last };
                    let after = self.rng.random_range(least..=last);
                    let entries = self.entries();
                    self.store(&mut log, append(after, entries))?;
                }
                5 => {
                    let term = self.acknowledged.all.term + 1;
                    self.store(&mut log, vote(term))?;
                }
                6 if writer.is_none() && last > compacted => {
                    let index = self.rng.random_range(compacted + 1..=last);
                    let skipped = (index - self.acknowledged.all.base().index) as usize;
                    let tail = self.acknowledged.all.entries[skipped..].to_vec();
                    let begun = log.begin_snapshot(tail)?;
                    self.acknowledged.snapshots.insert(index, snapshot(index));
                    writer = Some((begun, snapshot(index)));
                }
                7 | 8 => {
                    let Some((begun, snapshot)) = writer.take() else {
                        continue;
                    };
                    let number = begun.number();
                    begun.write(snapshot)?;
                    log.forget_below(number)?;
                }
                9 => {
                    let index = self.rng.random_range(compacted..last + 4) + 1;
                    let skipped = index - self.acknowledged.all.base().index;
                    let kept = self.acknowledged.all.entries.get(skipped as usize..);
                    let install = Record::Install {
                        snapshot: snapshot(index),
                        entries: kept.unwrap_or_default().to_vec(),
                    };
                    self.store(&mut log, install)?;
                    // One that was begun before may be written after it: it is older, and no use.
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn store(&mut self, log: &mut Log, record: Record) -> std::io::Result<()> {
        let next = self.acknowledged.with(record.clone());
        self.perhaps = Some(next.clone());
        log.append(vec![record])?;
        (self.acknowledged, self.perhaps) = (next, None);
        Ok(())
    }

    fn entries(&mut self) -> Vec<LogEntry> {
        let count = self.rng.random_range(1..5);
        let entry = |_| {
            let length = self.rng.random_range(0..1500);
            batch(self.rng.random(), length)
        };
        (0..count).map(entry).collect()
    }

    /// What failed is over. The process died, or the machine did if `power`: the log is opened
    /// again, perhaps not at the first attempt, and what was read then is read ever after.
    pub(super) fn recover(&mut self, power: bool) {
        self.restart(power);
        for _ in 0..2 {
            let attempt: u64 = self.rng.random_range(1..25);
            self.files.crash_at(self.files.operations() + attempt);
            // If it could be opened it is closed in order, or crashes meanwhile.
            drop(self.open());
            let power = power && self.rng.random();
            self.restart(power);
        }
        drop(self.open().unwrap());
        let read = self.acknowledged.all.clone();
        // Opened once, it is as good as appended: nothing that was read may be lost again.
        self.strict = true;
        if power && self.options.sync {
            self.files.fail_power();
        } else {
            self.files.kill();
        }
        drop(self.open().unwrap());
        assert_eq!(self.acknowledged.all, read);
        // It can be written to.
        let mut log = self.open().unwrap();
        let (last, entries) = (self.acknowledged.last(), self.entries());
        self.store(&mut log, append(last, entries)).unwrap();
        drop(log);
        drop(self.open().unwrap());
    }

    fn restart(&mut self, power: bool) {
        let before = self.files.faults().reordered;
        self.files.set_room(None);
        if power {
            self.files.fail_power();
        } else {
            self.files.kill();
        }
        // The end of an unsynced log may be lost; and of a write that was not over, parts may be
        // there that nobody can tell from one that was.
        let reordered = self.files.faults().reordered > before;
        self.strict &= !(power && (!self.options.sync || reordered));
    }
}
