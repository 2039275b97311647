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
    /// What was read, to be replayed on so many partitions.
    pub(super) fn new(whole: Whole, topology: Topology, speed: Option<f64>) -> Self {
        Self {
            clients: whole.content.shares.len() as u64,
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
            let object = match can_move {
                true => original,
                false => under(part.home, original),
            };
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
                        let renamed = under(part.target, original);
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
        let object = self.content.objects[object as usize];
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
            [original, home, target].map(|object| (object, part.size.into()))
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
