//! What one replica keeps on disk: its vote, its group's log, and snapshots that stand for the
//! oldest of it.
//!
//! ```text
//!   p0r1/
//!     identity.toml            whose data this is; whoever opens the folder must be the same
//!     lock                     held while the log is open
//!     unsynced                 only with Durability::Async: the boot in which the log was opened
//!     0000000007.checkpoint    generation, vote, a snapshot and the entries behind it:
//!                              all that was stored when segment 7 was begun
//!     0000000007.log           what was appended since: one frame for each round
//!     0000000008.log           and so on, begun after 64 MiB
//!     0000000009.log.unfinished   a file that is not whole yet; it counts once it has its name
//!     set-aside-7/             what could not be believed any more when checkpoint 7 was begun
//!
//!   a segment:  header (number, random number, length of the one before)  frame  frame  ...
//!   a frame:    length, two checks that depend on segment and place,  records
//! ```
//!
//! **An append** is one frame, one write, and with [`Durability::Sync`] one `fdatasync`. It is
//! stored as a whole or not at all.
//!
//! **A checkpoint** is written beside the running log and synced; one rename makes all of it count,
//! and then what is older is removed.
//!
//! **An opening** reads everything, writes it into a new checkpoint, syncs that, and removes the
//! rest: what was read may never have reached the disk (`open.rs`).
//!
//! What an opening finds, and what it does:
//!
//! - **The last segment ends within a frame.** That is cut off: nothing that depended on it was
//!   sent.
//! - **The last frame is there in full length, and broken.** Lost memory: it was torn, or it was
//!   acknowledged and has changed since, and nobody can tell (see Alagappan et al., *Protocol-Aware
//!   Recovery for Consensus-Based Storage*, FAST 2018).
//! - **The log was not synced, and the machine has been started again.** Lost memory.
//! - **A frame or file is broken and more of the log follows; a segment is missing or too short.**
//!   An error with file and offset.
//! - **It is the data of another cluster, service, strategy, topology or replica.** An error with
//!   both values.
//!
//! **Lost memory**: what is there is set aside and the replica begins a new generation, as a member
//! that never voted; its group fills it. The only replica of a group has nobody to fill it: it
//! refuses to open instead, and says what its owner can do. A folder that is used for the first
//! time begins a generation, too: perhaps there was another one before.
//!
//! [`verify`] says all of this of a folder without changing it. Files are reached through the trait
//! [`Files`]; with the cargo feature `faults` there is a disk in memory that fails on purpose.

mod checkpoint;
mod error;
#[cfg(feature = "faults")]
pub mod faulty;
mod files;
mod finding;
mod frames;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod mark;
mod names;
mod open;
mod owner;
mod scan;
mod segments;
mod store;
#[cfg(test)]
mod tests;
mod verify;

pub use checkpoint::SnapshotWriter;
pub use error::StorageError;
pub use files::{AppendFile, Files, RealFiles};
pub use finding::{Finding, Problem, Severity};
pub use open::{Lost, OpenOptions, Opened};
pub use owner::Owner;
pub use scan::{CheckpointSummary, SegmentSummary};
pub use store::LogStore;
pub use verify::{Report, verify};

use std::path::PathBuf;

/// Where a replica keeps its log.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nowhere: a replica that stopped comes back as a new member, and its group must fill it.
    #[default]
    Memory,
    /// In files, left to the operating system: survives the death of the process, not of power.
    Async(PathBuf),
    /// In files, synced before anything that depends on them is sent.
    Sync(PathBuf),
}
