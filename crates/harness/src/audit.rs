//! After faults: every object that a client was told of as created is read once more, and the
//! answers join the history.
//!
//! The check of the history does the rest: an object that is gone without a delete, or has lost a
//! write, contradicts it. Invariant: either every such object was looked at, or the audit says
//! which one was not.

use crate::load::job::Job;
use crate::violation::RunViolation;
use crate::workload::contract::Workload;
use rustc_hash::FxHashMap;
use ssmr_core::{ClientId, ObjectId, Oracle};
use ssmr_net::Pipeline;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many reads are outstanding.
const WINDOW: usize = 64;

/// Reads all created objects. Nothing else may be under way.
///
/// # Errors
/// If an object cannot be read.
pub(crate) async fn audit<W: Workload>(
    job: &Job<W>,
    oracle: Arc<dyn Oracle>,
) -> Result<(), RunViolation> {
    // The clients have the numbers below.
    let auditor = ClientId(job.workload.client_count());
    let mut pipeline =
        Pipeline::new::<W::App>(&job.config, auditor, oracle, job.settings, job.clock)
            .map_err(|error| RunViolation::AuditFailed(error.to_string()))?;
    let objects: BTreeSet<ObjectId> = job.recorder.created();
    let mut objects = objects.into_iter();
    let mut pending = FxHashMap::default();
    loop {
        while pending.len() < WINDOW
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
        if !completion.outcome.is_definite() {
            let outcome = completion.outcome;
            return Err(RunViolation::Unreadable { object, outcome });
        }
    }
}
