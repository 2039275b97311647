//! Rows in memory, on which transactions are carried out one request at a time.

use super::rows::Row;
use super::service::{Call, Reply, Supplier};
use super::settings::{Scale, Tpcc, warehouses};
use super::steps::Step;
use crate::workload::contract::{Next, Workload};
use crate::workload::run_number::RunNumber;
use ssmr_core::application::{Operand, run};
use ssmr_core::{
    Completion, Cost, Intent, LocalTime, ObjectId, Outcome, Request, Revision, Touch, codec,
};
use std::collections::BTreeMap;

/// The mini scale, with two warehouses at two partitions.
pub(super) fn tpcc() -> Tpcc {
    Tpcc {
        seed: 1,
        clients: 4,
        run: RunNumber::ZERO,
        partitions: 2,
        scale: Scale::Mini,
        warehouses: warehouses(2, 2),
        remote_lines: 1,
        remote_payments: 15,
    }
}

/// A database.
#[derive(Clone, Default)]
pub(super) struct Rows(pub(super) BTreeMap<ObjectId, Row>);

impl Rows {
    /// What is loaded.
    pub(super) fn loaded(tpcc: &Tpcc) -> Self {
        let mut rows = Self::default();
        rows.load(tpcc);
        rows
    }

    /// Loads a run's rows, beside what is there.
    pub(super) fn load(&mut self, tpcc: &Tpcc) {
        for number in 0..tpcc.preload_count() {
            let loaded = self.execute(&tpcc.preload(number)).outcome;
            assert!(
                matches!(loaded, Outcome::Done(_)),
                "batch {number}: {loaded:?}"
            );
        }
    }

    /// Carries out a transaction by itself. Returns its requests, and how the last one ended.
    pub(super) fn transact(&mut self, tpcc: &Tpcc, step: &Step) -> (Vec<Request>, Option<Outcome>) {
        let (mut reads, mut requests) = (Vec::new(), Vec::new());
        loop {
            let next = tpcc.transact(step, &reads).unwrap();
            let (Next::Read(request) | Next::Commit(request)) = &next else {
                return (requests, None);
            };
            let completion = self.execute(request);
            requests.push(request.clone());
            if matches!(next, Next::Commit(_)) {
                return (requests, Some(completion.outcome));
            }
            let changes = |(_, intent): &(_, Intent)| *intent != Intent::Read;
            assert!(!request.intents().iter().any(changes), "{request:?}");
            reads.push(completion);
        }
    }

    /// What all rows together violate.
    pub(super) fn violations(&self, tpcc: &Tpcc) -> Vec<String> {
        let mut invariants = tpcc.invariants().unwrap();
        for (object, row) in &self.0 {
            invariants.take(&[*object], Reply::Rows(vec![row.clone()]));
        }
        invariants.violations()
    }

    /// Executes a request as a cluster would.
    pub(super) fn execute(&mut self, request: &Request) -> Completion {
        let intents = request.intents();
        let creates = |intent: &Intent| matches!(intent, Intent::Create { .. });
        let there = |object: &ObjectId| self.0.contains_key(object);
        let exists = intents
            .iter()
            .any(|(object, intent)| creates(intent) && there(object));
        let absent = intents
            .iter()
            .filter(|(object, intent)| !creates(intent) && !there(object));
        let absent = absent.map(|(object, _)| Touch {
            object: *object,
            before: None,
            after: None,
        });
        let absent: Vec<Touch> = absent.collect();
        let outcome = match (exists, absent.is_empty()) {
            (true, _) => Outcome::AlreadyExists,
            (_, false) => Outcome::NotFound,
            _ => Outcome::Done(self.apply(request)),
        };
        let touched = match outcome {
            Outcome::NotFound => absent,
            _ => request.objects().map(touch).collect(),
        };
        completion(outcome, touched)
    }

    fn apply(&mut self, request: &Request) -> bytes::Bytes {
        let named = request.intents().iter();
        let operands = named.filter(|(_, intent)| intent.reads() || intent.writes());
        let operands = operands.map(|(object, intent)| Operand {
            object: *object,
            value: codec::encode(&self.0[object]),
            readable: intent.reads(),
            writable: intent.writes(),
        });
        let operands: Vec<Operand> = operands.collect();
        let effect = match request.op.is_empty() {
            true => Default::default(),
            false => run::<Supplier>(&request.op, operands).unwrap(),
        };
        for (object, value) in effect.changed {
            self.0.insert(object, codec::decode(&value).unwrap());
        }
        for (object, intent) in request.intents() {
            match intent {
                Intent::Create { value, .. } => {
                    self.0.insert(*object, codec::decode(value).unwrap());
                }
                Intent::Delete => {
                    self.0.remove(object);
                }
                _ => {}
            }
        }
        effect.reply
    }
}

fn touch(object: ObjectId) -> Touch {
    let revision = Some(Revision::default());
    Touch {
        object,
        before: revision,
        after: revision,
    }
}

fn completion(outcome: Outcome, touched: Vec<Touch>) -> Completion {
    Completion {
        ticket: 0,
        outcome,
        timestamp: None,
        touched,
        last_attempt: None,
        invoked: LocalTime::from_micros(0),
        completed: LocalTime::from_micros(0),
        cost: Cost::default(),
    }
}

/// The operation of a request.
pub(super) fn operation(request: &Request) -> Call {
    codec::decode(&request.op).unwrap()
}
