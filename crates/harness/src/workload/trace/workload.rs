//! Workload `trace` as the harness sees it: its kinds, and the requests that its commands make.

use super::memory::{Content, NONE, Part, under};
use super::reading::Whole;
use super::service::{self, Store, Touch};
use super::steps::{Step, Steps};
use crate::numbers::grouped;
use crate::trace::command::Op;
use crate::trace::digest::TraceDigest;
use crate::workload::contract::{Arrival, Workload};
use crate::workload::random::payload;
use crate::workload::run_number::RunNumber;
use bytes::Bytes;
use serde::Serialize;
use ssmr_check::Terms;
use ssmr_core::topology::mix;
use ssmr_core::{Intent, Micros, ObjectId, PartitionId, Request, Topology, codec};
use std::sync::Arc;

/// A trace, and how it is replayed.
#[derive(Debug, Serialize)]
pub(crate) struct Trace {
    clients: u64,
    #[serde(skip)]
    run: RunNumber,
    #[serde(skip)]
    topology: Topology,
    #[serde(skip)]
    content: Arc<Content>,
    #[serde(skip)]
    digest: TraceDigest,
    /// How many times as fast as it was recorded, if its times count.
    speed: Option<f64>,
    #[serde(skip)]
    hopeless: u64,
}

impl Trace {
    /// What was read, to be replayed by this run on so many partitions.
    pub(super) fn new(
        whole: Whole,
        run: RunNumber,
        topology: Topology,
        speed: Option<f64>,
    ) -> Self {
        Self {
            clients: whole.content.shares.len() as u64,
            run,
            topology,
            content: Arc::new(whole.content),
            digest: whole.digest,
            speed,
            hopeless: whole.hopeless,
        }
    }

    fn build(&self, number: u32, can_move: bool) -> Request {
        let (mut touch, mut others) = (Touch::default(), Vec::new());
        for part in self.content.parts(number) {
            let original = self.content.objects[part.object as usize];
            let object = self.of_run(match can_move {
                true => original,
                false => under(part.home, original),
            });
            let value = || value(number, part);
            match part.op {
                Op::Read => touch.reads.push(object),
                Op::Update => touch.updates.push((object, value())),
                Op::Write => touch.writes.push((object, value())),
                Op::Create => others.push((object, self.create(object, part.to, &value()))),
                Op::Delete => others.push((object, Intent::Delete)),
                Op::Lookup => others.push((object, Intent::Lookup)),
                Op::Move => match part.to {
                    Some(to) => {
                        let to = PartitionId(to);
                        others.push((object, Intent::Move { to }));
                    }
                    None if can_move => {
                        let to = self.topology.home(ObjectId::new(part.target, 0));
                        others.push((object, Intent::Move { to }));
                    }
                    // It stays what it is under another name.
                    None if part.target == part.home => others.push((object, Intent::Lookup)),
                    None => {
                        let renamed = self.of_run(under(part.target, original));
                        others.push((object, Intent::Delete));
                        others.push((renamed, self.create(renamed, None, &value())));
                    }
                },
            }
        }
        let request = match touch.is_empty() {
            true => Request::default(),
            false => Request::access::<Store>(&touch),
        };
        let add = |request: Request, (object, intent)| request.and(object, intent);
        others.into_iter().fold(request, add)
    }

    /// What an object of the trace is in this run.
    fn of_run(&self, object: ObjectId) -> ObjectId {
        self.run.object(object.attribute, object.key)
    }

    /// Creates an object where the trace says, else at the home of its attribute.
    fn create(&self, object: ObjectId, to: Option<u8>, value: &Bytes) -> Intent {
        let home = self.topology.home(object);
        Intent::Create {
            at: Some(to.map_or(home, PartitionId)),
            value: codec::encode(value),
        }
    }
}

/// What a command writes to an object.
fn value(number: u32, part: &Part) -> Bytes {
    let stamp = mix(u64::from(number) << 32 | u64::from(part.object));
    payload(stamp, part.size as usize)
}

impl Workload for Trace {
    const KINDS: &'static [&'static str] = &[
        "create", "read", "write", "update", "delete", "move", "lookup", "multi",
    ];
    type App = Store;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        "trace"
    }

    fn preload_count(&self) -> u64 {
        self.content.loaded.len() as u64
    }

    fn preload(&self, number: u64) -> Request {
        let (object, size) = self.content.loaded[number as usize];
        let value = payload(mix(number), size as usize);
        let object = self.of_run(self.content.objects[object as usize]);
        Request::default().and(object, self.create(object, None, &value))
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        Steps::new(self.content.clone(), client)
    }

    fn kind(step: &Step) -> usize {
        step.kind
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<Store>(&Touch {
            reads: vec![object],
            ..Touch::default()
        })
    }

    fn request(&self, step: Step) -> Request {
        self.build(step.number, true)
    }

    fn request_without_moves(&self, step: Step) -> Request {
        self.build(step.number, false)
    }

    fn command_count(&self) -> Option<u32> {
        Some(self.content.len())
    }

    fn number(step: &Step) -> Option<u32> {
        Some(step.number)
    }

    fn after(&self, step: &Step) -> Vec<u32> {
        let parts = self.content.parts(step.number).iter();
        parts
            .map(|part| part.after)
            .filter(|after| *after != NONE)
            .collect()
    }

    fn arrivals(&self) -> Option<Box<dyn Iterator<Item = Arrival> + Send>> {
        let (speed, content) = (self.speed?, self.content.clone());
        Some(Box::new((0..content.len()).map(move |number| {
            let origin = content.origin(number);
            Arrival {
                client: origin.client,
                after_us: (origin.time_us as f64 / speed) as Micros,
            }
        })))
    }

    fn written_bytes(&self, step: &Step) -> Vec<(ObjectId, u64)> {
        let parts = self.content.parts(step.number).iter();
        let names = |part: &Part| {
            let original = self.content.objects[part.object as usize];
            let [home, target] = [part.home, part.target].map(|at| under(at, original));
            [original, home, target].map(|object| (self.of_run(object), part.size.into()))
        };
        parts.flat_map(names).collect()
    }

    fn terms() -> Terms<Store> {
        service::terms()
    }

    fn digest(&self) -> u64 {
        self.digest.0
    }

    fn notes(&self) -> Vec<String> {
        let hopeless = (self.hopeless > 0).then(|| {
            format!(
                "{} of the trace's {} commands cannot succeed: they create what exists, or need \
                 what does not",
                grouped(self.hopeless),
                grouped(self.content.len().into())
            )
        });
        hopeless.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::reading::{Reading, Shape};
    use super::*;
    use crate::trace::file::TraceForm;
    use crate::trace::reader::TraceReader;

    /// A trace of CSV for three clients and two partitions.
    fn trace(text: &str) -> Trace {
        let mut reading = Reading::new(Shape {
            clients: 3,
            partitions: 2,
            value_size: 9,
        });
        for command in TraceReader::new(text.as_bytes(), TraceForm::Csv).unwrap() {
            reading.add(&command.unwrap()).unwrap();
        }
        let topology = Topology::new(2, 1).unwrap();
        Trace::new(reading.end(), RunNumber::ZERO, topology, Some(2.0))
    }

    /// What each command intends, in the order of the trace, where objects can move or cannot.
    fn intents(trace: &Trace, can_move: bool) -> Vec<Vec<(ObjectId, String)>> {
        let name = |(object, intent): &(ObjectId, Intent)| {
            let name = match intent {
                Intent::Create { .. } => "create".to_owned(),
                Intent::Move { to } => format!("move to {to}"),
                other => format!("{other:?}").to_lowercase(),
            };
            (*object, name)
        };
        let of_one = |number| {
            let request = trace.build(number, can_move);
            assert_eq!(request.defect(&trace.topology), None);
            request.intents().iter().map(name).collect()
        };
        (0..trace.content.len()).map(of_one).collect()
    }

    #[test]
    fn what_cannot_move_is_deleted_and_created_anew_and_found_there() {
        let text = "op,id,attribute,to_attribute\ncreate,7,1,\nmove,7,1,2\nupdate,7,1,\n\
                    move,7,1,1\nread,7,1,\ndelete,7,1,\ncreate,7,1,\n";
        let trace = trace(text);
        let object = ObjectId::new(1, 7);
        let home = |attribute| trace.topology.home(ObjectId::new(attribute, 0));
        let steps = |moves: [String; 2]| {
            let [there, back] = moves;
            let ops = [
                "create", &there, "update", &back, "read", "delete", "create",
            ];
            ops.map(|op| vec![(object, op.to_owned())])
        };
        let moves = [2, 1].map(|attribute| format!("move to {}", home(attribute)));
        assert_eq!(intents(&trace, true), steps(moves));
        let rehomed = intents(&trace, false);
        let there = under(2, object);
        assert_eq!(there.attribute, 2);
        let both = |gone, new| {
            let mut both = vec![(gone, "delete".to_owned()), (new, "create".to_owned())];
            both.sort();
            both
        };
        assert_eq!(rehomed[1], both(object, there));
        assert_eq!(rehomed[2], [(there, "update".to_owned())]);
        assert_eq!(rehomed[3], both(there, object));
        assert_eq!(rehomed[4..], steps(["".into(), "".into()])[4..]);
    }

    #[test]
    fn each_command_comes_after_the_last_ones_on_its_objects() {
        let text = "command,op,id\n0,read,1\n1,read,2\n2,read,1\n2,read,2\n3,read,3\n4,read,1\n";
        let trace = trace(text);
        let steps = (0..3).flat_map(|client| trace.steps(client));
        let mut after: Vec<_> = steps
            .map(|step| (step.number, trace.after(&step)))
            .collect();
        after.sort();
        let expected = [vec![], vec![], vec![0, 1], vec![], vec![2]];
        assert_eq!(after, (0..).zip(expected).collect::<Vec<_>>());
        let numbers: Vec<u32> = trace.steps(1).map(|step| step.number).collect();
        assert_eq!(
            numbers,
            [1, 4],
            "commands without a client go to each in turn"
        );
    }

    #[test]
    fn objects_have_the_sizes_that_the_trace_says() {
        let text = "op,id,size,to_attribute\nread,1,30,\nwrite,1,20,\nmove,1,,5\nwrite,2,,\n";
        let trace = trace(text);
        assert_eq!((trace.preload_count(), trace.command_count()), (2, Some(4)));
        let size = |request: &Request| match request.intents() {
            [.., (_, Intent::Create { value, .. })] | [(_, Intent::Create { value, .. }), ..] => {
                value.len() - 8
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(size(&trace.preload(0)), 30);
        assert_eq!(size(&trace.preload(1)), 9);
        assert_eq!(size(&trace.build(2, false)), 20, "it is as large anew");
    }

    #[test]
    fn times_are_those_of_the_trace_at_its_speed() {
        let trace = trace("time_us,client,op,id\n0,5,read,1\n,,read,1\n300,1,read,1\n");
        let arrivals: Vec<_> = trace.arrivals().unwrap().collect();
        let arrival = |client, after_us| Arrival { client, after_us };
        assert_eq!(arrivals, [arrival(2, 0), arrival(1, 0), arrival(1, 150)]);
    }

    #[test]
    fn the_digest_tells_what_is_replayed_apart() {
        let base = trace("op,id\nread,1\nread,2\n").digest();
        assert_eq!(trace("id,op,time_us\n1,read,\n2,read,\n").digest(), base);
        for other in [
            "op,id\nread,2\nread,1\n",
            "op,id\nread,1\n",
            "op,id\nread,1\nwrite,2\n",
            "command,op,id\n1,read,1\n1,read,2\n",
            "op,id,size\nread,1,5\nread,2,\n",
            "op,id,client\nread,1,5\nread,2,\n",
        ] {
            assert_ne!(trace(other).digest(), base, "{other}");
        }
    }
}
