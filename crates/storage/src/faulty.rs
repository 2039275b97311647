//! A disk in memory that fails on purpose, as a pure function of a seed: for tests and simulators.
//!
//! It keeps apart what the system holds in its cache and what the disk holds. Only a sync carries
//! over from one to the other; a [power failure](FaultyFiles::fail_power) leaves what the disk
//! holds, and of the rest whatever chance decides: each write nothing, all, a beginning, or some of
//! its sectors; each new, changed or removed name or not. A process that [dies](FaultyFiles::kill)
//! loses nothing but its locks.
//!
//! A sync that fails makes the cache forget what it had to write, as Linux does: what was written
//! is still read, a later sync succeeds, and the disk never gets it.

use crate::files::{AppendFile, Files, folder_of};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// What a disk writes in one piece.
const SECTOR: usize = 512;

/// A disk and the machine that it is in. Copies are the same disk.
#[derive(Clone, Debug)]
pub struct FaultyFiles {
    machine: Arc<Mutex<Machine>>,
}

/// How often each fault has happened: one that never does tests nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// A write was lost that was not synced.
    pub lost: u64,
    /// Only the beginning of a write is there.
    pub torn: u64,
    /// Some sectors of a write are there, and some before them are not.
    pub reordered: u64,
    /// A file was created, renamed or removed and the folder does not know.
    pub names_lost: u64,
    /// A sync failed.
    pub failed_syncs: u64,
    /// There was no room.
    pub full: u64,
    /// The process or the machine went down within an operation.
    pub crashes: u64,
}

#[derive(Debug)]
struct Machine {
    rng: ChaCha8Rng,
    contents: Vec<Content>,
    /// As the system sees the names.
    names: BTreeMap<PathBuf, Node>,
    /// As the disk has them.
    durable_names: BTreeMap<PathBuf, Node>,
    /// What was done to names since, in order.
    changes: Vec<Change>,
    locks: BTreeMap<PathBuf, Weak<()>>,
    boot: u64,
    /// Operations that change something, since the start.
    operations: u64,
    crash_at: Option<u64>,
    crashed: bool,
    syncs: u64,
    fail_sync_at: Option<u64>,
    room: Option<usize>,
    faults: Faults,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    /// The number of its content.
    File(usize),
}

/// What a file holds.
#[derive(Debug, Default)]
struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Writes that the disk has not been given yet.
    dirty: Vec<Range<usize>>,
}

/// A change of the names in one folder, which happens as a whole or not at all.
#[derive(Debug)]
struct Change {
    folder: PathBuf,
    added: Option<(PathBuf, Node)>,
    removed: Option<PathBuf>,
}

impl FaultyFiles {
    /// An empty disk. The seed decides whatever chance decides.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let root = BTreeMap::from([(PathBuf::from("/"), Node::Folder)]);
        let machine = Machine {
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
        };
        Self {
            machine: Arc::new(Mutex::new(machine)),
        }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many operations there were that change something.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.machine().operations
    }

    /// How often each fault has happened.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.machine().faults
    }

    /// Everything fails from the operation with this number on, counted from 1; it may have been
    /// carried out itself, in part or as a whole.
    pub fn crash_at(&self, operation: u64) {
        self.machine().crash_at = Some(operation);
    }

    /// Whether it has crashed and was not started again.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        self.machine().crashed
    }

    /// The next sync but so many fails.
    pub fn fail_sync_in(&self, skipped: u64) {
        let mut machine = self.machine();
        machine.fail_sync_at = Some(machine.syncs + 1 + skipped);
    }

    /// So many bytes can be written, or any number.
    pub fn set_room(&self, bytes: Option<usize>) {
        self.machine().room = bytes;
    }

    /// The process has died, and another one can begin. Everything that it held must have been
    /// dropped.
    pub fn kill(&self) {
        self.machine().restart();
    }

    /// The machine has gone down and was started again.
    pub fn fail_power(&self) {
        let mut machine = self.machine();
        machine.restart();
        machine.lose_power();
    }

    /// Changes bytes of a file on the disk and in the cache, as rot does.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn rot(&self, file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut machine = self.machine();
        let Some(Node::File(number)) = machine.names.get(file).copied() else {
            panic!("there is no {}", file.display());
        };
        let content = &mut machine.contents[number];
        change(&mut content.cached);
        content.durable.clone_from(&content.cached);
        content.dirty.clear();
    }
}

impl Machine {
    fn restart(&mut self) {
        (self.crashed, self.crash_at, self.fail_sync_at) = (false, None, None);
        self.locks.clear();
    }

    fn is_up(&self) -> io::Result<()> {
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
    fn change(&mut self, changes: impl IntoIterator<Item = Change>) -> io::Result<()> {
        if self.begin()? && self.rng.random() {
            return self.is_up();
        }
        for change in changes {
            change.apply(&mut self.names);
            self.changes.push(change);
        }
        self.is_up()
    }

    fn content(&self, file: &Path) -> io::Result<usize> {
        match self.names.get(file) {
            Some(Node::File(number)) => Ok(*number),
            Some(Node::Folder) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn append(&mut self, number: usize, bytes: &[u8]) -> io::Result<()> {
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

    fn sync_content(&mut self, number: usize) -> io::Result<()> {
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

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
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

    fn lose_power(&mut self) {
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

    fn adding(path: &Path, node: Node) -> Self {
        Self {
            folder: folder_of(path).into(),
            added: Some((path.into(), node)),
            removed: None,
        }
    }

    fn removing(path: &Path) -> Self {
        Self {
            folder: folder_of(path).into(),
            added: None,
            removed: Some(path.into()),
        }
    }
}

/// A file on a [`FaultyFiles`] disk.
#[derive(Debug)]
pub struct FaultyFile {
    machine: Arc<Mutex<Machine>>,
    number: usize,
}

impl FaultyFile {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AppendFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.machine().append(self.number, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.machine().sync_content(self.number)
    }
}

impl Files for FaultyFiles {
    type File = FaultyFile;
    type Lock = Arc<()>;

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        if machine.names.contains_key(folder) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if machine.names.get(folder_of(folder)) != Some(&Node::Folder) {
            return Err(ErrorKind::NotFound.into());
        }
        machine.change([Change::adding(folder, Node::Folder)])
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let machine = self.machine();
        machine.is_up()?;
        match machine.names.get(folder) {
            Some(Node::Folder) => {}
            Some(Node::File(_)) => return Err(ErrorKind::NotADirectory.into()),
            None => return Err(ErrorKind::NotFound.into()),
        }
        let within = machine
            .names
            .keys()
            .filter(|path| path.parent() == Some(folder));
        let name = |path: &PathBuf| path.file_name()?.to_str().map(str::to_owned);
        Ok(within.filter_map(name).collect())
    }

    fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        let machine = self.machine();
        machine.is_up()?;
        Ok(machine.contents[machine.content(file)?].cached.clone())
    }

    fn create(&self, file: &Path) -> io::Result<FaultyFile> {
        let mut machine = self.machine();
        if machine.names.get(folder_of(file)) != Some(&Node::Folder) {
            return Err(ErrorKind::NotFound.into());
        }
        // One that is there is emptied: its old content may come back, as an old name.
        let number = machine.contents.len();
        machine.contents.push(Content::default());
        machine.change([Change::adding(file, Node::File(number))])?;
        Ok(FaultyFile {
            machine: self.machine.clone(),
            number,
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        let node = Node::File(machine.content(from)?);
        if folder_of(from) == folder_of(to) {
            return machine.change([Change {
                removed: Some(from.into()),
                ..Change::adding(to, node)
            }]);
        }
        machine.change([Change::adding(to, node), Change::removing(from)])
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.content(file)?;
        machine.change([Change::removing(file)])
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        match machine.names.get(path).copied() {
            Some(Node::Folder) => machine.sync_folder(path),
            Some(Node::File(number)) => machine.sync_content(number),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn lock(&self, file: &Path) -> io::Result<Option<Arc<()>>> {
        let mut machine = self.machine();
        machine.is_up()?;
        let held = machine
            .locks
            .get(file)
            .is_some_and(|lock| lock.strong_count() > 0);
        if held {
            return Ok(None);
        }
        if !machine.names.contains_key(file) {
            let number = machine.contents.len();
            machine.contents.push(Content::default());
            machine.change([Change::adding(file, Node::File(number))])?;
        }
        let lock = Arc::new(());
        machine.locks.insert(file.into(), Arc::downgrade(&lock));
        Ok(Some(lock))
    }

    fn boot(&self) -> Option<String> {
        Some(format!("boot {}", self.machine().boot))
    }

    fn nonce(&self) -> io::Result<u64> {
        Ok(self.machine().rng.random())
    }
}
