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

mod machine;

use crate::files::{AppendFile, Files, folder_of};
use machine::{Change, Content, Machine, Node};
use rand::RngExt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

impl FaultyFiles {
    /// An empty disk. The seed decides whatever chance decides.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let machine = Machine::new(seed);
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

    /// Nothing that was to fail fails any more, and there is room.
    pub fn heal(&self) {
        self.machine().heal();
    }

    /// Everything fails from now on, until it is started again: what the process still does as it
    /// dies reaches nothing.
    pub fn go_down(&self) {
        self.machine().crashed = true;
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
            return machine.change([Change::renaming(from, to, node)]);
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
