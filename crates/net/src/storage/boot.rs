//! Whether an operating system that failed may have lost the end of a log that was not synced.
//!
//! While such a log is open a mark beside it names the boot of the machine. A process that dies
//! leaves the mark, but what it had written is in the hands of the system; only if the mark names
//! another boot the system has gone down in between, and nobody knows what it had not written yet.
//! Where boots cannot be told apart every mark left behind counts as such.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Whether all that was written in this folder is still there.
pub(super) fn is_intact(folder: &Path) -> io::Result<bool> {
    match fs::read_to_string(mark(folder)) {
        Ok(boot) => Ok(this_boot().is_some_and(|this| this == boot)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// A log that is not synced is open here from now on.
pub(super) fn set_mark(folder: &Path) -> io::Result<()> {
    let mut file = File::create(mark(folder))?;
    file.write_all(this_boot().unwrap_or_default().as_bytes())?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

/// All that was written here is synced.
pub(super) fn remove_mark(folder: &Path) -> io::Result<()> {
    match fs::remove_file(mark(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::open(folder)?.sync_all(),
    }
}

fn mark(folder: &Path) -> PathBuf {
    folder.join("unsynced")
}

/// Linux tells its boots apart.
fn this_boot() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
}
