//! Opens a data folder: reads it, writes what it read anew, and only then goes on.
//!
//! Nothing that is read is believed before it was synced. It may have come from a cache whose pages
//! never reach the disk, because a sync failed when the log was open last and the system took the
//! pages for clean: another sync of the same file would succeed without writing them. So all of it
//! goes into a new checkpoint, in a file that nothing has happened to. That costs as much as one
//! snapshot, and makes all openings alike: whatever state the folder is found in, it is left with
//! one checkpoint and one empty segment, by one rename.

use crate::checkpoint;
use crate::error::{StorageError, about};
use crate::files::{Files, folder_of};
use crate::finding::{Finding, Problem, Severity};
use crate::mark;
use crate::names::{self, HEADER, LOCK, Listing, MARK};
use crate::owner::Owner;
use crate::scan::Scan;
use crate::segments::Segment;
use crate::store::LogStore;
use ssmr_log::{MemberId, Stored};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a log is to be opened, and for whom.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Whose data it is. A folder that is used for the first time becomes theirs for good.
    pub owner: Owner,
    /// Whether appends are synced.
    pub sync: bool,
    /// The generation that begins if nothing is stored, or nothing that can be believed: greater
    /// than those the replica had, as far as the caller can tell. It is made greater than what is
    /// stored.
    pub new_generation: u64,
}

/// A log that was opened.
#[derive(Debug)]
pub struct Opened<F: Files> {
    /// The log.
    pub log: LogStore<F>,
    /// What is stored, synced whatever the log's durability.
    pub stored: Stored,
    /// What became of the memory, if it was lost. Then nothing is stored but a new generation, as
    /// in a folder that is used for the first time.
    pub lost: Option<Lost>,
}

/// A replica has lost its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Why what is stored cannot be believed.
    pub finding: Finding,
    /// Where it was put. Nobody needs it any more but those who want to know what happened.
    pub set_aside: PathBuf,
}

impl<F: Files> LogStore<F> {
    /// Opens the log in `folder`, which is created if need be, and reads what is stored there.
    ///
    /// A folder that is used for the first time may be that of a replica that lost another one, so
    /// the replica begins a new generation, which is nobody's voter until its group is founded or
    /// fills it. If acknowledged entries may be missing (the log was not synced and the machine
    /// went down meanwhile; the last frame is broken and not merely cut short) what is there is set
    /// aside, and it does the same. That generation is stored when this returns.
    ///
    /// # Errors
    /// If the folder cannot be used, another process uses it, it belongs to somebody else, or what
    /// is in it is corrupted; and, for the only replica of a group, if acknowledged entries may be
    /// missing. Nothing is changed then.
    pub fn open(
        files: &F,
        folder: &Path,
        options: &OpenOptions,
    ) -> Result<Opened<F>, StorageError> {
        create_folders(files, folder)?;
        let lock = files.lock(&folder.join(LOCK)).map_err(about(folder))?;
        let lock = Arc::new(lock.ok_or_else(|| StorageError::InUse {
            path: folder.into(),
        })?);
        let mut scan = Scan::read(files, folder)?;
        if let Some(owner) = &scan.owner {
            owner.check(folder, &options.owner)?;
        }
        let doubt = judge(&scan, folder, options)?;
        let stored = if doubt.is_some() || scan.owner.is_none() {
            Stored {
                generation: new_generation(options, &scan.stored),
                ..Stored::default()
            }
        } else {
            std::mem::take(&mut scan.stored)
        };
        let number = scan.listing.next_number();
        let set_aside = names::set_aside(folder, number);
        if doubt.is_some() {
            // Before the new beginning counts: whoever is killed then still knows what to keep.
            create_folder(files, &set_aside).map_err(about(&set_aside))?;
        }
        let segment = begin_anew(files, folder, number, &stored).map_err(about(folder))?;
        if scan.owner.is_none() {
            // For as long as it is missing, nothing was promised here.
            options.owner.write(files, folder).map_err(about(folder))?;
        }
        tidy(files, folder, number).map_err(about(folder))?;
        // Not before what it speaks of is set aside.
        let marked = match options.sync {
            true => mark::remove(files, folder),
            false => mark::set(files, folder),
        };
        marked.map_err(about(folder))?;
        let lost = doubt.map(|finding| Lost { finding, set_aside });
        if let Some(lost) = &lost {
            let (folder, generation) = (folder.display(), stored.generation);
            tracing::warn!(%folder, generation, ?lost, "the replica has lost its memory");
        }
        // Last, for a log that is dropped removes the mark.
        let log = LogStore::new(files.clone(), folder, options.sync, segment, &stored, lock);
        Ok(Opened { log, stored, lost })
    }
}

/// Why the memory is lost, if it is.
fn judge(
    scan: &Scan,
    folder: &Path,
    options: &OpenOptions,
) -> Result<Option<Finding>, StorageError> {
    let Some(finding) = scan.worst() else {
        return Ok(None);
    };
    match finding.problem.severity() {
        Severity::Refused => Err(StorageError::Corrupted(finding.clone())),
        Severity::MemoryLost if options.owner.is_alone() => Err(StorageError::Alone {
            path: folder.into(),
            why: finding.to_string(),
            remedy: match finding.problem {
                Problem::UnsyncedEnd => format!("remove {}", folder.join(MARK).display()),
                _ => "cut the file off there".to_owned(),
            },
        }),
        Severity::MemoryLost => Ok(Some(finding.clone())),
        Severity::Cut => {
            tracing::warn!(%finding, "the log's end is cut off");
            Ok(None)
        }
    }
}

fn new_generation(options: &OpenOptions, stored: &Stored) -> u64 {
    let next = stored.generation.saturating_add(1);
    options
        .new_generation
        .max(next)
        .min(MemberId::LAST_GENERATION)
}

/// Stores a new beginning, in the place of all that is there. It counts once the checkpoint has its
/// name; the segment behind it is on the disk by then.
fn begin_anew<F: Files>(
    files: &F,
    folder: &Path,
    number: u64,
    stored: &Stored,
) -> io::Result<Segment<F>> {
    let segment = Segment::begin(files, folder, number, 0)?;
    checkpoint::write(files, folder, number, stored)?;
    segment.finish(files, folder)?;
    Ok(segment)
}

/// Creates a folder in one that exists, for good.
fn create_folder<F: Files>(files: &F, folder: &Path) -> io::Result<()> {
    match files.create_folder(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => files.sync(folder_of(folder)),
    }
}

/// Removes what the new beginning stands for, and what was never finished. What was there when the
/// memory was lost is set aside: it is older than a folder for that.
fn tidy<F: Files>(files: &F, folder: &Path, number: u64) -> io::Result<()> {
    let listing = Listing::read(files, folder)?;
    let mut unfinished = listing.unfinished.iter();
    unfinished.try_for_each(|path| files.remove(path))?;
    for aside in listing.set_aside {
        let within = names::set_aside(folder, aside);
        let lost = Listing::read(files, folder)?.below(folder, aside);
        for path in &lost {
            files.rename(path, &within.join(path.file_name().unwrap_or_default()))?;
        }
        if !lost.is_empty() {
            files.sync(&within)?;
            files.sync(folder)?;
        }
    }
    let old = Listing::read(files, folder)?.below(folder, number);
    old.iter().try_for_each(|path| files.remove(path))
}

/// Creates a folder and those that it is in, for good.
fn create_folders<F: Files>(files: &F, folder: &Path) -> Result<(), StorageError> {
    let missing = |path: &Path| {
        let names = files.names(path);
        matches!(&names, Err(error) if error.kind() == io::ErrorKind::NotFound)
    };
    if files.read(&folder.join(HEADER)).is_ok() {
        // It has been opened before.
        return Ok(());
    }
    let above = folder.ancestors().filter(|above| *above != Path::new(""));
    let mut above: Vec<&Path> = above.collect();
    above.reverse();
    for path in above {
        if missing(path) {
            match files.create_folder(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(about(path)(error));
                }
                _ => {}
            }
        }
        let within = folder_of(path);
        match files.sync(within) {
            // Whoever may not read a folder has not created anything in it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(about(within))?,
        }
    }
    Ok(())
}
