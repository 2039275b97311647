//! Workload `tpcc` as the harness sees it.

use super::conditions::Conditions;
use super::service::{Call, Op, Supplier};
use super::settings::{TRANSACTIONS, Tpcc};
use super::steps::{Deed, Step, Steps};
use crate::workload::contract::{Invariants, Next, Workload};
use crate::workload::run_number::RunNumber;
use ssmr_core::{Completion, ObjectId, Request};

impl Workload for Tpcc {
    const KINDS: &'static [&'static str] = &{
        let mut kinds = [""; TRANSACTIONS.len()];
        let mut place = 0;
        while place < kinds.len() {
            kinds[place] = TRANSACTIONS[place].0;
            place += 1;
        }
        kinds
    };
    type App = Supplier;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        "tpcc"
    }

    fn preload_count(&self) -> u64 {
        self.warehouses.len() as u64 * self.batches()
    }

    fn preload(&self, number: u64) -> Request {
        let warehouse = self.warehouses[(number / self.batches()) as usize];
        self.load(warehouse, self.batch(number % self.batches()))
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        Steps::new(self, client)
    }

    fn kind(step: &Step) -> usize {
        match step.deed {
            Deed::NewOrder { .. } => 0,
            Deed::Payment { .. } => 1,
            Deed::OrderStatus { .. } => 2,
            Deed::Delivery { .. } => 3,
            Deed::StockLevel { .. } => 4,
        }
    }

    fn read(object: ObjectId) -> Request {
        read(&[object])
    }

    fn request(&self, step: Step) -> Request {
        match self.next(&step, &[]) {
            Next::Read(request) | Next::Commit(request) => request,
            Next::End => Request::default(),
        }
    }

    fn transact(&self, step: &Step, reads: &[Completion]) -> Option<Next> {
        Some(self.next(step, reads))
    }

    fn read_together(objects: &[ObjectId]) -> Option<Request> {
        Some(read(objects))
    }

    fn invariants(&self) -> Option<Box<dyn Invariants<Supplier>>> {
        Some(Box::new(Conditions::new(&self.warehouses)))
    }
}

/// Reads rows of whatever run, by the names that they have there.
fn read(rows: &[ObjectId]) -> Request {
    Request::access::<Supplier>(&Call {
        run: RunNumber::ZERO,
        op: Op::Read(rows.to_vec()),
    })
}
