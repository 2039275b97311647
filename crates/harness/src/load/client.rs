//! One client of the load: loads its share, then issues the commands of its workload at its pace.
//!
//! It never looks at an answer to choose a command; within one that is a transaction, what was read
//! decides what is asked next. Invariant: each submitted request is recorded
//! exactly once, with the completion that the engine gave it; as unknown, if the load was
//! abandoned.

use super::churn::ClientChurn;
use super::job::{Job, Plan, abandoned};
use super::order::Turn;
use super::pace::Pace;
use super::sample::{ClientReport, End, Sample};
use super::transaction::{Then, Transaction};
use crate::workload::contract::Workload;
use anyhow::{Result, bail};
use rustc_hash::FxHashMap;
use ssmr_core::{CacheReads, Completion, Cost, Micros, Oracle, Outcome, Request};
use ssmr_net::{ConfigError, Pipeline, TrafficCount};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::watch;

/// How many creates a client keeps outstanding while it loads.
const LOADING: usize = 64;

/// How long the groups have at the end for telling what became of requests that they did not answer
/// in time. Attempts are repeated every 4 s by then.
const SETTLING: Duration = Duration::from_secs(10);

/// After so many refusals in a row a client pauses. They cost nothing, so a workload that consists
/// of what a strategy refuses would be issued a million times a second, to no end but filling the
/// memory.
const REFUSALS: u32 = 32;

/// How long it pauses. There is no event to wait for.
const PAUSE: Duration = Duration::from_millis(20);

/// A client.
pub(super) struct LoadClient<W: Workload> {
    job: Arc<Job<W>>,
    number: u64,
    pipeline: Pipeline,
    /// Whether objects can move under the strategy.
    can_move: bool,
    pending: FxHashMap<u64, Pending<W::Step>>,
    samples: Vec<Sample>,
    /// How many commands in a row the strategy has refused.
    refusals: u32,
    /// What went wrong first while loading.
    not_loaded: Option<Outcome>,
    /// Whether what is under way is not to be waited for.
    abandon: watch::Receiver<bool>,
    /// What it had sent when measuring began, and what it sent from then until it ended.
    before: Option<TrafficCount>,
    sent: TrafficCount,
}

/// A request that has not ended.
struct Pending<S> {
    request: Request,
    /// The command; none while loading.
    command: Option<Issued<S>>,
}

/// A command that was issued.
struct Issued<S> {
    kind: usize,
    due: Micros,
    late: Micros,
    /// Its number, if others may wait for it.
    number: Option<u32>,
    /// How far it is, if it is a transaction.
    transaction: Option<Box<Transaction<S>>>,
}

/// A command whose turn has not come.
struct Held<S> {
    step: S,
    after: Vec<u32>,
}

impl<W: Workload> LoadClient<W> {
    pub(super) fn new(
        job: Arc<Job<W>>,
        number: u64,
        oracle: Arc<dyn Oracle>,
    ) -> Result<Self, ConfigError> {
        let id = job.id(number);
        let can_move = oracle.movable();
        let pipeline = Pipeline::new::<W::App>(&job.config, id, oracle, job.settings, job.clock)?;
        let abandon = job.abandon.subscribe();
        Ok(Self {
            job,
            abandon,
            number,
            pipeline,
            can_move,
            pending: FxHashMap::default(),
            samples: Vec::new(),
            refusals: 0,
            not_loaded: None,
            before: None,
            sent: TrafficCount::default(),
        })
    }

    /// Creates this client's share of the objects.
    pub(super) async fn load(&mut self) -> Result<()> {
        let job = self.job.clone();
        let objects = self.number..job.workload.preload_count();
        let mut share = objects.step_by(job.workload.client_count() as usize);
        loop {
            while self.pending.len() < LOADING
                && !job.stop.load(Relaxed)
                && let Some(object) = share.next()
            {
                self.submit(job.workload.preload(object), None);
            }
            if self.pending.is_empty() {
                break;
            }
            self.take().await;
            job.loaded.fetch_add(1, Relaxed);
        }
        if let Some(outcome) = &self.not_loaded {
            if *outcome == Outcome::AlreadyExists && !job.run.is_zero() {
                let run = job.run;
                bail!("an earlier run on this cluster had number {run}, too: run it again");
            }
            bail!("an object could not be created: {outcome:?}");
        }
        Ok(())
    }

    /// Waits for the plan, carries it out, and waits for what is outstanding.
    pub(super) async fn run(&mut self, mut plan: watch::Receiver<Option<Plan>>, pace: Pace) {
        let plan = plan
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|plan| *plan);
        if let Some(plan) = plan {
            self.issue(plan, pace).await;
        }
        while !self.pending.is_empty() {
            self.take().await;
        }
        let _ = tokio::time::timeout(SETTLING, self.settle()).await;
    }

    /// Asks the groups what became of requests that ended as unknown: the engine repeats each
    /// attempt until it is answered, and a group that has executed it answers with what it
    /// recorded.
    async fn settle(&mut self) {
        loop {
            tokio::select! {
                answer = self.pipeline.late_answer() => match answer {
                    Some(answer) => self.job.recorder.attribute(&answer),
                    None => break,
                },
                () = abandoned(&mut self.abandon) => break,
            }
        }
    }

    /// What it did.
    pub(super) fn report(self) -> ClientReport {
        ClientReport {
            samples: self.samples,
            sent: self.sent,
        }
    }

    /// Issues commands until the plan says that it is enough.
    async fn issue(&mut self, plan: Plan, mut pace: Pace) {
        let job = self.job.clone();
        let mut steps = job.workload.steps(self.number);
        let partitions = job.config.topology.partitions().len() as u8;
        let (kinds, seed) = (W::KINDS, job.seed);
        let mut churn = ClientChurn::new(job.churn, kinds, seed, job.run, self.number, partitions);
        let mut left = job.operations.unwrap_or(u64::MAX);
        let (mut due, mut held) = (None, None);
        'issuing: loop {
            loop {
                let now = job.clock.now().micros();
                if pace.is_over(now, plan.until) || left == 0 || job.stop.load(Relaxed) {
                    break 'issuing;
                }
                if now >= plan.from && self.before.is_none() {
                    self.before = Some(self.pipeline.traffic());
                }
                let Some(at) = due.take().or_else(|| pace.due(self.pending.len(), now)) else {
                    break;
                };
                if held.is_none()
                    && let Some((kind, request)) = churn.next(&*job.workload)
                {
                    left -= u64::from(at >= plan.from);
                    self.mixed_in(kind, request, at, now.saturating_sub(at));
                    continue;
                }
                let next = held.take().or_else(|| {
                    let step = steps.next()?;
                    let after = job.workload.after(&step);
                    Some(Held { step, after })
                });
                let Some(Held { step, after }) = next else {
                    break 'issuing;
                };
                let turn = job.order.turn(self.number, &after);
                if turn != Turn::Now {
                    held = Some(Held { step, after });
                    due = pace.keeps(at);
                    if turn == Turn::Never {
                        break 'issuing;
                    }
                    break;
                }
                left -= u64::from(at >= plan.from);
                self.command(step, at, now.saturating_sub(at));
            }
            tokio::select! {
                completion = self.pipeline.next() => self.finish(&completion),
                () = abandoned(&mut self.abandon) => break,
                () = job.order.changed(self.number), if held.is_some() => {}
                at = pace.next(self.pending.len()), if due.is_none() => match at {
                    Some(at) => due = Some(at),
                    None => break,
                },
            }
            while let Some(completion) = self.pipeline.try_next() {
                self.finish(&completion);
            }
            if self.refusals >= REFUSALS && self.pending.is_empty() {
                self.refusals = 0;
                tokio::time::sleep(PAUSE).await;
            }
        }
        if let Some(before) = self.before {
            self.sent = self.pipeline.traffic() - before;
        }
        if job.workload.command_count().is_some() {
            let unissued = held.map(|held| held.step).into_iter().chain(steps);
            unissued
                .filter_map(|step| W::number(&step))
                .for_each(|n| job.order.pass_over(n));
        }
    }

    /// Issues a command that was due then.
    fn command(&mut self, step: W::Step, due: Micros, late: Micros) {
        let mut issued = Issued {
            kind: W::kind(&step),
            due,
            late,
            number: W::number(&step),
            transaction: None,
        };
        if let Some(next) = self.job.workload.transact(&step, &[]) {
            let (transaction, then) = Transaction::begin(step, next);
            issued.transaction = Some(Box::new(transaction));
            let now = self.job.clock.now().micros();
            self.go_on(issued, then, now);
            return;
        }
        let job = &self.job;
        let written = (job.tape.is_some()).then(|| job.workload.written_bytes(&step));
        let request = match self.can_move {
            true => job.workload.request(step),
            false => job.workload.request_without_moves(step),
        };
        if let Some((tape, written)) = job.tape.as_ref().zip(written) {
            tape.issued(self.number, &request, written);
        }
        self.issue_alone(request, issued);
    }

    /// Issues a command that is none of the workload's.
    fn mixed_in(&mut self, kind: usize, request: Request, due: Micros, late: Micros) {
        if let Some(tape) = &self.job.tape {
            tape.issued(self.number, &request, Vec::new());
        }
        let issued = Issued {
            kind,
            due,
            late,
            number: None,
            transaction: None,
        };
        self.issue_alone(request, issued);
    }

    /// Issues a command that is no part of a transaction: what depends on it reads in order.
    fn issue_alone(&mut self, request: Request, issued: Issued<W::Step>) {
        match self.job.cache_reads {
            CacheReads::Checked => self.submit(request, Some(issued)),
            CacheReads::Stale => {
                let ticket = self.pipeline.submit_stale(request.clone());
                let command = Some(issued);
                self.pending.insert(ticket, Pending { request, command });
            }
        }
    }

    /// A transaction asks its next request, or has ended then.
    fn go_on(&mut self, issued: Issued<W::Step>, then: Then, now: Micros) {
        match then {
            Then::Ask(request) => {
                if let Some(tape) = &self.job.tape {
                    tape.issued(self.number, &request, Vec::new());
                }
                self.submit(request, Some(issued));
            }
            Then::End(end) => self.ended(&issued, end, now, Cost::default()),
        }
    }

    /// Waits for one completion; or makes do without, if nobody will answer.
    async fn take(&mut self) {
        tokio::select! {
            completion = self.pipeline.next() => self.finish(&completion),
            () = abandoned(&mut self.abandon) => {
                while let Some(completion) = self.pipeline.try_next() {
                    self.finish(&completion);
                }
                let tickets: Vec<u64> = self.pending.keys().copied().collect();
                for ticket in tickets {
                    let completion = self.pipeline.abandoned(ticket);
                    self.finish(&completion);
                }
            }
        }
    }

    fn submit(&mut self, request: Request, command: Option<Issued<W::Step>>) {
        let ticket = self.pipeline.submit(request.clone());
        self.pending.insert(ticket, Pending { request, command });
    }

    fn finish(&mut self, completion: &Completion) {
        let Some(Pending { request, command }) = self.pending.remove(&completion.ticket) else {
            unreachable!("{completion:?} belongs to no request")
        };
        let id = self.job.id(self.number);
        match completion.cost.stale {
            false => self.job.recorder.record(id, &request, completion),
            true => self.job.recorder.record_stale(id, &request, completion),
        }
        let Some(mut issued) = command else {
            if !matches!(completion.outcome, Outcome::Done(_)) {
                self.not_loaded.get_or_insert(completion.outcome.clone());
            }
            return;
        };
        let at = completion.completed.micros();
        match &mut issued.transaction {
            None => self.ended(&issued, End::from(&completion.outcome), at, completion.cost),
            Some(transaction) => {
                let then = transaction.go_on(&*self.job.workload, completion);
                self.go_on(issued, then, at);
            }
        }
    }

    /// A command has ended. `cost` is that of one that is no transaction.
    fn ended(&mut self, issued: &Issued<W::Step>, end: End, completed: Micros, cost: Cost) {
        if let Some(number) = issued.number {
            self.job.order.end(number);
        }
        self.refusals = match end {
            End::Unsupported => self.refusals + 1,
            _ => 0,
        };
        let transaction = issued.transaction.as_ref();
        self.samples.push(Sample {
            kind: issued.kind,
            due: issued.due,
            late: issued.late,
            completed,
            end,
            cost: transaction.map_or(cost, |transaction| transaction.cost()),
            conflicts: transaction.map(|transaction| transaction.conflicts()),
        });
    }
}
