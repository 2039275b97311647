//! The reads at the end: every object that could exist is read once more, and the answers join the
//! history.
//!
//! The check of the history does the rest: an object that is gone without a delete, or has lost a
//! write, contradicts it. Invariant: either every such object was looked at, or the audit says
//! which one was not.

use crate::load::job::Job;
use crate::numbers::grouped;
use crate::workload::contract::Workload;
use rustc_hash::FxHashMap;
use ssmr_core::{ClientId, ObjectId, Oracle, Outcome};
use ssmr_net::{ConfigError, Pipeline};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many reads are outstanding.
const WINDOW: usize = 64;

/// What came of the reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Objects that could exist.
    pub(crate) objects: u64,
    /// Those of which it is known now whether they do.
    pub(crate) read: u64,
    /// What could not be read, after which no others were tried, and how the read ended.
    pub(crate) unreadable: Option<(ObjectId, Outcome)>,
}

impl Audit {
    /// Why not every object was read, if there was one that was not.
    pub(crate) fn shortfall(&self) -> Option<String> {
        let left = (self.read < self.objects).then(|| grouped(self.objects - self.read))?;
        let all = grouped(self.objects);
        Some(match &self.unreadable {
            Some((object, outcome)) => format!(
                "{left} of {all} objects were not read at the end: {object} could not be \
                 ({outcome:?})"
            ),
            None => format!(
                "{left} of {all} objects were not read at the end: a group has lost its majority"
            ),
        })
    }
}

/// Reads all objects that could exist. Nothing else may be under way. Cancel safe: `audit` says how
/// far it came.
///
/// # Errors
/// If the cluster does not fit the strategy.
pub(crate) async fn audit<W: Workload>(
    job: &Job<W>,
    oracle: Arc<dyn Oracle>,
    audit: &mut Audit,
) -> Result<(), ConfigError> {
    let objects: BTreeSet<ObjectId> = job.recorder.created();
    audit.objects = objects.len() as u64;
    // The clients have the numbers below.
    let auditor = ClientId(job.workload.client_count());
    let mut pipeline =
        Pipeline::new::<W::App>(&job.config, auditor, oracle, job.settings, job.clock)?;
    let mut objects = objects.into_iter();
    let mut pending = FxHashMap::default();
    loop {
        while pending.len() < WINDOW
            && audit.unreadable.is_none()
            && let Some(object) = objects.next()
        {
            let request = W::read(object);
            pending.insert(pipeline.submit(request.clone()), (object, request));
        }
        if pending.is_empty() {
            return Ok(());
        }
        let completion = pipeline.next().await;
        let Some((object, request)) = pending.remove(&completion.ticket) else {
            unreachable!("{completion:?} belongs to no request")
        };
        job.recorder.record(auditor, &request, &completion);
        if completion.outcome.is_definite() {
            audit.read += 1;
        } else {
            let unreadable = (object, completion.outcome);
            audit.unreadable.get_or_insert(unreadable);
        }
    }
}
