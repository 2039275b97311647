//! What a workload is, and how the command line makes one.

use super::knobs::{Knob, Knobs};
use super::run_number::RunNumber;
use crate::error::UsageError;
use serde::Serialize;
use ssmr_check::Terms;
use ssmr_core::{Application, Completion, Micros, ObjectId, Request, codec, id};

/// How many commands of each client the digest covers.
const DIGESTED: usize = 10_000;

/// A service and what clients do with it.
///
/// Its serialization is its description in `run.json`, and part of its digest: all that its
/// commands are a function of. The [run number](LoadShape::run) is in neither: it only says which
/// objects they name.
pub trait Workload: Serialize + Send + Sync + 'static {
    /// The kinds of operations: the values of the column `op`.
    const KINDS: &'static [&'static str];
    /// The service.
    type App: Application;
    /// A command before it becomes a request; small, so that digests are cheap.
    type Step: Serialize + Send;
    /// The commands of one client. They never end, unless the workload is a finite one: a run is
    /// over with the last of them.
    type Steps: Iterator<Item = Self::Step> + Send;

    /// The value of `--workload` and of the CSV column: one of its flags'
    /// [`WORKLOADS`](WorkloadFlags::WORKLOADS).
    fn name(&self) -> &'static str;
    /// How many commands create what is there before measuring.
    fn preload_count(&self) -> u64;
    /// The command of this number among them: creates an object, or several that lie together.
    fn preload(&self, number: u64) -> Request;
    /// How many clients there are.
    fn client_count(&self) -> u64;
    /// The commands of a client.
    fn steps(&self, client: u64) -> Self::Steps;
    /// Which of [`Self::KINDS`] a command is.
    fn kind(step: &Self::Step) -> usize;
    /// Reads one object, whatever became of it.
    fn read(object: ObjectId) -> Request;
    /// The request that a command makes; of a [transaction](Self::transact), the first.
    fn request(&self, step: Self::Step) -> Request;

    /// What a command that is a transaction does next, after the reads of this attempt at it have
    /// ended so: none at first. `None` for a command that is its [request](Self::request) alone.
    ///
    /// A pure function: the transaction itself follows from settings, seed and client, as every
    /// command does, but which objects it names depends on what others have done before it. All
    /// of it is one command of the results: its latency ends with its last request, and its costs
    /// are those of all its requests, also of attempts that came to nothing.
    fn transact(&self, _step: &Self::Step, _reads: &[Completion]) -> Option<Next> {
        None
    }

    /// The same under a strategy whose objects cannot move, for a workload that knows another way
    /// than to have its moves refused.
    fn request_without_moves(&self, step: Self::Step) -> Request {
        self.request(step)
    }

    /// How many commands there are of all clients together, if there is a last one and they have
    /// numbers.
    fn command_count(&self) -> Option<u32> {
        None
    }

    /// The number of a command, if there is a [count](Self::command_count): each number below it
    /// belongs to one command of one client, whose numbers grow.
    fn number(_step: &Self::Step) -> Option<u32> {
        None
    }

    /// The commands that must have ended before this one is issued, by their numbers, which are
    /// lower.
    fn after(&self, _step: &Self::Step) -> Vec<u32> {
        Vec::new()
    }

    /// When each command is due, in order and for ever or until the last one, for a workload that
    /// is an open loop by itself.
    fn arrivals(&self) -> Option<Box<dyn Iterator<Item = Arrival> + Send>> {
        None
    }

    /// The bytes of the values that a command writes, by object, as far as the workload can tell:
    /// for `run --record`, which otherwise takes the request's bytes in equal shares.
    fn written_bytes(&self, _step: &Self::Step) -> Vec<(ObjectId, u64)> {
        Vec::new()
    }

    /// Reads these objects, all of which exist, in one command, for a service that can: reads at
    /// the end of a run are faster then.
    fn read_together(_objects: &[ObjectId]) -> Option<Request> {
        None
    }

    /// What must hold of all objects together when a run is over. Where there is something, every
    /// object is read at the end, as with `--audit`.
    fn invariants(&self) -> Option<Box<dyn Invariants<Self::App>>> {
        None
    }

    /// How the service is told to judges from outside (`run --history`).
    fn terms() -> Terms<Self::App> {
        Terms::default()
    }

    /// What readers of the results should know of it: printed at the end of a run.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// A hash of the settings and of the first commands of every client: the same under each
    /// strategy.
    fn digest(&self) -> u64 {
        let of_client = |client| {
            let mut bytes = Vec::new();
            for step in self.steps(client).take(DIGESTED) {
                bytes.extend_from_slice(&codec::encode(&step));
            }
            id::digest(&bytes)
        };
        let clients: Vec<u64> = (0..self.client_count()).map(of_client).collect();
        id::digest(&codec::encode(&(self.name(), self, clients)))
    }
}

/// What a transaction does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It reads: the request changes nothing.
    Read(Request),
    /// It ends with this command, which takes effect only if all that was read is still as it was.
    /// If it is not, the transaction begins anew.
    Commit(Request),
    /// It ends without one. What was read need not have held together.
    End,
}

/// What must hold of all objects together: sees each object once, and then says what does not hold.
pub trait Invariants<A: Application>: Send {
    /// Takes objects that exist, and the reply to the command that read them: that of
    /// [`Workload::read`] for one, of [`Workload::read_together`] for several.
    fn take(&mut self, objects: &[ObjectId], reply: A::Reply);

    /// What does not hold of those that it has taken, one sentence each.
    fn violations(&self) -> Vec<String>;
}

/// When a command is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The client whose turn it is.
    pub client: u64,
    /// The time since the beginning.
    pub after_us: Micros,
}

/// What can be said of a workload without its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkloadInfo {
    /// The value of `--workload` and of the CSV column: letters, digits, `-` and `_`.
    pub name: &'static str,
    /// What it is, in a few words for the help.
    pub about: &'static str,
}

/// The flags of a workload on the command line, or of a family of workloads that share them: what a
/// program registers to offer it.
///
/// Derive the super-trait with `#[derive(clap::Args)]`, best the clap of this crate
/// ([`harness::clap`](crate::clap)); an empty struct has no flags. Flags of all registered
/// workloads stand beside the harness's own, so their names must be different ones.
pub trait WorkloadFlags: clap::Args + Serialize {
    /// What they make.
    type Workload: Workload;

    /// The workloads that they make; at least one.
    const WORKLOADS: &'static [WorkloadInfo];

    /// Which of the shared flags the workload of this name takes ([`LoadShape::knobs`]); others are
    /// refused.
    fn knobs(_name: &str) -> &'static [Knob] {
        &[]
    }

    /// Makes the workload of this name, which is one of [`WORKLOADS`](Self::WORKLOADS).
    ///
    /// # Errors
    /// If the flags contradict each other, or name something that is not there.
    fn build(&self, name: &str, shape: &LoadShape) -> Result<Self::Workload, UsageError>;
}

/// What every workload is made from, besides its own flags.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LoadShape {
    /// For everything random.
    pub seed: u64,
    /// How many clients there are.
    pub clients: u64,
    /// How many partitions there are.
    pub partitions: u8,
    /// Which run of its cluster it is. The workload names every object with it
    /// ([`RunNumber::object`]), also where its service computes names from an operation, and keeps
    /// it out of its description (`#[serde(skip)]`): the commands are the same in every run. One
    /// that does not cannot share a cluster with another run.
    pub run: RunNumber,
    /// Whether the user wants no news of how it goes.
    pub quiet: bool,
    /// The shared flags that the workload takes, as they were given.
    pub knobs: Knobs,
}
