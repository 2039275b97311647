//! Reads that were answered by a cache, with what an object was: they are no part of the history
//! that must be linearizable, and are judged by two other rules.
//!
//! 1. The object had the value of which the reply tells, at the revision that the reply names.
//! 2. The write that made it so had been asked for when the read ended.
//!
//! How stale each was follows from the acknowledgements of what others have written since:
//! [`Staleness`] says exactly what is measured. The values come from the witnessed check's replay
//! (`witness::timelines`), so where that leaves values open a read cannot be judged.

use crate::history::History;
use crate::witness::timelines::{Timeline, Timelines};
use serde::{Deserialize, Serialize};
use ssmr_core::application::{Operand, run};
use ssmr_core::{
    Application, ClientId, Completion, Encoded, Micros, ObjectId, Outcome, Request, Revision,
};
use std::fmt;

/// A read that was answered with what its object was.
#[derive(Debug)]
pub(crate) struct StaleRead {
    client: ClientId,
    pub(crate) object: u32,
    /// Of which revision the reply tells.
    revision: Revision,
    op: Encoded,
    reply: Encoded,
    invoked: Micros,
    completed: Micros,
}

/// How stale one read was that was told what its object had been.
///
/// Both numbers are about what clients had been told when the read began. So a read that meets a
/// write under way is not stale by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Staleness {
    /// When the read began.
    pub invoked: Micros,
    /// How many versions the value was behind the newest one that was acknowledged when the read
    /// began. Creates, writes and deletes count; moves do not.
    pub versions: u64,
    /// How long ago the first acknowledgement of a newer version had come when the read began, in
    /// microseconds; 0 if none had. The value was superseded then at the latest.
    pub age_us: Micros,
    /// Whether the object had been deleted since, by a command that had been acknowledged when the
    /// read began. It may have been created again.
    pub is_of_past_life: bool,
}

/// What came of judging the reads that may be stale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaleSummary {
    /// Those whose value the object had.
    pub judged: Vec<Staleness>,
    /// Those that were told what the object never was.
    pub never_held: Vec<NeverHeld>,
    /// How many cannot be judged, for they depend on what was not answered; all, if the history is
    /// not linearizable.
    pub unjudged: usize,
}

/// A read that was told what its object never was: a cache, or an owner, made it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeverHeld {
    /// What was read.
    pub object: ObjectId,
    /// The revision of which it was told.
    pub revision: Revision,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for NeverHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            object,
            revision,
            why,
        } = self;
        write!(f, "a stale read was told what {object} never was: ")?;
        write!(f, "revision {revision:?}: {why}")
    }
}

impl<A: Application> History<A> {
    /// Adds a read that was answered with what its object was: its completion says that it is
    /// [stale](ssmr_core::answer::Cost::stale). It is kept apart: [`check`](Self::check) does not
    /// look at it.
    ///
    /// # Panics
    /// If it is not such a read.
    pub fn push_stale(&mut self, client: ClientId, request: &Request, completion: &Completion) {
        let told = completion.touched.first().and_then(|touch| touch.after);
        let (Outcome::Done(reply), Some(revision), Some(object)) =
            (&completion.outcome, told, request.objects().next())
        else {
            panic!("no stale read: {completion:?}");
        };
        let object = self.objects.number(object);
        self.stale.push(StaleRead {
            client,
            object,
            revision,
            op: request.op.clone(),
            reply: reply.clone(),
            invoked: completion.invoked.micros(),
            completed: completion.completed.micros(),
        });
    }

    /// Judges what was [pushed](Self::push_stale) as stale.
    #[must_use]
    pub fn judge_stale(&self) -> StaleSummary {
        let mut summary = StaleSummary::default();
        let Some(timelines) = Timelines::of(self) else {
            summary.unjudged = self.stale.len();
            return summary;
        };
        for read in &self.stale {
            let judged = timelines
                .of_object(read.object)
                .map_or(Ok(None), |timeline| {
                    read.judge::<A>(timeline, self.objects.values()[read.object as usize])
                });
            match judged {
                Ok(Some(staleness)) => summary.judged.push(staleness),
                Ok(None) => summary.unjudged += 1,
                Err(why) => summary.never_held.push(NeverHeld {
                    object: self.objects.values()[read.object as usize],
                    revision: read.revision,
                    why: format!("{:?} at {} us: {why}", read.client, read.invoked),
                }),
            }
        }
        summary
    }
}

impl StaleRead {
    /// How stale it was; `None` if that depends on what was not answered.
    ///
    /// # Errors
    /// Why its object was never like this.
    fn judge<A: Application>(
        &self,
        timeline: &Timeline,
        object: ObjectId,
    ) -> Result<Option<Staleness>, String> {
        // Moves begin new epochs and leave the version: they are not in the timeline.
        let Some(place) = timeline.last_at(self.revision) else {
            return match timeline.is_open() {
                true => Ok(None),
                false => Err("nothing had created it".into()),
            };
        };
        let change = &timeline.changes()[place];
        if change.after.map(|after| after.version) != Some(self.revision.version) {
            return match timeline.is_open() {
                true => Ok(None),
                false => Err("no command left it".into()),
            };
        }
        let Some(value) = &change.value else {
            return Ok(None);
        };
        if change.invoked > self.completed {
            return Err("what left it had not been asked for yet".into());
        }
        let operand = Operand {
            object,
            value: value.clone(),
            readable: true,
            writable: false,
        };
        let reply = run::<A>(&self.op, [operand]).map(|effect| effect.reply);
        if reply.as_ref() != Ok(&self.reply) {
            return Err("the reply is another one".into());
        }
        let newest = timeline.newest_acknowledged(self.invoked).unwrap_or(place);
        let since = &timeline.changes()[place + 1..=newest.max(place)];
        if since.iter().any(|change| change.is_open) {
            return Ok(None);
        }
        let superseded = timeline.superseded_by(place).unwrap_or(Micros::MAX);
        Ok(Some(Staleness {
            invoked: self.invoked,
            versions: since.len() as u64,
            age_us: self.invoked.saturating_sub(superseded),
            is_of_past_life: since.iter().any(|change| change.after.is_none()),
        }))
    }
}
