//! The machine behind a disk that fails: what its cache holds, what the disk holds, and what
//! becomes of the difference.

use super::Faults;
use crate::files::folder_of;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Weak;

/// What a disk writes in one piece.
const SECTOR: usize = 512;

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) rng: ChaCha8Rng,
    pub(super) contents: Vec<Content>,
    /// As the system sees the names.
    pub(super) names: BTreeMap<PathBuf, Node>,
    /// As the disk has them.
    durable_names: BTreeMap<PathBuf, Node>,
    /// What was done to names since, in order.
    changes: Vec<Change>,
    pub(super) locks: BTreeMap<PathBuf, Weak<()>>,
    pub(super) boot: u64,
    /// Operations that change something, since the start.
    pub(super) operations: u64,
    pub(super) crash_at: Option<u64>,
    pub(super) crashed: bool,
    pub(super) syncs: u64,
    pub(super) fail_sync_at: Option<u64>,
    pub(super) room: Option<usize>,
    pub(super) faults: Faults,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    /// The number of its content.
    File(usize),
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) cached: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Writes that the disk has not been given yet.
    pub(super) dirty: Vec<Range<usize>>,
}

/// A change of the names in one folder, which happens as a whole or not at all.
#[derive(Debug)]
pub(super) struct Change {
    folder: PathBuf,
    added: Option<(PathBuf, Node)>,
    removed: Option<PathBuf>,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        let root = BTreeMap::from([(PathBuf::from("/"), Node::Folder)]);
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            contents: Vec::new(),
            names: root.clone(),
            durable_names: root,
            changes: Vec::new(),
            locks: BTreeMap::new(),
            boot: 1,
            operations: 0,
            crash_at: None,
            crashed: false,
            syncs: 0,
            fail_sync_at: None,
            room: None,
            faults: Faults::default(),
        }
    }

    pub(super) fn restart(&mut self) {
        (self.crashed, self.crash_at, self.fail_sync_at) = (false, None, None);
        self.locks.clear();
    }

    pub(super) fn heal(&mut self) {
        (self.crash_at, self.fail_sync_at, self.room) = (None, None, None);
    }

    pub(super) fn is_up(&self) -> io::Result<()> {
        if self.crashed {
            return Err(io::Error::other("the machine is down"));
        }
        Ok(())
    }

    /// Counts an operation that changes something. Returns whether the machine crashes within it.
    fn begin(&mut self) -> io::Result<bool> {
        self.is_up()?;
        self.operations += 1;
        if self.crash_at == Some(self.operations) {
            self.crashed = true;
            self.faults.crashes += 1;
        }
        Ok(self.crashed)
    }

    /// Changes names, unless the machine crashes before.
    pub(super) fn change(&mut self, changes: impl IntoIterator<Item = Change>) -> io::Result<()> {
        if self.begin()? && self.rng.random() {
            return self.is_up();
        }
        for change in changes {
            change.apply(&mut self.names);
            self.changes.push(change);
        }
        self.is_up()
    }

    pub(super) fn content(&self, file: &Path) -> io::Result<usize> {
        match self.names.get(file) {
            Some(Node::File(number)) => Ok(*number),
            Some(Node::Folder) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn append(&mut self, number: usize, bytes: &[u8]) -> io::Result<()> {
        let crashes = self.begin()?;
        let room = self.room.unwrap_or(usize::MAX);
        let mut length = bytes.len().min(room);
        self.faults.full += u64::from(length < bytes.len());
        if crashes {
            length = self.rng.random_range(0..=length);
        }
        self.room = self.room.map(|room| room - length);
        let content = &mut self.contents[number];
        let start = content.cached.len();
        content.cached.extend_from_slice(&bytes[..length]);
        if length > 0 {
            content.dirty.push(start..start + length);
        }
        self.is_up()?;
        if length < bytes.len() {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    pub(super) fn sync_content(&mut self, number: usize) -> io::Result<()> {
        if self.begin()? && self.rng.random() {
            return self.is_up();
        }
        self.syncs += 1;
        if self.fail_sync_at == Some(self.syncs) {
            self.faults.failed_syncs += 1;
            self.contents[number].dirty.clear();
            return Err(io::Error::other("the disk does not answer"));
        }
        let content = &mut self.contents[number];
        for write in std::mem::take(&mut content.dirty) {
            content.carry_over(write);
        }
        self.is_up()
    }

    pub(super) fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        if self.begin()? && self.rng.random() {
            return self.is_up();
        }
        self.syncs += 1;
        if self.fail_sync_at == Some(self.syncs) {
            // What happened to the names may reach the disk or not.
            self.faults.failed_syncs += 1;
            return Err(io::Error::other("the disk does not answer"));
        }
        let durable = &mut self.durable_names;
        self.changes.retain(|change| {
            let synced = change.folder == folder;
            if synced {
                change.apply(durable);
            }
            !synced
        });
        self.is_up()
    }

    pub(super) fn lose_power(&mut self) {
        self.boot += 1;
        for number in 0..self.contents.len() {
            for write in std::mem::take(&mut self.contents[number].dirty) {
                self.lose_write(number, write);
            }
            let content = &mut self.contents[number];
            content.cached.clone_from(&content.durable);
        }
        for change in std::mem::take(&mut self.changes) {
            if self.rng.random() {
                change.apply(&mut self.durable_names);
            } else {
                self.faults.names_lost += 1;
            }
        }
        // What is in a folder that is not there is gone.
        let names = self.durable_names.clone();
        self.durable_names.retain(|path, _| {
            let above = path.ancestors().skip(1);
            above
                .into_iter()
                .all(|above| names.get(above) == Some(&Node::Folder))
        });
        self.names.clone_from(&self.durable_names);
    }

    /// What becomes of a write that the disk was not given when the power failed.
    fn lose_write(&mut self, number: usize, write: Range<usize>) {
        let content = &mut self.contents[number];
        match self.rng.random_range(0..4) {
            0 => self.faults.lost += 1,
            1 => content.carry_over(write),
            2 => {
                self.faults.torn += 1;
                let end = self.rng.random_range(write.clone());
                content.carry_over(write.start..end);
            }
            _ => {
                let (mut missing, mut reordered) = (false, false);
                let mut start = write.start;
                while start < write.end {
                    let end = write.end.min((start / SECTOR + 1) * SECTOR);
                    if self.rng.random() {
                        content.carry_over(start..end);
                        reordered |= missing;
                    } else {
                        missing = true;
                    }
                    start = end;
                }
                self.faults.reordered += u64::from(reordered);
            }
        }
    }
}

impl Content {
    /// The disk is given a part of what is in the cache. Between what it has and that are zeros.
    fn carry_over(&mut self, part: Range<usize>) {
        if part.is_empty() {
            return;
        }
        if self.durable.len() < part.end {
            self.durable.resize(part.end, 0);
        }
        self.durable[part.clone()].copy_from_slice(&self.cached[part]);
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        if let Some(removed) = &self.removed {
            names.remove(removed);
        }
        if let Some((path, node)) = &self.added {
            names.insert(path.clone(), *node);
        }
    }

    pub(super) fn adding(path: &Path, node: Node) -> Self {
        Self {
            folder: folder_of(path).into(),
            added: Some((path.into(), node)),
            removed: None,
        }
    }

    /// Within one folder.
    pub(super) fn renaming(from: &Path, to: &Path, node: Node) -> Self {
        Self {
            removed: Some(from.into()),
            ..Self::adding(to, node)
        }
    }

    pub(super) fn removing(path: &Path) -> Self {
        Self {
            folder: folder_of(path).into(),
            added: None,
            removed: Some(path.into()),
        }
    }
}
