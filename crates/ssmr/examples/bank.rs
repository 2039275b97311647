//! A bank whose accounts are opened while it runs: `cargo run --example bank -- --strategy broker`.
//!
//! Four tellers open accounts, move them between partitions and transfer money between any two.
//! Money is created by opening accounts alone, so the total at the end is known. The strategy is a
//! type parameter: nothing here knows which.

use serde::{Deserialize, Serialize};
use ssmr::{
    Access, Application, Client, Error, LocalCluster, ObjectId, Objects, Oracle, PartitionId,
    strategy,
};

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
const PARTITIONS: u8 = 2;

fn account(teller: u64, number: u64) -> ObjectId {
    ObjectId::new(teller * ACCOUNTS + number, 0)
}

/// Runs the bank under a strategy, on a cluster that is started for it.
///
/// # Errors
/// If the cluster cannot be started, or a call ends otherwise than it may.
pub(crate) async fn bank(oracle: impl Oracle) -> Result<Report, Box<dyn std::error::Error>> {
    let cluster = LocalCluster::<Bank>::builder(oracle).partitions(PARTITIONS);
    let cluster = cluster.replicas(3).start().await?;
    let mut tellers = Vec::new();
    for id in 0..TELLERS {
        tellers.push(tokio::spawn(teller(id, cluster.client().await?)));
    }
    let mut report = Report::default();
    for teller in tellers {
        let done = teller.await??;
        report.opened += done.opened;
        report.transfers += done.transfers;
        report.not_found += done.not_found;
        report.moved += done.moved;
    }
    let everything = (0..TELLERS).flat_map(|id| (0..ACCOUNTS).map(move |n| account(id, n)));
    let audit = Operation::Total(everything.collect());
    report.total = cluster.client().await?.call(&audit).await?;
    cluster.shutdown().await;
    Ok(report)
}

/// Opens accounts, and after each moves one and transfers money between some, its own and others'.
async fn teller(id: u64, bank: Client<Bank>) -> Result<Report, Error> {
    let mut report = Report::default();
    // Numbers without much order (Knuth's multiplier), the same in every run.
    let mut state = id + 1;
    let mut dice = |sides: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % sides
    };
    for number in 0..ACCOUNTS {
        bank.create(account(id, number), &DEPOSIT).await?;
        report.opened += 1;
        let target = PartitionId(dice(PARTITIONS.into()) as u8);
        match bank.move_to(account(id, dice(number + 1)), target).await {
            Ok(()) => report.moved += 1,
            // Objects stay where they are under static placement.
            Err(Error::Unsupported) => {}
            Err(error) => return Err(error),
        }
        for _ in 0..5 {
            let from = account(id, dice(number + 1));
            let to = account(dice(TELLERS), dice(number + 1));
            let amount = dice(DEPOSIT);
            match bank.call(&Operation::Transfer { from, to, amount }).await {
                Ok(moved) => report.transfers += u64::from(moved > 0),
                Err(Error::NotFound) => report.not_found += 1,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(report)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let strategy = match &words[..] {
        [] => strategy::by_name("broker")?,
        [flag, name] if flag == "--strategy" => strategy::by_name(name)?,
        _ => return Err("usage: bank [--strategy NAME]".into()),
    };
    println!("{}: {:?}", strategy.name(), bank(strategy.clone()).await?);
    Ok(())
}
