//! A user's program: a strategy and a workload of its own, and none of ours.
//!
//! The file has a `main` of its own, which is the user's program as soon as it is given one of its
//! commands: so it is also what `--deploy processes` starts for each replica.

mod common;

use common::Row;
use harness::clap;
use harness::{
    Harness, Invariants, LoadShape, Next, RegistrationError, RunNumber, UsageError, Workload,
    WorkloadFlags, WorkloadInfo,
};
use serde::{Deserialize, Serialize};
use ssmr_core::{
    Access, Application, Completion, Groups, Guess, ObjectId, Objects, Oracle, Outcome,
    PartitionId, Request, Topology, codec,
};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

/// Objects alternate between the partitions by the lowest bits of their attribute.
#[derive(Clone, Debug)]
struct Modulo;

impl Oracle for Modulo {
    fn name(&self) -> &'static str {
        "modulo"
    }

    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups {
        self.owner(topology, object, None).into()
    }
    fn owner(&self, topology: &Topology, object: ObjectId, _: Option<PartitionId>) -> PartitionId {
        PartitionId((object.attribute % u64::from(topology.partition_count())) as u8)
    }
    fn movable(&self) -> bool {
        false
    }
    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        Guess::At(self.owner(topology, object, None))
    }
}

/// A service: numbers that only grow.
#[derive(Debug)]
struct Counters;

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Op {
    Read(ObjectId),
    Add(ObjectId),
}

impl Application for Counters {
    const NAME: &'static str = "own-program";
    type Object = u64;
    type Op = Op;
    type Reply = u64;

    fn access(op: &Op) -> Access {
        let (Op::Read(object) | Op::Add(object)) = op;
        let writes = matches!(op, Op::Add(_)).then_some(*object);
        Access {
            reads: vec![*object],
            writes: writes.into_iter().collect(),
        }
    }

    fn execute(op: &Op, objects: &mut Objects<u64>) -> u64 {
        let (Op::Read(object) | Op::Add(object)) = op;
        let found = objects.get(*object).copied().unwrap_or_default();
        if matches!(op, Op::Add(_)) {
            objects.update(*object, |value| *value += 1);
        }
        found
    }
}

/// Every second command reads, the others add; with `most`, by transactions that have read the
/// counter before, and only while it is less than that.
#[derive(Debug, Serialize)]
struct Counting {
    clients: u64,
    #[serde(skip)]
    run: RunNumber,
    counters: u64,
    most: Option<u64>,
    promised: Option<u64>,
}

/// No counter is greater.
struct Bounded {
    promised: u64,
    greatest: u64,
}

impl Invariants<Counters> for Bounded {
    fn take(&mut self, _: &[ObjectId], value: u64) {
        self.greatest = self.greatest.max(value);
    }

    fn violations(&self) -> Vec<String> {
        let Self { promised, greatest } = self;
        let broken = (greatest > promised).then(|| format!("{greatest} is more than {promised}"));
        broken.into_iter().collect()
    }
}

impl Workload for Counting {
    const KINDS: &'static [&'static str] = &["read", "add"];
    type App = Counters;
    type Step = u64;
    type Steps = std::ops::RangeFrom<u64>;

    fn name(&self) -> &'static str {
        "counting"
    }
    fn preload_count(&self) -> u64 {
        self.counters
    }
    fn preload(&self, number: u64) -> Request {
        Request::create::<Counters>(self.counter(number), &0, None)
    }
    fn client_count(&self) -> u64 {
        self.clients
    }
    fn steps(&self, client: u64) -> Self::Steps {
        client..
    }
    fn kind(step: &u64) -> usize {
        (step % 2) as usize
    }
    fn read(object: ObjectId) -> Request {
        Request::access::<Counters>(&Op::Read(object))
    }
    fn request(&self, step: u64) -> Request {
        let object = self.counter(step / 2 % self.counters);
        match Self::kind(&step) {
            0 => Self::read(object),
            _ => Request::access::<Counters>(&Op::Add(object)),
        }
    }
    fn transact(&self, step: &u64, reads: &[Completion]) -> Option<Next> {
        let most = self.most.filter(|_| Self::kind(step) == 1)?;
        let object = self.counter(step / 2 % self.counters);
        let Some(read) = reads.first() else {
            return Some(Next::Read(Self::read(object)));
        };
        let Outcome::Done(reply) = &read.outcome else {
            return Some(Next::End);
        };
        let value: u64 = codec::decode(reply).unwrap();
        Some(match value < most {
            true => Next::Commit(Request::access::<Counters>(&Op::Add(object))),
            false => Next::End,
        })
    }
    fn invariants(&self) -> Option<Box<dyn Invariants<Counters>>> {
        let promised = self.promised?;
        let greatest = 0;
        Some(Box::new(Bounded { promised, greatest }))
    }
}

impl Counting {
    fn counter(&self, number: u64) -> ObjectId {
        self.run.object(number, 0)
    }
}

/// The flags of the workload.
#[derive(Debug, clap::Args, Serialize)]
struct CountingFlags {
    /// How many counters there are
    #[arg(long, default_value_t = 10)]
    counters: u64,
    /// Add by transactions, up to this
    #[arg(long)]
    most: Option<u64>,
    /// What no counter may exceed
    #[arg(long)]
    promised: Option<u64>,
}

impl WorkloadFlags for CountingFlags {
    type Workload = Counting;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "counting",
        about: "Numbers that only grow",
    }];

    fn build(&self, _: &str, shape: &LoadShape) -> Result<Counting, UsageError> {
        if self.counters == 0 {
            return Err(UsageError::new("--counters", "there must be one"));
        }
        Ok(Counting {
            clients: shape.clients,
            run: shape.run,
            counters: self.counters,
            most: self.most,
            promised: self.promised,
        })
    }
}

/// Flags that the harness has already.
#[derive(Debug, clap::Args, Serialize)]
struct SeedFlags {
    #[arg(long)]
    seed: u64,
}

impl WorkloadFlags for SeedFlags {
    type Workload = Counting;
    const WORKLOADS: &'static [WorkloadInfo] = &[WorkloadInfo {
        name: "counting",
        about: "Never to be seen",
    }];

    fn build(&self, _: &str, _: &LoadShape) -> Result<Counting, UsageError> {
        unreachable!("it cannot be registered")
    }
}

fn main() -> ExitCode {
    let commands = ["run", "node", "sim"];
    if std::env::args()
        .nth(1)
        .is_some_and(|word| commands.contains(&&word[..]))
    {
        let program = Harness::empty().strategy(Modulo);
        return program.workload::<CountingFlags>().main();
    }
    what_is_registered_appears_in_the_help();
    flags_of_a_workload_are_checked();
    threads_and_processes_are_measured_and_linearizable();
    transactions_keep_what_they_promise_and_a_broken_promise_is_told();
    simulations_are_told_by_the_programs_name();
    mistakes_of_registration_have_a_clear_error();
    ExitCode::SUCCESS
}

fn program(words: &[&str]) -> Output {
    let program = std::env::current_exe().unwrap();
    Command::new(program).args(words).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn what_is_registered_appears_in_the_help() {
    let help = stdout(&program(&["run", "--help"]));
    for word in [
        "[possible values: modulo, all]",
        "- counting: Numbers that only grow",
        "[default: counting]",
        "Workload counting:",
        "How many counters there are",
    ] {
        assert!(help.contains(word), "no {word:?} in {help}");
    }
    for word in ["Workload kv", "chirper", "--strategy broker"] {
        assert!(!help.contains(word), "{word:?} in {help}");
    }
    let name = std::env::current_exe().unwrap();
    let name = name.file_stem().unwrap().to_str().unwrap();
    assert!(
        help.contains(&format!("{name} run --strategy all")),
        "{help}"
    );
}

fn flags_of_a_workload_are_checked() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let refused = program(&["run", "--counters", "0", "--out", folder]);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(told, "error: --counters: there must be one\n");
}

fn threads_and_processes_are_measured_and_linearizable() {
    for deploy in ["threads", "processes"] {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().to_str().unwrap();
        let flags = "run --duration 300ms --warmup 100ms --clients 4 --counters 7 --deploy";
        let words: Vec<&str> = flags.split(' ').chain([deploy, "--out", folder]).collect();
        let run = program(&words);
        let told = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(0), "{deploy}: {told}");
        let rows = summary(out.path());
        let ops: Vec<&str> = rows.iter().map(|row| &row["op"][..]).collect();
        assert_eq!(ops, ["all", "read", "add"]);
        for row in &rows {
            let (strategy, workload) = (&row["strategy"][..], &row["workload"][..]);
            assert_eq!((strategy, workload), ("modulo", "counting"));
            assert!(row["linearizable"] == "ok" && row["ok"] != "0", "{row:?}");
        }
        let text = fs::read_to_string(out.path().join("latest/run.json")).unwrap();
        let described: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(described["settings"]["counting"]["counters"], 7);
        assert_eq!(described["settings"]["workload"], "counting");
    }
}

/// Without expectations many clients would pass the bound between reading and adding.
fn transactions_keep_what_they_promise_and_a_broken_promise_is_told() {
    let run = |promised: &str| {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().to_str().unwrap();
        let flags = "run --operations 200 --warmup 1ms --clients 8 --counters 2 --most 300";
        let words = flags.split(' ');
        let words = words.chain(["--promised", promised, "--out", folder]);
        let ended = program(&words.collect::<Vec<_>>());
        let told = String::from_utf8(ended.stderr).unwrap();
        (ended.status.code(), told, summary(out.path()))
    };
    let (status, told, rows) = run("300");
    assert_eq!(status, Some(0), "{told}");
    assert!(rows.iter().all(|row| row["consistent"] == "ok"), "{rows:?}");
    let conflicts = rows
        .iter()
        .map(|row| (&row["op"][..], &row["conflicts"][..]));
    let conflicts: Vec<_> = conflicts.collect();
    assert_eq!(conflicts[1], ("read", ""), "no transaction");
    assert!(conflicts[2].1 != "0", "{conflicts:?}");
    let (status, told, rows) = run("299");
    assert_eq!(status, Some(1), "{told}");
    assert!(
        told.contains("modulo: VIOLATION: 300 is more than 299"),
        "{told}"
    );
    let words = rows
        .iter()
        .map(|row| (&row["linearizable"][..], &row["consistent"][..]));
    assert!(
        words.into_iter().all(|words| words == ("ok", "violated")),
        "{rows:?}"
    );
}

fn summary(out: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(out.join("latest/summary.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn simulations_are_told_by_the_programs_name() {
    let sim = program(&["sim", "--seeds", "0..2", "--profile", "calm", "--quiet"]);
    assert_eq!(sim.status.code(), Some(0));
    let told = stdout(&sim);
    assert!(
        told.starts_with("modulo: 4 simulations, 0 failed, "),
        "{told}"
    );
}

fn mistakes_of_registration_have_a_clear_error() {
    assert!(Harness::new().check().is_ok());
    assert!(
        Harness::new()
            .strategy(Modulo)
            .workload::<CountingFlags>()
            .check()
            .is_ok()
    );
    let text = |checked: Result<(), RegistrationError>| checked.unwrap_err().to_string();
    let twice = Harness::new().strategy(Modulo).strategy(Modulo).check();
    assert_eq!(
        text(twice),
        "two of the registered strategy names are modulo"
    );
    let nothing = Harness::empty().workload::<CountingFlags>().check();
    assert_eq!(text(nothing), "no strategy is registered");
    let nothing = Harness::empty().strategy(Modulo).check();
    assert_eq!(text(nothing), "no workload is registered");
    let flags = Harness::empty()
        .strategy(Modulo)
        .workload::<SeedFlags>()
        .check();
    assert_eq!(text(flags), "two of the registered flag names are seed");
}
