//! The YCSB workloads as the harness sees them: their kinds, and the requests that their commands
//! make.

use super::service::{Op, Record, Table};
use super::settings::Ycsb;
use super::steps::{Step, Steps};
use crate::workload::contract::Workload;
use crate::workload::random::payload;
use ssmr_core::topology::mix;
use ssmr_core::{ObjectId, Request};

impl Workload for Ycsb {
    const KINDS: &'static [&'static str] =
        &["create", "read", "update", "scan", "read-modify-write"];
    type App = Table;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        self.mix.name
    }

    fn preload_count(&self) -> u64 {
        self.records
    }

    fn preload(&self, number: u64) -> Request {
        self.request(Step::Create {
            key: number,
            stamp: number,
        })
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        Steps::new(self, client)
    }

    fn kind(step: &Step) -> usize {
        match step {
            Step::Create { .. } => 0,
            Step::Read { .. } => 1,
            Step::Update { .. } => 2,
            Step::Scan { .. } => 3,
            Step::ReadModifyWrite { .. } => 4,
        }
    }

    fn written_bytes(&self, step: &Step) -> Vec<(ObjectId, u64)> {
        let size = |stamp| self.field_size.of(stamp) as u64;
        match step {
            Step::Create { key, stamp } => {
                let sizes = (0..self.fields).map(|number| size(field_stamp(*stamp, number)));
                vec![(self.object(*key), sizes.sum())]
            }
            Step::Update { key, stamp, .. } | Step::ReadModifyWrite { key, stamp, .. } => {
                vec![(self.object(*key), size(*stamp))]
            }
            Step::Read { .. } | Step::Scan { .. } => Vec::new(),
        }
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<Table>(&Op::Read(object))
    }

    fn request(&self, step: Step) -> Request {
        let access = |op| Request::access::<Table>(&op);
        let value = |stamp| payload(stamp, self.field_size.of(stamp));
        match step {
            Step::Create { key, stamp } => {
                let field = |number| value(field_stamp(stamp, number));
                let record: Record = (0..self.fields).map(field).collect();
                Request::create::<Table>(self.object(key), &record, None)
            }
            Step::Read { key } => access(Op::Read(self.object(key))),
            Step::Update { key, field, stamp } => {
                access(Op::Update(self.object(key), field, value(stamp)))
            }
            Step::Scan { first, count } => access(Op::Scan(
                (first..first + count).map(|key| self.object(key)).collect(),
            )),
            Step::ReadModifyWrite { key, field, stamp } => {
                access(Op::ReadModifyWrite(self.object(key), field, value(stamp)))
            }
        }
    }
}

/// The stamp of one field of a record.
fn field_stamp(record: u64, number: u16) -> u64 {
    mix(record ^ u64::from(number))
}

impl Ycsb {
    /// The object of a key.
    fn object(&self, key: u64) -> ObjectId {
        self.run.object(key, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{FIELD, MIXES};
    use super::*;
    use crate::workload::run_number::RunNumber;
    use std::collections::BTreeMap;

    fn ycsb(mix: usize) -> Ycsb {
        Ycsb {
            mix: &MIXES[mix],
            seed: 1,
            clients: 4,
            run: RunNumber::ZERO,
            records: 1_000,
            fields: 10,
            field_size: FIELD,
            popularity: MIXES[mix].popularity,
            scan_length: 100,
        }
    }

    #[test]
    fn the_mixes_are_as_published() {
        for (place, mix) in MIXES.iter().enumerate() {
            let mut counts = [0_u32; 5];
            for step in ycsb(place).steps(0).take(20_000) {
                counts[Ycsb::kind(&step)] += 1;
            }
            for (count, percentage) in counts.iter().zip(mix.percentages) {
                let expected = percentage * 200;
                let near = count.abs_diff(expected) <= expected / 5;
                assert!(near, "{}: {counts:?}", mix.name);
            }
        }
    }

    /// How often each key is read, the most popular one first.
    fn reads(workload: &Ycsb) -> Vec<(u64, u32)> {
        let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
        for step in workload.steps(0).take(10_000) {
            if let Step::Read { key } = step {
                *counts.entry(key).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    #[test]
    fn popular_records_are_few_and_lie_apart() {
        let counts = reads(&ycsb(2));
        let top: u32 = counts.iter().take(100).map(|(_, count)| count).sum();
        assert!((6_000..8_000).contains(&top), "{top} of 10,000 for a tenth");
        let keys: Vec<u64> = counts.iter().take(10).map(|(key, _)| *key).collect();
        assert!(keys.iter().max().unwrap() - keys.iter().min().unwrap() > 500);
    }

    #[test]
    fn in_d_the_newest_records_are_the_popular_ones() {
        let workload = ycsb(3);
        let mut steps = workload.steps(0);
        let (mut read, mut young) = (0, 0);
        let mut newest = workload.records;
        for step in steps.by_ref().take(20_000) {
            match step {
                Step::Create { key, .. } => newest = key,
                Step::Read { key } => {
                    read += 1;
                    young += u32::from(key + 100 > newest);
                }
                _ => panic!("{step:?}"),
            }
        }
        assert!(newest > workload.records + 3_000, "{newest}");
        assert!(young * 10 > read * 6, "{young} of {read}");
    }

    #[test]
    fn scans_stay_among_what_was_loaded() {
        let workload = ycsb(4);
        let mut longest = 0;
        for step in workload.steps(1).take(5_000) {
            if let Step::Scan { first, count } = step {
                assert!(first + count <= workload.records);
                longest = longest.max(count);
                let request = workload.request(Step::Scan { first, count });
                assert_eq!(request.intents().len() as u64, count);
            }
        }
        assert_eq!(longest, workload.scan_length);
    }

    #[test]
    fn records_have_their_fields_and_clients_insert_different_ones() {
        let workload = ycsb(3);
        let created = |client| {
            let steps = workload.steps(client).take(1_000);
            steps.filter_map(|step| match step {
                Step::Create { key, .. } => Some(key),
                _ => None,
            })
        };
        assert!(created(0).all(|key| created(1).all(|other| other != key)));
        let empty = Request::create::<Table>(ObjectId::new(0, 0), &Vec::new(), None);
        let size = |request: &Request| ssmr_core::codec::encode(request).len();
        let record = size(&workload.preload(0)) - size(&empty);
        assert!((1_000..1_100).contains(&record), "{record} bytes");
    }
}
