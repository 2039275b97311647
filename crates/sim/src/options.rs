//! What a simulation is a pure function of, besides its seed.

use ssmr_core::client::ClientSettings;
use ssmr_core::limits::{MAX_OPERANDS, SESSION_TTL};
use ssmr_core::{CacheReads, Execution, Micros, Reads};
use ssmr_log::CHUNK_BYTES;
use ssmr_multicast::BATCH_BYTES;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Everything but the seed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many partitions there are.
    pub partitions: u8,
    /// How many replicas a group has.
    pub replicas: u8,
    /// How many clients there are.
    pub clients: u64,
    /// How many requests each of them keeps outstanding.
    pub window: usize,
    /// How many requests each of them makes.
    pub requests: usize,
    /// How many objects they fight over: few, for trouble.
    pub objects: u64,
    /// Where multi-partition accesses execute.
    pub execution: Execution,
    /// How reads of objects at one partition are answered. Leases and jumping clocks exclude each
    /// other: profile clock confirms reads instead, and in a storm of leases no clock jumps.
    pub reads: Reads,
    /// Whether reads of single objects may be answered by the shared cache alone.
    pub cache_reads: CacheReads,
    /// Which faults strike.
    pub profile: Profile,
    /// After how many steps faults end at the latest.
    pub steps: u64,
    /// After how many bytes of log a replica makes a snapshot: few, for trouble.
    pub log_bytes: usize,
    /// A fault built in on purpose.
    #[cfg(feature = "mutants")]
    pub mutant: Option<ssmr_core::Mutant>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            partitions: 3,
            replicas: 3,
            clients: 4,
            window: 2,
            requests: 25,
            objects: 4,
            execution: Execution::Exchange,
            reads: Reads::Ordered,
            cache_reads: CacheReads::Checked,
            profile: Profile::Calm,
            steps: 5_000,
            log_bytes: 6_000,
            #[cfg(feature = "mutants")]
            mutant: None,
        }
    }
}

/// Which faults strike in a simulation. Safety always holds; with a minority of each group hurt,
/// progress too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Short delays, nothing lost.
    Calm,
    /// Delays that differ by orders of magnitude, so that messages overtake each other.
    Reorder,
    /// Messages are lost and doubled.
    Lossy,
    /// Some links are slow for a while.
    Slow,
    /// The replicas of a group are at different sites, tens of milliseconds from each other, and
    /// clients at any of them; timers allow for it. Some messages are lost.
    Far,
    /// Replicas are cut off from others, in one direction or both, and come back.
    Cut,
    /// Leaders are cut off from their groups, not from clients, for longer than it takes to elect
    /// others.
    Depose,
    /// Leaders and followers stop for good, never a majority of a group.
    Stop,
    /// Replicas crash, any number of them, some in the middle of a write, and come back with what
    /// they had stored.
    Crash,
    /// Replicas crash and lose what they had stored, one of a group at a time, and come back as new
    /// members.
    Wipe,
    /// Machine clocks jump ahead, by milliseconds or days.
    Clock,
    /// Clocks run at different rates, as far apart as is assumed of them, and leaders are cut off
    /// from their groups as by [`Depose`](Self::Depose).
    Drift,
    /// Replicas, mostly leaders, and clients are paused and wake, or their machines are suspended
    /// and resumed: then their clocks stood still.
    Pause,
    /// Clients and replicas are cut off from each other, in one direction or both; replicas reach
    /// each other.
    Unreachable,
    /// Copies of messages come up to minutes later, while clients take their time.
    Late,
    /// What machines do takes time: CPU time of each input, bandwidth of each message. Some become
    /// slow.
    Busy,
    /// A group loses its majority for good, and what does not concern it goes on.
    Dead,
    /// Clients die in the middle of what they do.
    Deaths,
    /// The shared cache is flushed, evicts, is slow, and dies for a while.
    Cache,
    /// A client keeps none of the protocol's rules, while messages overtake each other and replicas
    /// crash.
    Hostile,
    /// Replicas store in data folders, on disks that lose, tear and reorder what is not synced,
    /// fail to sync, are slow, full or lost, of machines whose power fails.
    Disk,
    /// Sessions live for seconds, and calls for one: clients sleep through both, and groups are
    /// down or cut off from the others for longer.
    Expiry,
    /// Two processes go by one client's id, while messages overtake each other and replicas crash.
    Twins,
    /// Batches, snapshots and what commands read are larger than what one message or command may
    /// carry, for that is little, while replicas crash and forget.
    Limits,
    /// Leaders hand over; what they ask of their successors comes at once or long after, and
    /// leaders hear nothing of their groups just then.
    HandOver,
    /// At once: reorder, lossy, slow, cut, depose, stop, crash, wipe, clock, deaths, cache, disk,
    /// handover.
    Storm,
}

/// How long messages take from each of three sites to each, where sites are apart.
const DISTANCES: [[Micros; 3]; 3] = [
    [0, 40_000, 44_000],
    [40_000, 0, 68_000],
    [44_000, 68_000, 0],
];

/// How many bytes something may carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) batch_bytes: usize,
    pub(crate) chunk_bytes: usize,
    pub(crate) max_operands: u64,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 26] = [
        Self::Calm,
        Self::Reorder,
        Self::Lossy,
        Self::Slow,
        Self::Far,
        Self::Cut,
        Self::Depose,
        Self::Stop,
        Self::Crash,
        Self::Wipe,
        Self::Clock,
        Self::Drift,
        Self::Pause,
        Self::Unreachable,
        Self::Late,
        Self::Busy,
        Self::Dead,
        Self::Deaths,
        Self::Cache,
        Self::Hostile,
        Self::Disk,
        Self::Expiry,
        Self::Twins,
        Self::Limits,
        Self::HandOver,
        Self::Storm,
    ];

    fn is(self, other: Self) -> bool {
        self == other || self == Self::Storm
    }

    /// The longest that an undisturbed message takes.
    pub(crate) fn longest_delay(self) -> Micros {
        if self.is(Self::Reorder) || matches!(self, Self::Hostile | Self::Twins) {
            40_000
        } else {
            1_500
        }
    }

    /// Of 1,000 messages, how many are lost.
    pub(crate) fn loss(self) -> u32 {
        match self {
            Self::Far => 5,
            _ if self.is(Self::Lossy) => 30,
            _ => 0,
        }
    }

    /// How much longer a message takes from one site to another.
    pub(crate) fn distance(self, from: u64, to: u64) -> Micros {
        match self {
            Self::Far => DISTANCES[(from % 3) as usize][(to % 3) as usize],
            _ => 0,
        }
    }

    /// The longest round trip that timers allow for.
    pub(crate) fn round_trip(self) -> Duration {
        let distances = (0..9).map(|pair| self.distance(pair / 3, pair % 3));
        Duration::from_micros(2 * distances.max().unwrap_or_default())
    }

    /// Of 1,000 messages, how many come twice.
    pub(crate) fn doubling(self) -> u32 {
        if self.is(Self::Lossy) { 30 } else { 0 }
    }

    /// Whether every other client only reads.
    pub(crate) fn has_readers(self) -> bool {
        matches!(self, Self::Drift | Self::Pause | Self::HandOver)
    }

    /// How long a client waits at most between an answer and its next request.
    pub(crate) fn longest_pause(self, reads_only: bool) -> Micros {
        match self {
            Self::Late => 2_000_000,
            Self::Drift | Self::HandOver if reads_only => 40_000,
            Self::HandOver => 150_000,
            Self::Pause if reads_only => 2_000_000,
            _ => 0,
        }
    }

    /// How many requests a client makes that only reads, where one that writes makes one.
    pub(crate) fn reads_for_each(self) -> usize {
        if matches!(self, Self::Drift | Self::HandOver) {
            6
        } else {
            1
        }
    }

    /// How soon clients send again what is not answered.
    pub(crate) fn resend_after(self) -> Duration {
        if matches!(self, Self::Drift | Self::HandOver) {
            Duration::from_millis(20)
        } else {
            ClientSettings::default().resend_after
        }
    }

    pub(crate) fn slows(self) -> bool {
        self.is(Self::Slow)
    }

    pub(crate) fn cuts(self) -> bool {
        self.is(Self::Cut)
    }

    pub(crate) fn deposes(self) -> bool {
        self.is(Self::Depose) || self == Self::Drift
    }

    pub(crate) fn hands_over(self) -> bool {
        self.is(Self::HandOver)
    }

    pub(crate) fn stops(self) -> bool {
        self.is(Self::Stop)
    }

    pub(crate) fn crashes(self) -> bool {
        self.is(Self::Crash) || matches!(self, Self::Hostile | Self::Twins | Self::Limits)
    }

    pub(crate) fn wipes(self) -> bool {
        self.is(Self::Wipe) || self == Self::Limits
    }

    /// How much one batch, one piece of a snapshot and the operands of one command may carry.
    pub(crate) fn limits(self) -> Limits {
        if self == Self::Limits {
            Limits {
                batch_bytes: 400,
                chunk_bytes: 300,
                max_operands: 40,
            }
        } else {
            Limits {
                batch_bytes: BATCH_BYTES,
                chunk_bytes: CHUNK_BYTES,
                max_operands: MAX_OPERANDS,
            }
        }
    }

    /// Whether replicas store in data folders.
    pub(crate) fn has_folders(self) -> bool {
        self.is(Self::Disk)
    }

    /// Whether replicas lose what they had stored.
    pub(crate) fn forgets(self) -> bool {
        self.wipes() || self.has_folders()
    }

    pub(crate) fn jumps(self) -> bool {
        self.is(Self::Clock)
    }

    pub(crate) fn drifts(self) -> bool {
        self == Self::Drift
    }

    pub(crate) fn pauses(self) -> bool {
        self == Self::Pause
    }

    pub(crate) fn cuts_clients(self) -> bool {
        self == Self::Unreachable
    }

    /// Whether copies of messages come long after.
    pub(crate) fn copies_late(self) -> bool {
        self == Self::Late
    }

    pub(crate) fn is_busy(self) -> bool {
        self == Self::Busy
    }

    pub(crate) fn loses_group(self) -> bool {
        self == Self::Dead
    }

    pub(crate) fn kills_clients(self) -> bool {
        self.is(Self::Deaths)
    }

    pub(crate) fn hurts_cache(self) -> bool {
        self.is(Self::Cache)
    }

    /// How long sessions live. A group follows another one's log time when that is five seconds
    /// ahead: so they live for longer than that.
    pub(crate) fn session_ttl(self) -> Micros {
        if self == Self::Expiry {
            6_000_000
        } else {
            SESSION_TTL
        }
    }

    /// How long calls live.
    pub(crate) fn deadline(self) -> Duration {
        if self == Self::Expiry {
            Duration::from_secs(1)
        } else {
            Duration::MAX
        }
    }

    /// How many requests clients make: of unanswered ones a few, for the black-box search tries all
    /// that may have become of them.
    pub(crate) fn requests(self, wanted: usize) -> usize {
        match self {
            Self::Expiry => wanted.min(8),
            // Leaders change several times.
            Self::HandOver => 2 * wanted,
            _ => wanted,
        }
    }

    /// How many times as many steps as usual it takes until faults have shown what they do.
    pub(crate) fn pace(self) -> u64 {
        match self {
            Self::Expiry => 8,
            Self::HandOver => 3,
            _ => 1,
        }
    }

    pub(crate) fn is_hostile(self) -> bool {
        self == Self::Hostile
    }
}

impl Options {
    /// Runs a simulation's work with the fault that is built in, if there is one.
    pub(crate) fn with_mutant<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "mutants")]
        {
            ssmr_core::mutant::with(self.mutant, work)
        }
        #[cfg(not(feature = "mutants"))]
        {
            work()
        }
    }

    /// Whether clocks jump.
    pub(crate) fn jumps(&self) -> bool {
        self.profile.jumps() && self.possible_reads() != Reads::Lease
    }

    /// How clients have their reads answered.
    pub(crate) fn possible_reads(&self) -> Reads {
        match self.reads {
            Reads::Lease if self.profile == Profile::Clock => Reads::Index,
            reads => reads,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", format!("{self:?}").to_lowercase())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL
            .into_iter()
            .find(|profile| profile.to_string() == name);
        known.ok_or_else(|| format!("there is no fault profile '{name}'"))
    }
}
