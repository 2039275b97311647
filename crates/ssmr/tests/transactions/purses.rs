//! Purses, and names that point to them. Who pays whom is known only when the names are read; to
//! clients, a payment by a transaction must look like one operation of a service that knows.
//!
//! The history holds each transaction as such an operation, and a search decides whether there is
//! an order that explains all of them.

use serde::{Deserialize, Serialize};
use ssmr::{
    Access, Application, Client, Error, Execution, LocalCluster, ObjectId, Objects, Oracle,
    Outcome, PartitionId, Reads, Request,
};
use ssmr_check::History;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

const PURSES: u64 = 4;
const NAMES: u64 = 2;
const DEPOSIT: u64 = 1000;
const CLIENTS: u64 = 4;
const ROUNDS: u64 = 12;

#[derive(Debug)]
struct Purses;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Thing {
    Purse(u64),
    /// The number of a purse.
    Name(u64),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Op {
    See(ObjectId),
    Transfer {
        from: u64,
        to: u64,
        amount: u64,
    },
    Point {
        name: u64,
        purse: u64,
    },
    Total,
    /// A third of what is in the purse that the first name points to goes to the next purse after
    /// the one that the second name points to. Only the history has this.
    Pay,
    /// A name points to the next purse. Only the history has this.
    Turn(u64),
}

fn purse(number: u64) -> ObjectId {
    ObjectId::new(number, 0)
}

fn name(number: u64) -> ObjectId {
    ObjectId::new(number, 1)
}

fn everything() -> Vec<ObjectId> {
    (0..PURSES).map(purse).chain((0..NAMES).map(name)).collect()
}

impl Application for Purses {
    const NAME: &'static str = "purses";
    type Object = Thing;
    type Op = Op;
    type Reply = u64;

    fn access(op: &Op) -> Access {
        let (reads, writes) = match *op {
            Op::See(thing) => (vec![thing], vec![]),
            Op::Transfer { from, to, .. } => (vec![], vec![purse(from), purse(to)]),
            Op::Point { name: of, .. } => (vec![], vec![name(of)]),
            Op::Total => (everything(), vec![]),
            Op::Pay | Op::Turn(_) => (everything(), everything()),
        };
        Access { reads, writes }
    }

    fn execute(op: &Op, things: &mut Objects<Thing>) -> u64 {
        let see = |things: &Objects<Thing>, thing| match things.get(thing) {
            Some(Thing::Purse(number) | Thing::Name(number)) => *number,
            None => unreachable!("{thing} is declared"),
        };
        let transfer = |things: &mut Objects<Thing>, from, to, amount: u64| {
            let add = |by: i64| {
                move |thing: &mut Thing| match thing {
                    Thing::Purse(held) => *held = held.checked_add_signed(by).expect("enough"),
                    Thing::Name(_) => unreachable!("a name holds no money"),
                }
            };
            things.update(purse(from), add(-(amount as i64)));
            things.update(purse(to), add(amount as i64));
        };
        match *op {
            Op::See(thing) => see(things, thing),
            Op::Transfer { from, to, amount } => {
                transfer(things, from, to, amount);
                amount
            }
            Op::Point { name: of, purse } => {
                things.update(name(of), |thing| *thing = Thing::Name(purse));
                purse
            }
            Op::Total => (0..PURSES).map(|number| see(things, purse(number))).sum(),
            Op::Pay => {
                let from = see(things, name(0));
                let to = (see(things, name(1)) + 1) % PURSES;
                let amount = see(things, purse(from)) / 3;
                transfer(things, from, to, amount);
                amount
            }
            Op::Turn(of) => {
                let next = (see(things, name(of)) + 1) % PURSES;
                things.update(name(of), |thing| *thing = Thing::Name(next));
                next
            }
        }
    }
}

/// Pays, as one transaction whose objects depend on what it reads.
async fn pay(client: &Client<Purses>) -> Result<u64, Error> {
    client
        .transact(async |tx| {
            let from = tx.read(&Op::See(name(0))).await?;
            let to = (tx.read(&Op::See(name(1))).await? + 1) % PURSES;
            let amount = tx.read(&Op::See(purse(from))).await? / 3;
            let transfer = Op::Transfer { from, to, amount };
            tx.commit(client.call(&transfer)).await
        })
        .await
}

async fn turn(client: &Client<Purses>, of: u64) -> Result<u64, Error> {
    client
        .transact(async |tx| {
            let purse = (tx.read(&Op::See(name(of))).await? + 1) % PURSES;
            tx.commit(client.call(&Op::Point { name: of, purse })).await
        })
        .await
}

/// What the clients saw, by one clock.
#[derive(Clone)]
struct Record {
    history: Arc<Mutex<History<Purses>>>,
    start: Instant,
}

impl Record {
    fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Notes what somebody has done since `invoked`.
    fn done(&self, client: &Client<Purses>, request: &Request, invoked: u64, reply: Option<u64>) {
        let reply = reply.map(|reply| ssmr_core::codec::encode(&reply));
        let outcome = Outcome::Done(reply.unwrap_or_default());
        let times = invoked..=self.now();
        let mut history = self.history.lock().unwrap();
        history.observe(client.id(), request, &outcome, times);
    }
}

/// Clients pay, turn names and add up at once, while objects move where they can.
pub(crate) async fn payments_are_atomic(oracle: impl Oracle) {
    let movable = oracle.movable();
    let cluster = LocalCluster::<Purses>::builder(oracle).replicas(1);
    let cluster = cluster.start().await.unwrap();
    let record = Record {
        history: Arc::default(),
        start: Instant::now(),
    };
    let client = cluster.client().await.unwrap();
    let purses = (0..PURSES).map(|number| (purse(number), Thing::Purse(DEPOSIT)));
    let names = (0..NAMES).map(|number| (name(number), Thing::Name(number)));
    for (object, value) in purses.chain(names) {
        let invoked = record.now();
        client.create(object, &value).await.unwrap();
        let request = Request::create::<Purses>(object, &value, None);
        record.done(&client, &request, invoked, None);
    }
    let mut tasks = Vec::new();
    for number in 0..CLIENTS {
        // How reads are answered and where operations run must not matter.
        let reads = Reads::ALL[number as usize % 3];
        let client = cluster.client_builder().reads(reads);
        let client = match number {
            1 => client.execution(Execution::Gather),
            _ => client,
        };
        let client = client.connect().await.unwrap();
        tasks.push(tokio::spawn(live(number, client, record.clone(), movable)));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let invoked = record.now();
    let total = client.call(&Op::Total).await.unwrap();
    assert_eq!(total, PURSES * DEPOSIT);
    let request = Request::access::<Purses>(&Op::Total);
    record.done(&client, &request, invoked, Some(total));
    let summary = record.history.lock().unwrap().check_blackbox().unwrap();
    assert_eq!(summary.undecided, 0, "{summary:?}");
}

async fn live(
    number: u64,
    client: Client<Purses>,
    record: Record,
    movable: bool,
) -> Result<(), Error> {
    for round in 0..ROUNDS {
        let invoked = record.now();
        let (op, reply) = match (number + round) % 4 {
            0 | 2 => (Op::Pay, pay(&client).await?),
            1 => (Op::Turn(round % NAMES), turn(&client, round % NAMES).await?),
            _ => (Op::Total, client.call(&Op::Total).await?),
        };
        let request = Request::access::<Purses>(&op);
        record.done(&client, &request, invoked, Some(reply));
        if movable && round % 4 == number {
            let to = PartitionId((round % 2) as u8);
            client.move_to(purse(round % PURSES), to).await?;
        }
    }
    Ok(())
}
