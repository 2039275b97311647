//! The reads at the end: every object that could exist is read once more, and the answers join the
//! history.
//!
//! The check of the history does the rest: an object that is gone without a delete, or has lost a
//! write, contradicts it. What a workload says must hold of all objects together is looked at here.
//! Invariant: either every such object was looked at, or the audit says
//! which one was not.

use crate::load::job::Job;
use crate::numbers::grouped;
use crate::workload::contract::{Invariants, Workload};
use rustc_hash::FxHashMap;
use ssmr_core::{Application, Completion, ObjectId, Oracle, Outcome, Request, codec};
use ssmr_net::{ConfigError, Pipeline};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many reads are outstanding.
const WINDOW: usize = 64;

/// How many objects are read in one command, where the service can.
const TOGETHER: usize = 64;

/// What came of the reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Objects that could exist.
    pub(crate) objects: u64,
    /// Those of which it is known now whether they do.
    pub(crate) read: u64,
    /// What could not be read, after which no others were tried, and how the read ended.
    pub(crate) unreadable: Option<(ObjectId, Outcome)>,
    /// What does not hold of all objects together, in words; `None` if nothing must.
    pub(crate) broken: Option<Vec<String>>,
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
    // The clients have the numbers below.
    let auditor = job.id(job.workload.client_count());
    let mut pipeline =
        Pipeline::new::<W::App>(&job.config, auditor, oracle, job.settings, job.clock)?;
    let objects: Vec<ObjectId> = job.recorder.created().into_iter().collect();
    audit.objects = objects.len() as u64;
    let mut reads = Reads::<W>::of(&objects, job.workload.invariants());
    let mut pending = FxHashMap::default();
    loop {
        while pending.len() < WINDOW
            && audit.unreadable.is_none()
            && let Some(objects) = reads.left.pop_front()
        {
            let request = Reads::<W>::request(&objects);
            pending.insert(pipeline.submit(request.clone()), (objects, request));
        }
        if pending.is_empty() {
            let all = audit.read == audit.objects;
            let invariants = reads.invariants.filter(|_| all);
            audit.broken = invariants.map(|invariants| invariants.violations());
            return Ok(());
        }
        let completion = pipeline.next().await;
        let Some((objects, request)) = pending.remove(&completion.ticket) else {
            unreachable!("{completion:?} belongs to no request")
        };
        job.recorder.record(auditor, &request, &completion);
        reads.ended(audit, objects, &completion);
    }
}

/// What is still to be read, and what must hold of it.
struct Reads<W: Workload> {
    left: VecDeque<Vec<ObjectId>>,
    invariants: Option<Box<dyn Invariants<W::App>>>,
}

impl<W: Workload> Reads<W> {
    /// Objects of one attribute are read together, if the service can: they may lie together.
    fn of(objects: &[ObjectId], invariants: Option<Box<dyn Invariants<W::App>>>) -> Self {
        let most = W::read_together(objects).map_or(1, |_| TOGETHER);
        let related = objects.chunk_by(|a, b| a.attribute == b.attribute);
        let left = related.flat_map(|related| related.chunks(most));
        Self {
            left: left.map(<[ObjectId]>::to_vec).collect(),
            invariants,
        }
    }

    fn request(objects: &[ObjectId]) -> Request {
        match objects {
            [object] => W::read(*object),
            _ => W::read_together(objects).unwrap_or_else(|| {
                unreachable!("{objects:?} are together because they can be read so")
            }),
        }
    }

    /// A read has ended.
    fn ended(&mut self, audit: &mut Audit, mut objects: Vec<ObjectId>, completion: &Completion) {
        let outcome = &completion.outcome;
        match outcome {
            Outcome::Done(reply) => {
                audit.read += objects.len() as u64;
                let reply = codec::decode::<<W::App as Application>::Reply>(reply);
                if let (Some(invariants), Ok(reply)) = (&mut self.invariants, reply) {
                    invariants.take(&objects, reply);
                }
            }
            outcome if !outcome.is_definite() => {
                let unreadable = (objects[0], outcome.clone());
                audit.unreadable.get_or_insert(unreadable);
            }
            _ if objects.len() == 1 => audit.read += 1,
            // Some do not exist: those that are known are done with.
            _ => {
                let all = objects.len();
                let absent = |object| completion.touched.iter().any(|t| t.object == object);
                objects.retain(|object| *outcome != Outcome::NotFound || !absent(*object));
                let gone = all - objects.len();
                audit.read += gone as u64;
                match gone {
                    0 => (self.left).extend(objects.into_iter().map(|object| vec![object])),
                    _ if objects.is_empty() => {}
                    _ => self.left.push_front(objects),
                }
            }
        }
    }
}
