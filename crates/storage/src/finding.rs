//! What can be found in a data folder that should not be there, and how bad it is.

use crate::segments::FORMAT;
use std::fmt;
use std::path::PathBuf;

/// Something that is not as it was written, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file or folder.
    pub path: PathBuf,
    /// Where in the file, in bytes, if it is at one place.
    pub offset: Option<u64>,
    /// What it is.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The file ends within a frame: a write that the end of the process or machine cut short.
    /// Nothing that depended on it was sent.
    TornEnd {
        /// How many bytes of it are there.
        bytes: u64,
    },
    /// The last frame is broken, and nobody can say whether it was ever whole. It may have been
    /// torn, or it was acknowledged and has changed since.
    DoubtfulEnd {
        /// How many bytes are there.
        bytes: u64,
    },
    /// The log was not synced when the machine went down: its end may be lost.
    UnsyncedEnd,
    /// A frame is broken, and more of the log follows: it has changed since it was written.
    BrokenFrame,
    /// A frame is whole and says nothing that this version understands.
    BadRecords,
    /// A frame goes on behind the end of the log.
    BeyondEnd {
        /// The index of the entry that it goes on behind.
        after: u64,
        /// The index of the log's last entry.
        end: u64,
    },
    /// A segment's header has changed since it was written.
    BrokenSegmentHeader,
    /// A segment is missing.
    MissingSegment,
    /// A segment is not as long as it was when the next one was begun.
    WrongLength {
        /// How long it was, in bytes.
        was: u64,
        /// How long it is.
        is: u64,
    },
    /// A checkpoint has changed since it was written.
    BrokenCheckpoint,
    /// There is a header and no checkpoint.
    MissingCheckpoint,
    /// The folder's header is not what was written.
    BrokenHeader {
        /// Where and why.
        problem: String,
    },
    /// There is a log, and nothing says whose.
    MissingHeader,
    /// It was written by another version of the library.
    UnknownFormat {
        /// The format's number.
        found: u32,
    },
}

/// What comes of a problem when the log is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The end is cut off: it never counted.
    Cut,
    /// The replica has lost its memory: the log is set aside, and its group fills it. The only
    /// replica of a group does not open.
    MemoryLost,
    /// It does not open.
    Refused,
}

impl Problem {
    /// What comes of it when the log is opened.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::TornEnd { .. } => Severity::Cut,
            Self::DoubtfulEnd { .. } | Self::UnsyncedEnd => Severity::MemoryLost,
            _ => Severity::Refused,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornEnd { bytes } => write!(f, "a torn write of {bytes} bytes, which is cut off"),
            Self::DoubtfulEnd { bytes } => write!(
                f,
                "the last {bytes} bytes are broken: a torn write, or an entry that was acknowledged"
            ),
            Self::UnsyncedEnd => write!(
                f,
                "the machine went down while the log was not synced, and its end may be lost"
            ),
            Self::BrokenFrame => write!(f, "a broken frame with more of the log behind it"),
            Self::BadRecords => write!(f, "a whole frame that makes no sense"),
            Self::BeyondEnd { after, end } => {
                write!(
                    f,
                    "it goes on behind entry {after}, and the log ends at {end}"
                )
            }
            Self::BrokenSegmentHeader => write!(f, "the segment's header is broken"),
            Self::MissingSegment => write!(f, "the segment is missing"),
            Self::WrongLength { was, is } => {
                write!(f, "the segment was {was} bytes long, and is {is}")
            }
            Self::BrokenCheckpoint => write!(f, "the checkpoint is broken"),
            Self::MissingCheckpoint => write!(f, "there is no checkpoint"),
            Self::BrokenHeader { problem } => write!(f, "{}", problem.trim_end()),
            Self::MissingHeader => write!(f, "a log is here, and no header says whose"),
            Self::UnknownFormat { found } => {
                write!(f, "format {found} is unknown, this version writes {FORMAT}")
            }
        }
    }
}
