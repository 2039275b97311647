//! The service of the YCSB workloads: records of fields.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::{Access, Application, ObjectId, Objects};

/// A table of records.
#[derive(Debug)]
pub(crate) struct Table;

/// The fields of a record.
pub(crate) type Record = Vec<Bytes>;

/// What can be done with records that exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Read a record.
    Read(ObjectId),
    /// Overwrite one field.
    Update(ObjectId, u16, Bytes),
    /// Read records.
    Scan(Vec<ObjectId>),
    /// Read a record and overwrite one field.
    ReadModifyWrite(ObjectId, u16, Bytes),
}

impl Application for Table {
    const NAME: &'static str = "ycsb";
    type Object = Record;
    type Op = Op;
    /// The records that were read.
    type Reply = Vec<Record>;

    fn access(op: &Op) -> Access {
        match op {
            Op::Read(record) => Access {
                reads: vec![*record],
                writes: Vec::new(),
            },
            Op::Scan(records) => Access {
                reads: records.clone(),
                writes: Vec::new(),
            },
            // The other fields stay.
            Op::Update(record, ..) | Op::ReadModifyWrite(record, ..) => Access {
                reads: vec![*record],
                writes: vec![*record],
            },
        }
    }

    fn execute(op: &Op, objects: &mut Objects<Record>) -> Vec<Record> {
        let read = |objects: &Objects<Record>, record: &ObjectId| objects.get(*record).cloned();
        match op {
            Op::Read(record) => read(objects, record).into_iter().collect(),
            Op::Scan(records) => records.iter().filter_map(|r| read(objects, r)).collect(),
            Op::Update(record, field, new) => {
                write(objects, *record, *field, new);
                Vec::new()
            }
            Op::ReadModifyWrite(record, field, new) => {
                let before = read(objects, record);
                write(objects, *record, *field, new);
                before.into_iter().collect()
            }
        }
    }
}

fn write(objects: &mut Objects<Record>, record: ObjectId, field: u16, new: &Bytes) {
    objects.update(record, |fields| {
        if let Some(place) = fields.get_mut(usize::from(field)) {
            *place = new.clone();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_check::check_application;

    #[test]
    fn it_keeps_the_rules_of_an_application() {
        let (x, y) = (ObjectId::new(0, 1), ObjectId::new(0, 2));
        let new = Bytes::from_static(b"new");
        let operations = [
            Op::Read(x),
            Op::Scan(vec![x, y]),
            Op::Update(x, 1, new.clone()),
            Op::Update(x, 9, new.clone()),
            Op::ReadModifyWrite(y, 0, new),
        ];
        let value = |_, number: u64| vec![Bytes::copy_from_slice(&number.to_le_bytes()); 2];
        let summary = check_application::<Table>(operations, value).unwrap();
        assert_eq!(summary.with_changes, 2);
    }
}
