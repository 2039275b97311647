//! Faults built in on purpose, so that the tests can see the checkers find them.
//!
//! A checker that has never been seen to fail proves nothing. Each mutant breaks one rule of the
//! protocol; a test runs it in the simulator and fails unless a checker reports a violation.
//! Without the cargo feature `mutants`, which is off by default, [`is_active`] is `false` at
//! compile time and nothing of them is in the binary.

/// One rule of the protocol, switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// R2: a command answers without waiting for the signals of all its destinations, where it has
    /// the values it needs.
    NoSignalWait,
    /// R2: a leader answers early from the signals that are there, where these allow a verdict.
    HastyAnswer,
    /// R3: commands on the same object do not queue behind each other while one of them waits for
    /// signals.
    OpenQueues,
    /// R3: a leader answers reads while commands on their objects are queued.
    ReadsPastQueues,
    /// R4: a command executes although an object is not at the revision that it expects.
    IgnoredExpectations,
    /// A panic of the service is not contained where only the owner sees the value: it fails the
    /// operation there alone.
    PanicsFailAtOwners,
    /// A leader answers reads without making sure that it still leads.
    UnconfirmedReads,
    /// A leader relies on a lease for longer than its followers have promised.
    LongLeases,
    /// A leader relies on a lease for as long as its followers have promised, though their clocks
    /// may run faster than its own.
    LeaseWithoutMargin,
    /// A leader relies on its lease after it has asked another replica to take over.
    LeaseKept,
    /// A follower does what a leader of an earlier term has asked it: it takes over from a later
    /// one.
    LateRequestsObeyed,
    /// A read is answered once an earlier read's question is, which was asked before it came.
    ReusedConfirmations,
    /// R5: a client abandons an attempt after a time-out and tries again under a new number.
    AbandonAttempts,
    /// R5: recorded outcomes are left out of snapshots.
    SnapshotsWithoutSessions,
    /// Signals that have come in are left out of snapshots.
    SnapshotsWithoutSignals,
    /// The shared cache keeps the values of an object under one key, and what it says is believed.
    MutableCacheKeys,
    /// What the shared cache says is believed, whatever digest it has.
    ForgeriesBelieved,
    /// What the shared cache answers alone is believed, whoever sealed it, for whatever object.
    UnsealedBelieved,
    /// A group's clock falls back when its leader changes, so that timestamps are given out twice.
    TimestampsReused,
    /// A command waits for its turn on the first of its objects only.
    FirstObjectIndexed,
    /// A replica applies further entries of its log before what the first one led to is delivered.
    SeveralEntriesAtOnce,
    /// Messages of one name are taken for the same, whatever they say.
    ContentsConfused,
    /// A session expires although an attempt of it is under way.
    PendingSessionsExpire,
    /// A command whose clock is far ahead of the group's is turned away.
    ClocksRefused,
    /// A replica does not store whom it voted for. The driver's fault.
    VoteNotPersisted,
    /// A replica sends what depends on records before they are stored. The driver's fault.
    AnswerBeforeSync,
    /// A leader sends before it stores what its own copy alone commits.
    LoneVoterSendsFirst,
    /// A leader takes its followers' answers before its own copy is stored. The driver's fault.
    AppendedBeforeSync,
    /// A checkpoint lacks the entries behind its snapshot.
    CheckpointsWithoutTail,
    /// Files get their names before what is in them is synced: whoever opens a log believes what no
    /// disk holds.
    UnsyncedFiles,
    /// A data folder is opened whoever it belongs to.
    HeaderUnchecked,
}

#[cfg(feature = "mutants")]
impl Mutant {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::NoSignalWait,
        Self::HastyAnswer,
        Self::OpenQueues,
        Self::ReadsPastQueues,
        Self::IgnoredExpectations,
        Self::PanicsFailAtOwners,
        Self::UnconfirmedReads,
        Self::LongLeases,
        Self::LeaseWithoutMargin,
        Self::LeaseKept,
        Self::LateRequestsObeyed,
        Self::ReusedConfirmations,
        Self::AbandonAttempts,
        Self::SnapshotsWithoutSessions,
        Self::SnapshotsWithoutSignals,
        Self::MutableCacheKeys,
        Self::ForgeriesBelieved,
        Self::UnsealedBelieved,
        Self::TimestampsReused,
        Self::FirstObjectIndexed,
        Self::SeveralEntriesAtOnce,
        Self::ContentsConfused,
        Self::PendingSessionsExpire,
        Self::ClocksRefused,
        Self::VoteNotPersisted,
        Self::AnswerBeforeSync,
        Self::LoneVoterSendsFirst,
        Self::AppendedBeforeSync,
        Self::CheckpointsWithoutTail,
        Self::UnsyncedFiles,
        Self::HeaderUnchecked,
    ];

    /// What it is called on a command line, such as `no-signal-wait`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// Whether this thread runs with the mutant.
#[must_use]
pub fn is_active(mutant: Mutant) -> bool {
    #[cfg(feature = "mutants")]
    {
        ACTIVE.get() == Some(mutant)
    }
    #[cfg(not(feature = "mutants"))]
    {
        let _ = mutant;
        false
    }
}

#[cfg(feature = "mutants")]
thread_local! {
    static ACTIVE: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Runs `work` on this thread with the mutant, if one is given, and with no other.
#[cfg(feature = "mutants")]
pub fn with<T>(mutant: Option<Mutant>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Mutant>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ACTIVE.set(self.0);
        }
    }
    let _restore = Restore(ACTIVE.replace(mutant));
    work()
}

/// Whether this thread runs with any mutant.
#[must_use]
pub fn any_is_active() -> bool {
    #[cfg(feature = "mutants")]
    {
        ACTIVE.get().is_some()
    }
    #[cfg(not(feature = "mutants"))]
    {
        false
    }
}
