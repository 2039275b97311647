//! Whether a machine that failed may have lost the end of a log that was not synced.
//!
//! While such a log is open a file beside it names the boot of the machine. A process that dies
//! leaves it, but what it had written is in the hands of the system; only if it names another boot
//! the system has gone down in between, and nobody knows what it had not written yet. Where boots
//! cannot be told apart every mark left behind counts as such.

use crate::files::{Files, create_whole};
use crate::names::MARK;
use std::io;
use std::path::Path;

/// Whether all that was written in this folder is still there, as the file says or its absence.
pub(crate) fn is_intact<F: Files>(files: &F, mark: Option<&[u8]>) -> bool {
    mark.is_none_or(|boot| files.boot().is_some_and(|this| this.as_bytes() == boot))
}

/// A log that is not synced is open here from now on.
pub(crate) fn set<F: Files>(files: &F, folder: &Path) -> io::Result<()> {
    let boot = files.boot().unwrap_or_default();
    create_whole(files, &folder.join(MARK), &[boot.as_bytes()])?;
    Ok(())
}

/// All that was written here is synced.
pub(crate) fn remove<F: Files>(files: &F, folder: &Path) -> io::Result<()> {
    match files.remove(&folder.join(MARK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => files.sync(folder),
    }
}
