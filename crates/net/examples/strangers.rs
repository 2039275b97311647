//! Measures what strangers cost the others: a load of ordered reads, in turns without strangers and
//! with 5,000 clients that say nothing, 5,000 connections that never greet (and dial again when
//! they are closed), a client that reads slowly and one that never reads, all at the leader.
//!
//! ```text
//! cargo run --release -p ssmr-net --example strangers -- [rounds, 9 if not given]
//! ```
//!
//! The strangers are a process of their own. Each needs some 10,050 open files.

#[path = "../tests/common/raw.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod raw;

use bytes::Bytes;
use raw::{Blobs, client, dial, frame, hear, long_question, topology};
use ssmr_core::client::ClientSettings;
use ssmr_core::{ClientId, ClientMessage, GroupId, ObjectId, Outcome, PartitionId, Request, codec};
use ssmr_net::{Clock, Cluster, ClusterOptions, Pipeline};
use ssmr_strategy_global::Global;
use std::error::Error;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(60);
/// How long each measurement takes, and how long it waits before for things to settle.
const MEASURED: Duration = Duration::from_secs(4);
const SETTLED: Duration = Duration::from_secs(1);
/// The load: so many clients with so many requests under way each.
const CLIENTS: u64 = 8;
const WINDOW: usize = 8;
const OBJECTS: u64 = 1000;
/// The strangers: so many that say nothing more than who they are, and so many not even that.
const IDLE: u64 = 5000;
const HALF_OPEN: u64 = 5000;
/// How many dial at a time.
const DIALLING: u64 = 50;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [role, address] if role == "strangers" => runtime.block_on(be_strangers(address.parse()?)),
        [] => runtime.block_on(measure(9)),
        [rounds] => runtime.block_on(measure(rounds.parse()?)),
        _ => Err("one argument at most: how many rounds".into()),
    }
}

/// What one measurement found.
#[derive(Clone, Copy)]
struct Measured {
    per_second: f64,
    median_micros: f64,
    p99_micros: f64,
}

async fn measure(rounds: usize) -> Result<(), Failure> {
    let cluster = Cluster::start::<Blobs>(ClusterOptions::new(topology(), Global))?;
    cluster.ready(PATIENCE).await?;
    let mut pipelines = Vec::new();
    for id in 0..CLIENTS {
        let (id, settings) = (ClientId(1 << 40 | id), ClientSettings::default());
        let config = cluster.config();
        let pipeline = Pipeline::new::<Blobs>(config, id, Global, settings, Clock::start())?;
        pipelines.push(pipeline);
    }
    let value = Bytes::from_static(&[7; 100]);
    for key in 0..OBJECTS {
        let create = Request::create::<Blobs>(ObjectId::new(key, key), &value, None);
        pipelines[0].submit(create);
        let created = pipelines[0].next().await.outcome;
        if !matches!(created, Outcome::Done(_)) {
            return Err(format!("the load cannot be prepared: {created:?}").into());
        }
    }
    println!("round  strangers  requests/s  median us  99 % us");
    let (mut calm, mut crowded) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        // The order changes, so that nothing that grows or warms up favours one side.
        for with_strangers in [round % 2 == 0, round % 2 == 1] {
            let leader = cluster.leader_of(GroupId::from(PartitionId(0)));
            let address = &cluster.config().addresses[&leader.ok_or("no leader")?];
            let address = address.address().ok_or("no address")?;
            let strangers = if with_strangers {
                Some(bring_strangers(address).await?)
            } else {
                None
            };
            sleep(SETTLED).await;
            let found = load(&mut pipelines).await;
            let Measured {
                per_second,
                median_micros,
                p99_micros,
            } = found;
            let told = if with_strangers { "10,002" } else { "none" };
            println!(
                "{round:5}  {told:>9}  {per_second:10.0}  {median_micros:9.0}  {p99_micros:7.0}"
            );
            if let Some(mut strangers) = strangers {
                strangers.kill().await?;
                crowded.push(found);
            } else {
                calm.push(found);
            }
        }
    }
    let ratio = |of: fn(&Measured) -> f64| {
        let ratios = crowded
            .iter()
            .zip(&calm)
            .map(|(with, without)| of(with) / of(without));
        median(ratios.collect())
    };
    println!(
        "with strangers / without, median of {rounds} rounds: requests/s {:.3}, median latency \
         {:.3}, 99 % latency {:.3}",
        ratio(|it| it.per_second),
        ratio(|it| it.median_micros),
        ratio(|it| it.p99_micros),
    );
    cluster.shutdown().await;
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Starts the strangers' process and waits until all are there.
async fn bring_strangers(to: SocketAddr) -> Result<Child, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["strangers", &to.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    let line = BufReader::new(output).lines().next_line().await?;
    match line.as_deref() {
        Some("ready") => Ok(child),
        other => Err(format!("the strangers failed: {other:?}").into()),
    }
}

/// Loads the cluster for a while.
async fn load(pipelines: &mut [Pipeline]) -> Measured {
    let clock = Clock::start();
    let end = clock.now() + MEASURED.as_micros() as u64;
    let loads = pipelines
        .iter_mut()
        .zip(0..)
        .map(|(pipeline, seed)| async move {
            let mut latencies = Vec::new();
            let mut key: u64 = seed;
            loop {
                while pipeline.outstanding() < WINDOW && clock.now() < end {
                    key = (key + CLIENTS) % OBJECTS;
                    let object = ObjectId::new(key, key);
                    pipeline.submit(Request::access::<Blobs>(&object));
                }
                if pipeline.outstanding() == 0 {
                    return latencies;
                }
                let done = pipeline.next().await;
                latencies.push(done.completed.since(done.invoked) as f64);
            }
        });
    let mut latencies = futures_util::future::join_all(loads).await.concat();
    latencies.sort_by(f64::total_cmp);
    let at = |share: usize| latencies[(latencies.len() - 1) * share / 100];
    Measured {
        per_second: latencies.len() as f64 / MEASURED.as_secs_f64(),
        median_micros: at(50),
        p99_micros: at(99),
    }
}

/// Comes with all strangers, says so, and stays until it is killed.
async fn be_strangers(to: SocketAddr) -> Result<(), Failure> {
    let mut tasks = tokio::task::JoinSet::new();
    for first in 0..DIALLING {
        tasks.spawn(async move {
            let mut idle = Vec::new();
            for id in (first..IDLE).step_by(DIALLING as usize) {
                let mut stream = dial(to, client(1 << 20 | id)).await;
                hear(&mut stream).await;
                idle.push(stream);
            }
            let mut silent = Vec::new();
            for _ in (first..HALF_OPEN).step_by(DIALLING as usize) {
                silent.push(TcpStream::connect(to).await);
            }
            (idle, silent)
        });
    }
    let (mut idle, mut half_open) = (Vec::new(), tokio::task::JoinSet::new());
    while let Some(held) = tasks.join_next().await {
        let (greeted, silent) = held?;
        idle.extend(greeted);
        for stream in silent {
            half_open.spawn(stay_silent(to, stream?));
        }
    }
    let slow = tokio::spawn(read_slowly(to));
    let deaf = tokio::spawn(never_read(to));
    sleep(SETTLED).await;
    // Whoever is greeted is still there.
    for stream in &mut idle {
        let hello = frame(&codec::encode(&ClientMessage::Hello));
        stream.write_all(&hello).await?;
        hear(stream).await;
    }
    println!("ready");
    tokio::try_join!(slow, deaf)?;
    Ok(())
}

/// Says nothing, and dials again whenever it is closed for that.
async fn stay_silent(to: SocketAddr, mut stream: TcpStream) {
    loop {
        let _ = stream.read(&mut [0; 16]).await;
        match TcpStream::connect(to).await {
            Ok(again) => stream = again,
            Err(_) => return,
        }
    }
}

/// Asks for more than it reads: 400 KiB in a second.
async fn read_slowly(to: SocketAddr) {
    let (mut reader, mut writer) = dial(to, client(1 << 21)).await.into_split();
    let asking = async { while writer.write_all(&long_question()).await.is_ok() {} };
    let reading = async {
        while reader.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::join!(asking, reading);
}

/// Asks as long as anybody listens, reads nothing, and dials again when it is closed for that.
async fn never_read(to: SocketAddr) {
    loop {
        let mut stream = dial(to, client(1 << 22)).await;
        while let Ok(Ok(())) = timeout(PATIENCE, stream.write_all(&long_question())).await {}
    }
}
