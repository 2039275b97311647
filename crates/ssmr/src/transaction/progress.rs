//! How far an attempt at a transaction is, and what the ends of its calls make of that.

use crate::error::{Error, reply};
use ssmr_core::{Outcome, ReadSet, Request};
use ssmr_net::{ClientHandle, Clock, Ended};
use std::time::Duration;

/// How the calls of all attempts are made.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) client: ClientHandle,
    /// It started when the first attempt did.
    pub(super) clock: Clock,
    pub(super) limit: Option<Duration>,
}

impl Calls {
    /// Executes a request, unless the time is over.
    pub(super) async fn execute(
        &self,
        request: Request,
        limit: Option<Duration>,
    ) -> Result<Ended, Error> {
        let passed = Duration::from_micros(self.clock.now().micros());
        let left = self.limit.map(|all| all.saturating_sub(passed));
        if left.is_some_and(|left| left.is_zero()) {
            let may_have_executed = false;
            return Err(Error::Unknown { may_have_executed });
        }
        let limit = left.into_iter().chain(limit).min();
        Ok(self.client.execute_within(request, limit).await?)
    }
}

/// How far an attempt is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    stage: Stage,
    reads: ReadSet,
    /// How many commands have told something: what one tells holds together by itself.
    told: u32,
    /// Some read has not been answered.
    unanswered: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing has had an effect.
    #[default]
    Reading,
    /// What was read does not hold any more.
    Conflict,
    /// The commit was sent, and is not known to have had no effect.
    Sent,
    /// The closure has ended. Only a handle that it left somewhere finds this.
    Over,
}

impl Progress {
    pub(super) fn over() -> Self {
        Self {
            stage: Stage::Over,
            ..Self::default()
        }
    }

    /// Whether there is any sense in going on.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.stage {
            Stage::Reading => Ok(()),
            Stage::Conflict | Stage::Sent | Stage::Over => Err(Error::Changed),
        }
    }

    /// A read has ended.
    pub(super) fn heard(&mut self, ended: Option<&Ended>) -> Result<(), Error> {
        let completion = ended.map(|ended| &ended.completion);
        match completion.filter(|completion| completion.outcome != Outcome::Unknown) {
            None => self.unanswered = true,
            Some(completion) => {
                self.told += 1;
                if !self.reads.add(&completion.touched) && self.stage == Stage::Reading {
                    self.stage = Stage::Conflict;
                }
            }
        }
        self.check()
    }

    /// The commit is about to be sent: this request, expecting what was read.
    pub(super) fn commit(&mut self, request: Request) -> Result<Request, Error> {
        self.check()?;
        let request = self.reads.expected_by(request);
        let request = request.map_err(|outcome| contradicted(&outcome))?;
        // From here on the command may be under way, even if nobody waits for its end.
        self.stage = Stage::Sent;
        Ok(request)
    }

    /// The commit has ended.
    pub(super) fn decided(&mut self, ended: &Ended) -> Result<(), Error> {
        match &ended.completion.outcome {
            Outcome::Done(_) | Outcome::Failed | Outcome::Unknown => {}
            Outcome::Changed => self.stage = Stage::Conflict,
            // Nothing was changed, perhaps only because what was read has passed.
            Outcome::AlreadyExists
            | Outcome::NotFound
            | Outcome::Unsupported
            | Outcome::Refused(_) => {
                self.told += 1;
                let fits = self.reads.fits_existence(&ended.completion.touched);
                self.stage = if fits {
                    Stage::Reading
                } else {
                    Stage::Conflict
                };
            }
        }
        if self.stage == Stage::Conflict {
            return Err(Error::Changed);
        }
        Ok(())
    }

    /// Whether the closure's result counts. One that was computed without an effect is returned
    /// only if what was read has held together.
    pub(super) async fn holds(self, calls: &Calls, ok: bool) -> Result<bool, Error> {
        match self.stage {
            Stage::Conflict => return Ok(false),
            Stage::Sent | Stage::Over => return Ok(true),
            Stage::Reading => {}
        }
        let gave_up = self.unanswered && !ok;
        if self.told <= 1 || gave_up {
            return Ok(true);
        }
        let ended = calls.execute(self.reads.question(), None).await;
        match reply(ended.map_err(without_effect)?) {
            Ok(_) => Ok(true),
            Err(Error::Changed | Error::NotFound) => Ok(false),
            Err(error) => Err(without_effect(error)),
        }
    }
}

/// The error of a commit that what was read leaves no state to take effect in.
fn contradicted(outcome: &Outcome) -> Error {
    match outcome {
        Outcome::AlreadyExists => Error::AlreadyExists,
        _ => Error::NotFound,
    }
}

/// The error of a command that only reads.
pub(super) fn without_effect(error: Error) -> Error {
    match error {
        Error::Unknown { .. } => Error::Unknown {
            may_have_executed: false,
        },
        error => error,
    }
}
