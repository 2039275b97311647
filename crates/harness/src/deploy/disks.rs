//! Small file systems in memory, one for each replica whose disk is to be full at times.
//!
//! A replica's data folder is where its file system is mounted. It is filled by a file that takes
//! all that is left, and freed by removing that. Invariant: whoever drops [`Disks`] has unmounted
//! what was mounted; after a violent end it stays, with `umount` for a remedy.

use crate::error::UsageError;
use anyhow::{Context, Result};
use ssmr_core::ReplicaId;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file that fills a disk. A data folder's own files have other names.
const BALLAST: &str = "ballast";

/// What a disk holds besides a few times the log.
const SPARE_BYTES: usize = 16 << 20;

/// Mounted file systems, by replica.
#[derive(Debug, Default)]
pub(crate) struct Disks(BTreeMap<ReplicaId, PathBuf>);

impl Disks {
    /// Mounts a file system on the data folder of each of these replicas, large enough for the
    /// checkpoints and segments that a log of so many bytes leads to.
    ///
    /// # Errors
    /// If that cannot be done, as without root.
    pub(crate) fn mount(
        replicas: impl Iterator<Item = ReplicaId>,
        logs: &Path,
        log_bytes: usize,
    ) -> Result<Self, UsageError> {
        let mut disks = Self::default();
        for id in replicas {
            let folder = logs.join(id.to_string());
            let size = log_bytes.saturating_mul(8).saturating_add(SPARE_BYTES);
            let mounted = fs::create_dir_all(&folder).and_then(|()| mount(&folder, size));
            mounted.map_err(|error| {
                let problem = format!(
                    "full-disk: no file system in memory can be mounted on {}, which takes root: \
                     {error}",
                    folder.display()
                );
                UsageError::new("--fault", problem)
            })?;
            disks.0.insert(id, folder);
        }
        Ok(disks)
    }

    /// Fills a replica's disk.
    pub(crate) fn fill(&self, id: ReplicaId) -> Result<()> {
        let Some(folder) = self.0.get(&id) else {
            return Ok(());
        };
        let path = folder.join(BALLAST);
        let mut file = File::create(&path).with_context(|| path.display().to_string())?;
        let chunk = vec![0; 64 << 10];
        // The last pages are taken one byte at a time, as others may take some meanwhile.
        for chunk in [&chunk[..], &chunk[..1]] {
            let error = loop {
                if let Err(error) = file.write_all(chunk) {
                    break error;
                }
            };
            if error.kind() != io::ErrorKind::StorageFull {
                return Err(error).with_context(|| path.display().to_string());
            }
        }
        Ok(())
    }

    /// Frees it again.
    pub(crate) fn free(&self, id: ReplicaId) -> Result<()> {
        let Some(folder) = self.0.get(&id) else {
            return Ok(());
        };
        let path = folder.join(BALLAST);
        fs::remove_file(&path).with_context(|| path.display().to_string())
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        for folder in self.0.values() {
            if let Err(error) = unmount(folder) {
                tracing::error!(folder = %folder.display(), %error, "it stays mounted");
            }
        }
    }
}

/// Whether file systems can be mounted: does so with one, on a folder that goes again.
///
/// # Errors
/// If not; the error names the flag.
pub(crate) fn look_for_mounts() -> Result<(), UsageError> {
    let folder = tempfile::tempdir().map_err(|error| {
        let problem = format!("full-disk: no folder to try a mount: {error}");
        UsageError::new("--fault", problem)
    })?;
    let anyone = ssmr_core::PartitionId(0).into();
    let anyone = ReplicaId {
        group: anyone,
        index: 0,
    };
    Disks::mount(std::iter::once(anyone), folder.path(), 0).map(drop)
}

#[cfg(target_os = "linux")]
fn mount(folder: &Path, size: usize) -> io::Result<()> {
    use rustix::mount::{MountFlags, mount};
    let flags = MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::NOSUID;
    let options = std::ffi::CString::new(format!("size={size},mode=0700"))?;
    Ok(mount("tmpfs", folder, "tmpfs", flags, &*options)?)
}

/// Those who still have a file open keep it until they end.
#[cfg(target_os = "linux")]
fn unmount(folder: &Path) -> io::Result<()> {
    use rustix::mount::{UnmountFlags, unmount};
    Ok(unmount(folder, UnmountFlags::DETACH)?)
}

#[cfg(not(target_os = "linux"))]
fn mount(_folder: &Path, _size: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn unmount(_folder: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::Topology;

    #[test]
    fn a_disk_is_full_until_it_is_freed_and_goes_with_its_owner() {
        if look_for_mounts().is_err() {
            eprintln!("nothing can be mounted here: nothing is tested");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<ReplicaId> = Topology::new(1, 3).unwrap().replicas().collect();
        let disks = Disks::mount(ids[..2].iter().copied(), folder.path(), 1_000).unwrap();
        let write = |id: ReplicaId| {
            let file = folder.path().join(id.to_string()).join("0000000001.log");
            fs::write(file, vec![1; 10_000])
        };
        disks.fill(ids[0]).unwrap();
        let kind = write(ids[0]).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::StorageFull);
        write(ids[1]).unwrap();
        disks.free(ids[0]).unwrap();
        write(ids[0]).unwrap();
        drop(disks);
        let left = fs::read_dir(folder.path().join("p0r1")).unwrap().count();
        assert_eq!(left, 0, "what was written was in memory");
    }
}
