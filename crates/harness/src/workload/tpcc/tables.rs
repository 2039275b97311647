//! The rows of one run, by the ids that they have in run 0.

use super::rows::Row;
use crate::workload::run_number::RunNumber;
use ssmr_core::{Access, ObjectId, Objects};

/// The rows of a run that an operation works on.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    run: RunNumber,
    objects: &'a mut Objects<Row>,
}

impl<'a> Tables<'a> {
    /// Those of this run among these objects.
    pub(super) fn new(run: RunNumber, objects: &'a mut Objects<Row>) -> Self {
        Self { run, objects }
    }

    /// A row, if it can be read.
    pub(super) fn get(&self, row: ObjectId) -> Option<&Row> {
        self.objects.get(of_run(self.run, row))
    }

    /// Changes a row.
    pub(super) fn update(&mut self, row: ObjectId, change: impl FnOnce(&mut Row)) {
        self.objects.update(of_run(self.run, row), change);
    }
}

/// The row of this run for one of run 0, and the other way round.
pub(super) fn of_run(run: RunNumber, row: ObjectId) -> ObjectId {
    run.object(row.attribute, row.key)
}

/// What an operation on rows of run 0 reads and writes in this run.
pub(super) fn access_of_run(run: RunNumber, Access { reads, writes }: Access) -> Access {
    let all = |rows: Vec<ObjectId>| rows.into_iter().map(|row| of_run(run, row)).collect();
    Access {
        reads: all(reads),
        writes: all(writes),
    }
}
