//! The file layer: the few things that a log needs of an operating system, so that tests can put a
//! disk in its place that fails.

use ssmr_core::mutant::{self, Mutant};
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// An operating system's files. Paths are passed on as they are.
///
/// What is written may be lost when the machine fails, in part or in any order, until it is synced;
/// and so may a name that was given or taken away, until its folder is synced.
pub trait Files: Clone + Debug + Send + Sync + 'static {
    /// A file that is being written.
    type File: AppendFile;
    /// Keeps other processes away until it is dropped.
    type Lock: Debug + Send + Sync;

    /// Creates a folder in one that exists.
    ///
    /// # Errors
    /// If it cannot be created; `AlreadyExists` if it is there.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// The names of the files and folders in a folder, in no order.
    ///
    /// # Errors
    /// If it cannot be read.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// All that a file holds.
    ///
    /// # Errors
    /// If it cannot be read; `NotFound` if it is not there.
    fn read(&self, file: &Path) -> io::Result<Vec<u8>>;

    /// Creates an empty file. One of that name is emptied.
    ///
    /// # Errors
    /// If it cannot be created.
    fn create(&self, file: &Path) -> io::Result<Self::File>;

    /// Gives a file another name. A file that has it already is replaced.
    ///
    /// # Errors
    /// If it cannot be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// If it cannot be removed; `NotFound` if it is not there.
    fn remove(&self, file: &Path) -> io::Result<()>;

    /// Waits until what was written to this file is on the disk, or, for a folder, the names in it.
    ///
    /// # Errors
    /// If that cannot be said: then nobody knows what is there.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Locks a file, which is created if need be; `None` if another process has done so.
    ///
    /// # Errors
    /// If it cannot be created, or locks are unknown there.
    fn lock(&self, file: &Path) -> io::Result<Option<Self::Lock>>;

    /// Names the time since the machine was started, if such times can be told apart.
    fn boot(&self) -> Option<String>;

    /// A number that nobody can guess.
    ///
    /// # Errors
    /// If there are none.
    fn nonce(&self) -> io::Result<u64>;
}

/// A file that grows at its end.
pub trait AppendFile: Debug + Send {
    /// Writes at the end.
    ///
    /// # Errors
    /// If that failed; a part of it may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until what was written is on the disk.
    ///
    /// # Errors
    /// If that cannot be said: then nobody knows what is there.
    fn sync(&mut self) -> io::Result<()>;
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

impl Files for RealFiles {
    type File = File;
    type Lock = File;

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        // Names that are no text are not ours.
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().into_string().ok());
        fs::read_dir(folder)?
            .filter_map(|entry| name(entry).transpose())
            .collect()
    }

    fn read(&self, file: &Path) -> io::Result<Vec<u8>> {
        fs::read(file)
    }

    fn create(&self, file: &Path) -> io::Result<File> {
        File::create(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        fs::remove_file(file)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn lock(&self, file: &Path) -> io::Result<Option<File>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(file)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Linux tells its boots apart.
    fn boot(&self) -> Option<String> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(boot.trim().to_owned())
    }

    fn nonce(&self) -> io::Result<u64> {
        getrandom::u64().map_err(io::Error::other)
    }
}

impl AppendFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The folder that a path is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// What a file is called until it is whole.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

/// Creates a file under the name of an unfinished one, with its name in the folder for good.
pub(crate) fn create_unfinished<F: Files>(
    files: &F,
    path: &Path,
    content: &[&[u8]],
) -> io::Result<F::File> {
    let unfinished = unfinished(path);
    let mut file = files.create(&unfinished)?;
    content.iter().try_for_each(|part| file.append(part))?;
    if !mutant::is_active(Mutant::UnsyncedFiles) {
        file.sync()?;
        files.sync(folder_of(path))?;
    }
    Ok(file)
}

/// Gives a file that is whole its name, for good.
pub(crate) fn finish<F: Files>(files: &F, path: &Path) -> io::Result<()> {
    files.rename(&unfinished(path), path)?;
    if mutant::is_active(Mutant::UnsyncedFiles) {
        return Ok(());
    }
    files.sync(folder_of(path))
}

/// Creates a file that is there as a whole or not at all, whatever fails meanwhile, and for good
/// when this returns. It can be appended to.
pub(crate) fn create_whole<F: Files>(
    files: &F,
    path: &Path,
    content: &[&[u8]],
) -> io::Result<F::File> {
    let file = create_unfinished(files, path, content)?;
    finish(files, path)?;
    Ok(file)
}
