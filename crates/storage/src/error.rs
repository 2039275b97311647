//! Why a log cannot be opened. Messages name the file or folder, and what to do where that is not
//! plain.

use crate::finding::Finding;
use std::io;
use std::path::{Path, PathBuf};

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A file or folder cannot be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file or folder, as it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has the log open.
    #[error("{path} is in use by another process")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds the data of somebody else.
    #[error("{path} belongs to another {what}: {stored} is stored there, this is {given}")]
    AnotherOwner {
        /// The folder.
        path: PathBuf,
        /// What differs.
        what: String,
        /// What is stored.
        stored: String,
        /// What was asked for.
        given: String,
    },
    /// What is stored is not what was written, and must not be believed.
    #[error("corrupted: {0}")]
    Corrupted(Finding),
    /// The log may lack what was acknowledged, and there is no other replica to tell it.
    #[error(
        "{path}: acknowledged entries may be lost, and the group has no other replica to fill this \
         one ({why}); to go on without them, {remedy}"
    )]
    Alone {
        /// The folder.
        path: PathBuf,
        /// What was found.
        why: String,
        /// What its owner can do.
        remedy: String,
    },
}

/// Says which file or folder an error is about.
pub(crate) fn about(path: &Path) -> impl FnOnce(io::Error) -> StorageError {
    let path = path.to_owned();
    move |source| StorageError::Io { path, source }
}
