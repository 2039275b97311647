//! A command that is a transaction: reads, and at most one command at its end that expects all that
//! was read to be as it was.
//!
//! ```text
//!   read ... read -> commit -> done
//!     ^                 |
//!     +---- Changed ----+   others have changed what was read: it begins anew
//! ```
//!
//! It follows `ssmr`'s `Client::transact`, whose callers wait where this goes on from completion to
//! completion. Invariant: it begins anew only when its commit is known to have had no effect. Each
//! such conflict is another command's success, so that some transaction always gets on, and there
//! is no limit to attempts.

use super::sample::End;
use crate::workload::contract::{Next, Workload};
use ssmr_core::{Completion, Cost, Outcome, ReadSet, Request, Stages};

/// A transaction under way.
pub(super) struct Transaction<S> {
    step: S,
    stage: Stage,
    /// The reads of this attempt.
    reads: Vec<Completion>,
    /// What they told.
    read_set: ReadSet,
    /// The costs of all requests so far.
    cost: Cost,
    /// Requests so far that were answered without being ordered, and all of them.
    unordered: (u32, u32),
    /// How often it began anew.
    conflicts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reading,
    Committing,
    /// The commit met an object that exists, or one that does not, and perhaps only because what
    /// was read has passed: it asks whether that holds still.
    Doubting,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// This request.
    Ask(Request),
    /// Nothing more.
    End(End),
}

impl<S> Transaction<S> {
    /// Begins with what [`Workload::transact`] says.
    pub(super) fn begin(step: S, next: Next) -> (Self, Then) {
        let mut begun = Self {
            step,
            stage: Stage::Reading,
            reads: Vec::new(),
            read_set: ReadSet::default(),
            cost: Cost::default(),
            unordered: (0, 0),
            conflicts: 0,
        };
        let then = begun.next(next);
        (begun, then)
    }

    /// What all its requests have cost. It was answered without being ordered if all of them were.
    pub(super) fn cost(&self) -> Cost {
        let (unordered, all) = self.unordered;
        Cost {
            unordered: all > 0 && unordered == all,
            ..self.cost
        }
    }

    /// How often it began anew.
    pub(super) fn conflicts(&self) -> u32 {
        self.conflicts
    }

    /// Goes on after its last request has ended.
    pub(super) fn go_on<W>(&mut self, workload: &W, completion: &Completion) -> Then
    where
        W: Workload<Step = S>,
    {
        self.add_cost(&completion.cost);
        let outcome = &completion.outcome;
        match (self.stage, outcome) {
            (Stage::Committing | Stage::Doubting, Outcome::Changed)
            | (Stage::Doubting, Outcome::NotFound) => self.anew(workload),
            (Stage::Committing, Outcome::AlreadyExists | Outcome::NotFound)
                if !self.reads.is_empty() =>
            {
                self.doubt()
            }
            (Stage::Reading, outcome) if outcome.is_definite() => {
                if !self.read_set.add(&completion.touched) {
                    return self.anew(workload);
                }
                self.reads.push(completion.clone());
                self.ask(workload)
            }
            _ => Then::End(outcome.into()),
        }
    }

    fn anew<W: Workload<Step = S>>(&mut self, workload: &W) -> Then {
        self.conflicts += 1;
        self.reads.clear();
        self.read_set = ReadSet::default();
        self.ask(workload)
    }

    fn ask<W: Workload<Step = S>>(&mut self, workload: &W) -> Then {
        let next = workload.transact(&self.step, &self.reads);
        self.next(next.unwrap_or(Next::End))
    }

    fn next(&mut self, next: Next) -> Then {
        match next {
            Next::Read(request) => {
                self.stage = Stage::Reading;
                Then::Ask(request)
            }
            Next::Commit(request) => match self.read_set.expected_by(request) {
                Ok(request) => {
                    self.stage = Stage::Committing;
                    Then::Ask(request)
                }
                Err(_) => self.doubt(),
            },
            Next::End => Then::End(End::Ok),
        }
    }

    fn doubt(&mut self) -> Then {
        self.stage = Stage::Doubting;
        Then::Ask(self.read_set.question())
    }

    fn add_cost(&mut self, cost: &Cost) {
        let Cost {
            retries,
            fallbacks,
            groups,
            moves,
            oracle_consults,
            cache_hits,
            cache_misses,
            multi_partition,
            unordered,
            stages,
        } = *cost;
        let sum = &mut self.cost;
        sum.retries += retries;
        sum.fallbacks += fallbacks;
        sum.groups += groups;
        sum.moves += moves;
        sum.oracle_consults += oracle_consults;
        sum.cache_hits += cache_hits;
        sum.cache_misses += cache_misses;
        sum.multi_partition |= multi_partition;
        let (of_these, all) = self.unordered;
        sum.stages = match (all, sum.stages.zip(stages)) {
            (0, _) => stages,
            (_, both) => both.map(|(one, other)| Stages {
                order_us: one.order_us.saturating_add(other.order_us),
                wait_us: one.wait_us.saturating_add(other.wait_us),
                execute_us: one.execute_us.saturating_add(other.execute_us),
            }),
        };
        self.unordered = (of_these + u32::from(unordered), all + 1);
    }
}
