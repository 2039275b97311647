//! Writes down what the clients issue, as a trace.
//!
//! Invariant: commands are in the file in the order in which they were issued, at times that do not
//! go back, and name objects as in run 0. What was loaded before is not among them: a replay finds
//! out what must be there.

use crate::trace::command::{Name, Op, Part, TraceCommand};
use crate::trace::digest::TraceDigest;
use crate::trace::file::TraceFile;
use crate::trace::writer::TraceWriter;
use crate::workload::run_number::RunNumber;
use ssmr_core::{Intent, Micros, ObjectId, Request, Topology};
use ssmr_net::Clock;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A trace that is being recorded by all clients of a run.
#[derive(Debug)]
pub(crate) struct Tape {
    clock: Clock,
    topology: Topology,
    run: RunNumber,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    to: TraceWriter<BufWriter<File>>,
    /// When the first command was issued.
    began: Option<Micros>,
    digest: TraceDigest,
    /// What went wrong first. Nothing is written from then on.
    failed: Option<io::Error>,
}

impl Tape {
    /// Begins a recording.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn begin(
        file: &TraceFile,
        clock: Clock,
        topology: Topology,
        run: RunNumber,
    ) -> io::Result<Self> {
        let to = BufWriter::new(File::create(file.path())?);
        let state = State {
            to: TraceWriter::new(to, file.form())?,
            began: None,
            digest: TraceDigest::default(),
            failed: None,
        };
        Ok(Self {
            clock,
            topology,
            run,
            state: Mutex::new(state),
        })
    }

    /// A client issues a request. `written` tells how many bytes it writes to objects, as far as
    /// that is known.
    pub(super) fn issued(&self, client: u64, request: &Request, written: Vec<(ObjectId, u64)>) {
        let objects = self.parts(request, &written.into_iter().collect());
        let mut state = self.lock();
        if state.failed.is_some() {
            return;
        }
        let now = self.clock.now().micros();
        let began = *state.began.get_or_insert(now);
        let command = TraceCommand {
            time_us: Some(now - began),
            client: Some(client),
            objects,
        };
        state.digest.add(&command);
        state.failed = state.to.write(&command).err();
    }

    /// Ends the recording. Returns its digest.
    ///
    /// # Errors
    /// What kept it from being complete.
    pub(crate) fn end(&self) -> io::Result<TraceDigest> {
        let mut state = self.lock();
        if let Some(error) = state.failed.take() {
            return Err(error);
        }
        state.to.flush()?;
        Ok(state.digest)
    }

    fn parts(&self, request: &Request, written: &BTreeMap<ObjectId, u64>) -> Vec<Part> {
        let written = |object: &ObjectId| written.get(object).copied();
        let writes = request
            .intents()
            .iter()
            .filter(|(_, intent)| intent.writes());
        let share = request.op.len() as u64 / writes.count().max(1) as u64;
        let part = |(object, intent): &(ObjectId, Intent)| {
            let ObjectId { attribute, key } = self.run.object(object.attribute, object.key);
            let id = Name::Number(key);
            let attribute = (attribute != key).then_some(attribute);
            let mut part = Part::new(op(intent), id, attribute.map(Name::Number));
            match intent {
                Intent::Create { at, value } => {
                    part.size = Some(written(object).unwrap_or(value.len() as u64));
                    // That is where a replay creates it anyway.
                    let home = self.topology.home(*object);
                    part.to = at.filter(|at| *at != home).map(|at| at.0);
                }
                Intent::Move { to } => part.to = Some(to.0),
                Intent::Write | Intent::Update => {
                    part.size = Some(written(object).unwrap_or(share));
                }
                Intent::Delete | Intent::Read | Intent::Lookup => {}
            }
            part
        };
        request.intents().iter().map(part).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn op(intent: &Intent) -> Op {
    match intent {
        Intent::Create { .. } => Op::Create,
        Intent::Delete => Op::Delete,
        Intent::Read => Op::Read,
        Intent::Write => Op::Write,
        Intent::Update => Op::Update,
        Intent::Move { .. } => Op::Move,
        Intent::Lookup => Op::Lookup,
    }
}
