//! What is broken for a while: until it is mended, everything else goes on.

use super::word::Word;
use ssmr_core::ReplicaId;
use ssmr_net::Cut;

/// Something that is broken until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// A replica's process stands still.
    Paused(ReplicaId),
    /// A replica is cut off from others.
    Cut(ReplicaId, Cut),
    /// A replica's disk is full, so that the replica stops.
    FullDisk(ReplicaId),
    /// The embedded cache is stopped.
    StoppedCache,
    /// A memcached server does not run.
    DeadCache(usize),
    /// A memcached server stands still.
    FrozenCache(usize),
    /// A memcached server is cut off.
    CutCache(usize),
}

impl Trouble {
    /// The trouble that a word means for a replica, if it means one.
    pub(super) fn of_replica(word: Word, id: ReplicaId) -> Option<Self> {
        Some(match word {
            Word::Pause => Self::Paused(id),
            Word::Cut => Self::Cut(id, Cut::Peers),
            Word::CutIn => Self::Cut(id, Cut::FromPeers),
            Word::CutOut => Self::Cut(id, Cut::ToPeers),
            Word::CutClient => Self::Cut(id, Cut::Clients),
            Word::FullDisk => Self::FullDisk(id),
            _ => return None,
        })
    }

    /// The trouble that a word means for a memcached server, if it means one.
    pub(super) fn of_server(word: Word, number: usize) -> Option<Self> {
        Some(match word {
            Word::KillCache => Self::DeadCache(number),
            Word::FreezeCache => Self::FrozenCache(number),
            Word::CutCache => Self::CutCache(number),
            _ => return None,
        })
    }

    /// The word for it.
    pub(super) fn word(self) -> Word {
        match self {
            Self::Paused(_) => Word::Pause,
            Self::Cut(_, Cut::FromPeers) => Word::CutIn,
            Self::Cut(_, Cut::ToPeers) => Word::CutOut,
            Self::Cut(_, Cut::Clients) => Word::CutClient,
            Self::Cut(..) => Word::Cut,
            Self::FullDisk(_) => Word::FullDisk,
            Self::StoppedCache => Word::StopCache,
            Self::DeadCache(_) => Word::KillCache,
            Self::FrozenCache(_) => Word::FreezeCache,
            Self::CutCache(_) => Word::CutCache,
        }
    }

    /// What is told when it begins.
    pub(super) fn begun(self) -> String {
        match self {
            Self::Paused(id) | Self::Cut(id, _) | Self::FullDisk(id) => {
                format!("{} {id}", self.word().name())
            }
            Self::StoppedCache => "stop cache".into(),
            Self::DeadCache(number) => format!("kill cache {number}"),
            Self::FrozenCache(number) => format!("freeze cache {number}"),
            Self::CutCache(number) => format!("cut cache {number}"),
        }
    }

    /// What is told when it is over.
    pub(super) fn mended(self) -> String {
        match self {
            Self::Paused(id) => format!("resume {id}"),
            Self::Cut(id, Cut::Clients) => format!("join {id} to clients"),
            Self::Cut(id, _) => format!("join {id}"),
            Self::FullDisk(id) => format!("free disk of {id}"),
            Self::StoppedCache => "start cache".into(),
            Self::DeadCache(number) => format!("restart cache {number}"),
            Self::FrozenCache(number) => format!("thaw cache {number}"),
            Self::CutCache(number) => format!("join cache {number}"),
        }
    }
}
