//! What was measured of one strategy.

use crate::audit::Audit;
use crate::fault::mark::Mark;
use crate::fault::word::Word;
use crate::group_watch::GroupWatch;
use crate::load::sample::Sample;
use crate::memory::Memory;
use crate::results::measures::Applies;
use crate::results::span::Span;
use crate::verdicts::Verdicts;
use ssmr_core::{Micros, Reads};
use std::collections::BTreeMap;

/// What came of a trial.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Where multi-partition accesses really executed: a strategy that cannot move cannot gather.
    pub(crate) execution: &'static str,
    /// How reads of objects at one partition were answered.
    pub(crate) reads: Reads,
    /// Which measures mean something.
    pub(crate) applies: Applies,
    /// Every command, those of the warm-up included.
    pub(crate) samples: Vec<Sample>,
    /// What was measured.
    pub(crate) span: Span,
    /// Messages and bytes of replicas and clients in this span.
    pub(crate) message_count: u64,
    pub(crate) byte_count: u64,
    /// Values that replicas found and did not find in the shared cache in this span.
    pub(crate) values: (u64, u64),
    /// Processor time of all processes in this span.
    pub(crate) processor_us: Micros,
    /// How long leaders took for each thing that a client asked, at least.
    pub(crate) service_time_us: Option<Micros>,
    /// The name of the network that was emulated.
    pub(crate) net: String,
    /// What was broken on purpose.
    pub(crate) marks: Vec<Mark>,
    /// How often each word of the schedule struck.
    pub(crate) struck: BTreeMap<Word, u64>,
    /// How many items memcached servers of the run's own have thrown out.
    pub(crate) cache_evictions: Option<u64>,
    /// What the replicas' processes took meanwhile.
    pub(crate) memory: Memory,
    /// What each group did meanwhile.
    pub(crate) groups: GroupWatch,
    /// The three answers.
    pub(crate) verdicts: Verdicts,
    /// What came of the reads at the end, if they were made.
    pub(crate) audit: Option<Audit>,
    /// What else happened to the cluster that was not asked for.
    pub(crate) mishaps: Vec<String>,
}
