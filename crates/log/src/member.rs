//! Who takes part in a group's consensus.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A replica in one of its generations, as consensus knows it.
///
/// A replica that lost what it had stored has forgotten its votes: it begins a new generation and
/// takes part under a new name, as a member that never voted. A replica with nothing stored cannot
/// tell that from having never had anything, so it begins one too. Generations count from 1; in
/// generation 0 are only the founders whom [`GroupLog::new`](crate::GroupLog::new) takes for
/// granted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberId(u64);

impl MemberId {
    /// The greatest generation there can be.
    pub const LAST_GENERATION: u64 = u64::MAX >> 8;

    /// Replica `index` of the group in a generation, [`LAST_GENERATION`](Self::LAST_GENERATION) at
    /// most.
    #[must_use]
    pub fn new(index: u8, generation: u64) -> Self {
        Self(generation << 8 | u64::from(index))
    }

    /// The replica's index in its group.
    #[must_use]
    pub fn index(self) -> u8 {
        self.0 as u8
    }

    /// Tells apart the times at which the replica began with nothing stored: a group takes it in
    /// in later ones only.
    #[must_use]
    pub fn generation(self) -> u64 {
        self.0 >> 8
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl From<u64> for MemberId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation() {
            0 => write!(f, "r{}", self.index()),
            generation => write!(f, "r{}/{generation}", self.index()),
        }
    }
}

/// Raft's configuration (Ongaro and Ousterhout, 2014, section 6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// Those whose votes count.
    pub voters: BTreeSet<MemberId>,
    /// During a change, those whose votes will count: until it is over a majority of both is
    /// needed. Else empty.
    pub next_voters: BTreeSet<MemberId>,
    /// Those that are told everything and have no vote.
    pub learners: BTreeSet<MemberId>,
}

impl Members {
    /// The founders of a group whom nobody has to name: all replicas in generation 0, as voters.
    #[must_use]
    pub fn founders(replica_count: u8) -> Self {
        let voters = (0..replica_count).map(|index| MemberId::new(index, 0));
        Self::voters(voters.collect())
    }

    /// These voters and nobody else.
    #[must_use]
    pub fn voters(voters: BTreeSet<MemberId>) -> Self {
        Self {
            voters,
            ..Self::default()
        }
    }

    /// All of them, some perhaps twice.
    pub fn all(&self) -> impl Iterator<Item = MemberId> {
        let voters = self.voters.iter().chain(&self.next_voters);
        voters.chain(&self.learners).copied()
    }
}
