//! A bank whose accounts are opened while it runs: `cargo run --example bank -- --strategy broker`.
//!
//! Four tellers open accounts, move them between partitions and transfer money between any two. Money is created by
//! opening accounts alone, so the total at the end is known. The strategy is a type parameter: nothing here knows which.

use serde::{Deserialize, Serialize};
use ssmr_core::client::ClientSettings;
use ssmr_core::topology::mix;
use ssmr_core::{
    Access, Application, ClientId, ObjectId, Objects, Oracle, Outcome, PartitionId, Topology,
};
use ssmr_net::{CacheChoice, Client, Cluster, ClusterOptions, NetError};
use std::time::Duration;

/// Accounts with a balance each.
struct Bank;

/// What can be done with accounts that exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Operation {
    /// Move money, if there is enough.
    Transfer {
        /// Who pays.
        from: ObjectId,
        /// Who is paid.
        to: ObjectId,
        /// How much.
        amount: u64,
    },
    /// Add up balances.
    Total(Vec<ObjectId>),
}

impl Application for Bank {
    const NAME: &'static str = "bank";
    type Object = u64;
    type Op = Operation;
    type Reply = u64;

    fn access(operation: &Operation) -> Access {
        match operation {
            Operation::Transfer { from, to, .. } => Access {
                reads: vec![*from],
                writes: vec![*from, *to],
            },
            Operation::Total(accounts) => Access {
                reads: accounts.clone(),
                writes: Vec::new(),
            },
        }
    }

    fn execute(operation: &Operation, accounts: &mut Objects<u64>) -> u64 {
        match operation {
            Operation::Transfer { from, to, amount } => {
                let enough = accounts.get(*from).is_some_and(|balance| balance >= amount);
                let moved = if enough { *amount } else { 0 };
                accounts.update(*from, |balance| *balance -= moved);
                accounts.update(*to, |balance| *balance += moved);
                moved
            }
            Operation::Total(all) => all
                .iter()
                .filter_map(|account| accounts.get(*account))
                .sum(),
        }
    }
}

/// What happened in the bank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Accounts opened.
    pub(crate) opened: u64,
    /// Transfers that moved money.
    pub(crate) transfers: u64,
    /// Transfers that named an account that was not there yet.
    pub(crate) not_found: u64,
    /// Accounts moved to another partition.
    pub(crate) moved: u64,
    /// All the money at the end.
    pub(crate) total: u64,
}

const TELLERS: u64 = 4;
const ACCOUNTS: u64 = 20;
const DEPOSIT: u64 = 100;

fn account(teller: u64, number: u64) -> ObjectId {
    ObjectId::new(teller * ACCOUNTS + number, 0)
}

/// Runs the bank under a strategy, on a cluster that is started for it.
///
/// # Errors
/// If the cluster cannot be started.
pub(crate) async fn bank<O: Oracle>(
    oracle: O,
    topology: Topology,
    cache: CacheChoice,
) -> Result<Report, NetError> {
    let options = ClusterOptions {
        cache,
        ..ClusterOptions::new(topology, oracle.clone())
    };
    let cluster = Cluster::<Bank, O>::start(options)?;
    cluster.ready(Duration::from_secs(10)).await?;
    let client = |id| {
        let (oracle, settings) = (oracle.clone(), ClientSettings::default());
        Client::connect(cluster.config(), ClientId(id), oracle, settings)
    };
    let mut tellers = Vec::new();
    for id in 0..TELLERS {
        tellers.push(tokio::spawn(teller(id, client(id)?, topology)));
    }
    let mut report = Report::default();
    for teller in tellers {
        let done = teller.await.expect("a teller does not fail");
        report.opened += done.opened;
        report.transfers += done.transfers;
        report.not_found += done.not_found;
        report.moved += done.moved;
    }
    let everything = (0..TELLERS).flat_map(|id| (0..ACCOUNTS).map(move |n| account(id, n)));
    let audit = Operation::Total(everything.collect());
    let total = client(TELLERS)?.access::<Bank>(&audit).await;
    report.total = total.expect("every account exists");
    Ok(report)
}

/// Opens accounts, and after each moves one and transfers money between some, its own and others'.
async fn teller(id: u64, client: Client, topology: Topology) -> Report {
    let mut report = Report::default();
    let mut state = id;
    let mut dice = |sides: u64| {
        state = mix(state);
        state % sides
    };
    for number in 0..ACCOUNTS {
        let opened = client
            .create::<Bank>(account(id, number), &DEPOSIT, None)
            .await;
        report.opened += u64::from(opened == Outcome::Done(Default::default()));
        let target = PartitionId(dice(topology.partition_count().into()) as u8);
        let moved = client.relocate(account(id, dice(number + 1)), target).await;
        report.moved += u64::from(moved == Outcome::Done(Default::default()));
        for _ in 0..5 {
            let from = account(id, dice(number + 1));
            let to = account(dice(TELLERS), dice(number + 1));
            let amount = dice(DEPOSIT);
            match client
                .access::<Bank>(&Operation::Transfer { from, to, amount })
                .await
            {
                Ok(moved) => report.transfers += u64::from(moved > 0),
                Err(Outcome::NotFound) => report.not_found += 1,
                Err(other) => panic!("a transfer ended as {other:?}"),
            }
        }
    }
    report
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let strategy = match &words[..] {
        [] => "broker",
        [flag, name] if flag == "--strategy" => name,
        _ => return Err("usage: bank [--strategy global|broker|static|cache]".into()),
    };
    let topology = Topology::new(2, 3)?;
    let none = CacheChoice::None;
    let report = match strategy {
        "global" => bank(ssmr_strategy_global::Global, topology, none).await?,
        "broker" => {
            let topology = topology.with_oracle(3)?;
            bank(ssmr_strategy_broker::Broker, topology, none).await?
        }
        "static" => bank(ssmr_strategy_static::Static::new(), topology, none).await?,
        "cache" => {
            let embedded = CacheChoice::Embedded { bytes: 64 << 20 };
            bank(ssmr_strategy_cache::Cache, topology, embedded).await?
        }
        other => return Err(format!("--strategy {other}: no such strategy").into()),
    };
    println!("{strategy}: {report:?}");
    Ok(())
}
