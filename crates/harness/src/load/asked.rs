//! What clients ask of every registered workload, in runs of different numbers: the same of other
//! objects, and in run 0 what was always asked.

use super::churn::{ClientChurn, check};
use crate::builtin::BuiltinWorkloads;
use crate::registry::workloads::{WorkloadVisitor, Workloads};
use crate::workload::churn::Churn;
use crate::workload::contract::{LoadShape, Next, Workload, WorkloadFlags};
use crate::workload::knobs::Knobs;
use crate::workload::run_number::RunNumber;
use clap::{Arg, Command};
use ssmr_core::{Intent, ObjectId, Request, codec, id};
use std::collections::{BTreeMap, BTreeSet};

/// How many clients there are, and how many commands of each are looked at.
const CLIENTS: u64 = 3;
const COMMANDS: usize = 1_000;

/// How many commands of the preload are looked at.
const LOADED: u64 = 2_000;

/// What is mixed in, in percent each.
const CHURN: Churn = Churn {
    create: 10,
    delete: 5,
    relocate: 5,
};

/// A trace with every operation, whose objects are named in every way.
const TRACE: &str = "\
op,id,attribute,to_attribute
create,7,1,
create,a,b,
update,7,1,
read,18446744073709551615,,
write,a,b,
move,7,1,2
update,7,1,
move,a,b,c
lookup,a,b,
delete,a,b,
create,a,b,
read,7,1,
delete,7,1,
";

/// What clients ask, and the objects that workloads say are written, with the bytes.
struct Asked {
    requests: Vec<Request>,
    written: Vec<(ObjectId, u64)>,
    /// The digest of the commands.
    digest: u64,
}

/// Builds a workload for a run, and lets all its clients ask.
struct Ask<'a> {
    workload: &'a str,
    run: RunNumber,
}

impl WorkloadVisitor for Ask<'_> {
    type Output = Asked;

    fn visit<F: WorkloadFlags>(self, flags: &F) -> Asked {
        let shape = LoadShape {
            seed: 7,
            clients: CLIENTS,
            partitions: 2,
            run: self.run,
            quiet: true,
            knobs: Knobs::default(),
        };
        let workload = flags.build(self.workload, &shape).unwrap();
        let churn = match check(CHURN, &workload) {
            Ok(()) => CHURN,
            Err(_) => Churn::default(),
        };
        let loaded = 0..workload.preload_count().min(LOADED);
        let mut requests: Vec<Request> = loaded.map(|number| workload.preload(number)).collect();
        let mut written = Vec::new();
        for client in 0..CLIENTS {
            let kinds = <F::Workload as Workload>::KINDS;
            let LoadShape {
                seed, partitions, ..
            } = shape;
            let mut churn = ClientChurn::new(churn, kinds, seed, self.run, client, partitions);
            let again = workload.steps(client).take(COMMANDS);
            for (step, same) in workload.steps(client).take(COMMANDS).zip(again) {
                requests.extend(churn.next(&workload).map(|(_, request)| request));
                written.extend(workload.written_bytes(&step));
                if let Some(Next::Read(request) | Next::Commit(request)) =
                    workload.transact(&step, &[])
                {
                    requests.push(request);
                }
                requests.push(workload.request(step));
                requests.push(workload.request_without_moves(same));
            }
        }
        Asked {
            requests,
            written,
            digest: workload.digest(),
        }
    }
}

/// What the clients of every workload ask in a run, by the workload's name.
fn asked(run: RunNumber) -> BTreeMap<&'static str, Asked> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.csv");
    std::fs::write(&trace, TRACE).unwrap();
    // The flags of `run` that those of workloads name.
    let command = Command::new("test").args(["rate", "window"].map(Arg::new));
    let command = BuiltinWorkloads::augment(command);
    let words = ["test", "--trace", trace.to_str().unwrap()];
    let flags = BuiltinWorkloads::parse(&command.get_matches_from(words)).unwrap();
    let infos = BuiltinWorkloads::infos();
    let asked = infos.iter().map(|info| {
        let workload = info.name;
        let asked = flags.with(workload, Ask { workload, run });
        (workload, asked.unwrap_or_else(|_| panic!("no {workload}")))
    });
    asked.collect()
}

/// The object that has this one's place in run 0.
fn of_run_0(run: RunNumber, object: ObjectId) -> ObjectId {
    run.object(object.attribute, object.key)
}

/// What a request intends and operates with the names of run 0. The names in an operation are found
/// by their bytes.
fn without_number(
    workload: &str,
    run: RunNumber,
    request: &Request,
) -> (BTreeMap<ObjectId, Intent>, Vec<u8>) {
    let intents = request.intents().iter();
    let intents = intents.map(|(object, intent)| (of_run_0(run, *object), intent.clone()));
    let names = request.objects().map(|object| {
        let [name, plain] = [object, of_run_0(run, object)].map(|object| codec::encode(&object));
        (name.to_vec(), plain)
    });
    let names: BTreeMap<Vec<u8>, _> = names.collect();
    let (mut op, size) = (
        request.op.to_vec(),
        codec::encode(&ObjectId::new(0, 0)).len(),
    );
    if workload == "tpcc" && !op.is_empty() {
        // It has the number itself: its service computes names.
        let number = codec::encode(&run);
        assert!(op.starts_with(&number), "{request:?}");
        op[..number.len()].fill(0);
    }
    let mut at = 0;
    while at + size <= op.len() {
        match names.get(&op[at..at + size]) {
            Some(plain) => {
                op[at..at + size].copy_from_slice(plain);
                at += size;
            }
            None => at += 1,
        }
    }
    (intents.collect(), op)
}

fn objects(asked: &Asked) -> BTreeSet<ObjectId> {
    asked.requests.iter().flat_map(Request::objects).collect()
}

#[test]
fn runs_of_different_numbers_ask_the_same_of_other_objects() {
    let numbers = [0, 1, 2, 32_767].map(|number| RunNumber::try_from(number).unwrap());
    let runs = numbers.map(|run| (run, asked(run)));
    for workload in runs[0].1.keys().copied() {
        let [first, others @ ..] = runs.each_ref().map(|(run, asked)| (*run, &asked[workload]));
        let plain = |(run, asked): (RunNumber, &Asked)| {
            let requests = asked.requests.iter();
            let requests = requests.map(|request| without_number(workload, run, request));
            requests.collect::<Vec<_>>()
        };
        let (same, mut named) = (plain(first), objects(first.1));
        assert!(same.len() > 20, "{workload}: {} requests", same.len());
        for (run, asked) in others {
            assert!(
                plain((run, asked)) == same,
                "{workload}, run {run}: other requests"
            );
            assert_eq!(asked.digest, first.1.digest, "{workload}, run {run}");
            let written = asked.written.iter();
            let written = written.map(|(object, bytes)| (of_run_0(run, *object), *bytes));
            assert!(
                written.eq(first.1.written.iter().copied()),
                "{workload}, run {run}"
            );
            let count = named.len();
            let own = objects(asked);
            let all = count + own.len();
            named.extend(own);
            assert_eq!(
                named.len(),
                all,
                "{workload}, run {run}: another run's objects"
            );
        }
    }
}

/// Of each workload the digest of what is asked in run 0, and that of its commands: as they were
/// before there were runs, but for what is asked of tpcc, whose keys were laid out anew.
#[rustfmt::skip]
const RECORDED: [(&str, u64, u64); 18] = [
    ("append", 0x0899_b2f6_6f18_9cb8, 0x4ba3_f893_2125_5262),
    ("chirper", 0x2ada_7a1e_4bf7_bb27, 0x7ce3_bbb6_bd27_7503),
    ("kv", 0x7ed0_acc0_03fd_19bb, 0x0f12_0ad0_493a_4eb3),
    ("linkbench", 0x0291_5832_1f86_356e, 0x69b6_c7f7_04ea_405e),
    ("tpcc", 0x312c_866e_50a5_8501, 0xe56c_9269_cf6c_34df),
    ("trace", 0x1193_2215_2381_5e51, 0x7c27_3b04_86f3_9716),
    ("twitter-12", 0xd53f_b57a_32f6_252d, 0xc0d6_c4ad_90cc_5f60),
    ("twitter-14", 0xd7fd_1104_b5d5_ed21, 0xddf8_fa3f_d8c0_a368),
    ("twitter-15", 0x5abb_05e9_14a6_d0dd, 0xef86_fb72_aced_130d),
    ("twitter-23", 0xfc04_fc5c_caca_3a56, 0x4707_f7c4_50e5_2e66),
    ("twitter-45", 0x4f0a_1104_f0c1_5163, 0x3825_cf50_057e_fd3b),
    ("twitter-52", 0x3cb6_c217_33f1_35fd, 0xc38b_30d5_10b3_f38f),
    ("ycsb-a", 0x1c87_7175_70f8_d9e7, 0x4038_1170_0307_81df),
    ("ycsb-b", 0x49f4_70a3_2da1_0dd0, 0xa8b7_2373_97c5_3bd7),
    ("ycsb-c", 0x0563_0d66_485f_1fe8, 0x02bb_0304_7522_f57a),
    ("ycsb-d", 0xcd58_7e5b_6687_89a9, 0xf326_4b08_c030_d935),
    ("ycsb-e", 0x3f72_49d2_c05e_cca9, 0x7bec_a3ff_5ed7_be08),
    ("ycsb-f", 0xdfab_a541_b50f_2045, 0x5a38_0f8b_c5a9_d131),
];

#[test]
fn run_0_asks_what_was_always_asked() {
    let asked = asked(RunNumber::ZERO);
    let found = asked.iter().map(|(workload, asked)| {
        let requests = asked.requests.iter().flat_map(codec::encode);
        let bytes: Vec<u8> = requests.collect();
        (*workload, id::digest(&bytes), asked.digest)
    });
    assert_eq!(found.collect::<Vec<_>>(), RECORDED);
}
