//! The words of `--fault`: what each is called, whom it strikes and for how long.

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    /// Kill the leader of a group.
    KillLeader,
    /// Kill the leader of the oracle group.
    KillOracleLeader,
    /// Kill a replica.
    Kill,
    /// Stop a replica's process where it is, and let it go on.
    Pause,
    /// Cut a replica off from all others.
    Cut,
    /// A replica does not hear the others.
    CutIn,
    /// The others do not hear a replica.
    CutOut,
    /// Cut a replica off from all clients.
    CutClient,
    /// Fill a replica's disk, free it and start the replica again.
    FullDisk,
    /// Stop the embedded cache, and start it empty.
    StopCache,
    /// Kill a memcached server, and start it empty.
    KillCache,
    /// Stop a memcached server where it is, and let it go on.
    FreezeCache,
    /// Cut a memcached server off from replicas and clients.
    CutCache,
    /// Have the caches forget everything.
    FlushCache,
}

/// Whom a word strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nobody that must be named.
    Nothing,
    /// A group.
    Group,
    /// A replica.
    Replica,
    /// One of the memcached servers of this run, by its number from 0.
    Server,
}

/// Whether it is over by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// It is over as it happens.
    AMoment,
    /// For a time that must be said.
    AWhile,
    /// For a time that may be said.
    Perhaps,
}

impl Word {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::KillLeader,
        Self::KillOracleLeader,
        Self::Kill,
        Self::Pause,
        Self::Cut,
        Self::CutIn,
        Self::CutOut,
        Self::CutClient,
        Self::FullDisk,
        Self::StopCache,
        Self::KillCache,
        Self::FreezeCache,
        Self::CutCache,
        Self::FlushCache,
    ];

    /// How it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KillLeader => "kill-leader",
            Self::KillOracleLeader => "kill-oracle-leader",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Cut => "cut",
            Self::CutIn => "cut-in",
            Self::CutOut => "cut-out",
            Self::CutClient => "cut-client",
            Self::FullDisk => "full-disk",
            Self::StopCache => "stop-cache",
            Self::KillCache => "kill-cache",
            Self::FreezeCache => "freeze-cache",
            Self::CutCache => "cut-cache",
            Self::FlushCache => "flush-cache",
        }
    }

    /// Whom it strikes.
    pub(crate) fn takes(self) -> Takes {
        match self {
            Self::KillLeader => Takes::Group,
            Self::KillOracleLeader | Self::StopCache | Self::FlushCache => Takes::Nothing,
            Self::KillCache | Self::FreezeCache | Self::CutCache => Takes::Server,
            _ => Takes::Replica,
        }
    }

    /// For how long.
    pub(crate) fn lasts(self) -> Lasts {
        match self {
            Self::KillLeader | Self::KillOracleLeader | Self::Kill | Self::KillCache => {
                Lasts::Perhaps
            }
            Self::FlushCache => Lasts::AMoment,
            _ => Lasts::AWhile,
        }
    }

    /// Whether it can be drawn at random: not if it needs a leader, which there may be none of.
    pub(crate) fn is_for_random(self) -> bool {
        !matches!(self, Self::KillLeader | Self::KillOracleLeader)
    }

    /// Whether it strikes caches.
    pub(crate) fn is_of_caches(self) -> bool {
        matches!(
            self,
            Self::StopCache
                | Self::KillCache
                | Self::FreezeCache
                | Self::CutCache
                | Self::FlushCache
        )
    }

    /// The word of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.name() == name)
    }

    /// How it is used, as people write it.
    pub(crate) fn usage(self) -> String {
        let target = match self.takes() {
            Takes::Nothing => "",
            Takes::Group => ":GROUP",
            Takes::Replica => ":REPLICA",
            Takes::Server => ":NUMBER",
        };
        let length = match self.lasts() {
            Lasts::AMoment => "",
            Lasts::AWhile => "+TIME",
            Lasts::Perhaps => "[+TIME]",
        };
        format!("{}{target}@TIME{length}", self.name())
    }
}
