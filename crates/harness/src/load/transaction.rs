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
            // A transaction depends on what it reads: nothing of it is stale.
            stale: _,
            stale_misses: _,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::contract::Invariants;
    use ssmr_core::{
        Access, Application, Intent, LocalTime, LogicalClock, ObjectId, Objects, PartitionId,
        Revision, Timestamp, Touch,
    };

    const READ: ObjectId = ObjectId::new(1, 0);
    const MADE: ObjectId = ObjectId::new(1, 1);

    /// A service of which nothing is asked.
    struct Idle;

    impl Application for Idle {
        const NAME: &'static str = "idle";
        type Object = ();
        type Op = ();
        type Reply = ();

        fn access((): &()) -> Access {
            Access::default()
        }
        fn execute((): &(), _: &mut Objects<()>) {}
    }

    /// Reads one object twice, and creates another.
    #[derive(serde::Serialize)]
    struct Twice;

    impl Workload for Twice {
        const KINDS: &'static [&'static str] = &["twice"];
        type App = Idle;
        type Step = ();
        type Steps = std::iter::Repeat<()>;

        fn name(&self) -> &'static str {
            "twice"
        }
        fn preload_count(&self) -> u64 {
            0
        }
        fn preload(&self, _: u64) -> Request {
            Request::default()
        }
        fn client_count(&self) -> u64 {
            1
        }
        fn steps(&self, _: u64) -> Self::Steps {
            std::iter::repeat(())
        }
        fn kind((): &()) -> usize {
            0
        }
        fn read(object: ObjectId) -> Request {
            Request::default().and(object, Intent::Read)
        }
        fn request(&self, (): ()) -> Request {
            Self::read(READ)
        }
        fn transact(&self, (): &(), reads: &[Completion]) -> Option<Next> {
            Some(match reads.len() {
                0 | 1 => Next::Read(Self::read(READ)),
                _ => Next::Commit(create()),
            })
        }
        fn invariants(&self) -> Option<Box<dyn Invariants<Idle>>> {
            None
        }
    }

    fn create() -> Request {
        Request::create::<Idle>(MADE, &(), None)
    }

    fn revision(version: u64) -> Revision {
        Revision {
            epoch: Timestamp::new(LogicalClock(1), PartitionId(0).into()),
            version,
        }
    }

    /// An end that tells the object that is read at this version.
    fn ended(outcome: Outcome, version: u64) -> Completion {
        let before = Some(revision(version));
        Completion {
            ticket: 0,
            outcome,
            timestamp: None,
            touched: vec![Touch {
                object: READ,
                before,
                after: before,
            }],
            last_attempt: None,
            invoked: LocalTime::from_micros(0),
            completed: LocalTime::from_micros(1),
            cost: Cost {
                groups: 2,
                unordered: true,
                ..Cost::default()
            },
        }
    }

    fn done(version: u64) -> Completion {
        ended(Outcome::Done(bytes::Bytes::new()), version)
    }

    fn read() -> Then {
        Then::Ask(Twice::read(READ))
    }

    /// What is created, expecting the object that was read at this version.
    fn commit(version: u64) -> Then {
        let request = create().and(READ, Intent::Read);
        Then::Ask(request.expecting(READ, revision(version)))
    }

    fn question(version: u64) -> Then {
        Then::Ask(Twice::read(READ).expecting(READ, revision(version)))
    }

    fn begun() -> Transaction<()> {
        let (transaction, then) = Transaction::begin((), Next::Read(Twice::read(READ)));
        assert_eq!(then, read());
        transaction
    }

    #[test]
    fn its_commit_expects_what_it_has_read_and_begins_anew_if_that_has_changed() {
        let mut transaction = begun();
        assert_eq!(transaction.go_on(&Twice, &done(3)), read());
        assert_eq!(transaction.go_on(&Twice, &done(3)), commit(3));
        let changed = ended(Outcome::Changed, 4);
        assert_eq!(transaction.go_on(&Twice, &changed), read());
        assert_eq!(transaction.go_on(&Twice, &done(4)), read());
        assert_eq!(transaction.go_on(&Twice, &done(4)), commit(4));
        assert_eq!(transaction.go_on(&Twice, &done(4)), Then::End(End::Ok));
        let cost = transaction.cost();
        assert_eq!((cost.groups, cost.unordered), (12, true));
        assert_eq!(transaction.conflicts(), 1);
    }

    #[test]
    fn reads_that_do_not_fit_each_other_begin_anew() {
        let mut transaction = begun();
        assert_eq!(transaction.go_on(&Twice, &done(3)), read());
        assert_eq!(transaction.go_on(&Twice, &done(4)), read(), "the first one");
        assert_eq!(
            transaction.go_on(&Twice, &done(4)),
            read(),
            "the second one"
        );
        assert_eq!(transaction.go_on(&Twice, &done(4)), commit(4));
        assert_eq!(transaction.conflicts(), 1);
    }

    #[test]
    fn a_commit_that_meets_what_exists_asks_whether_that_is_because_its_reads_have_passed() {
        for (answer, expected) in [
            (done(3), Then::End(End::Ok)),
            (ended(Outcome::Changed, 4), read()),
            (ended(Outcome::NotFound, 4), read()),
            (ended(Outcome::Unknown, 4), Then::End(End::Error)),
        ] {
            let mut transaction = begun();
            transaction.go_on(&Twice, &done(3));
            assert_eq!(transaction.go_on(&Twice, &done(3)), commit(3));
            let exists = ended(Outcome::AlreadyExists, 3);
            assert_eq!(transaction.go_on(&Twice, &exists), question(3));
            assert_eq!(transaction.go_on(&Twice, &answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn what_is_not_answered_ends_it() {
        for (outcome, end) in [
            (Outcome::Unknown, End::Error),
            (Outcome::Unsupported, End::Unsupported),
        ] {
            let mut transaction = begun();
            let last = ended(outcome.clone(), 3);
            assert_eq!(transaction.go_on(&Twice, &last), Then::End(end));
            let mut transaction = begun();
            transaction.go_on(&Twice, &done(3));
            transaction.go_on(&Twice, &done(3));
            assert_eq!(transaction.go_on(&Twice, &last), Then::End(end));
        }
    }
}
