//! Metrics over HTTP: what a real cluster tells while it works, that pages are what Prometheus
//! reads, that readiness is true, and that hostile peers cost nobody anything.

mod common;

use bytes::Bytes;
use common::Client;
use common::raw::{Blobs, PATIENCE, topology};
use ssmr_core::client::ClientSettings;
use ssmr_core::{GroupId, ObjectId, Outcome, PartitionId, ReplicaId};
use ssmr_net::{ClusterConfig, Cut, Operator, ReplicaOptions, ReplicaThread};
use ssmr_strategy_global::Global;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const ANYWHERE: &str = "127.0.0.1:0";

fn id(index: u8) -> ReplicaId {
    let group = GroupId::from(PartitionId(0));
    ReplicaId { group, index }
}

/// One group of three replicas with metrics.
struct Setting {
    config: ClusterConfig,
    replicas: BTreeMap<ReplicaId, ReplicaThread>,
}

impl Setting {
    async fn new() -> Self {
        let ids = || (0..3).map(id);
        let bind = |_| TcpListener::bind(ANYWHERE).unwrap();
        let listeners: Vec<TcpListener> = ids().map(bind).collect();
        let address = |listener: &TcpListener| listener.local_addr().unwrap();
        let addresses = ids().zip(listeners.iter().map(address));
        let config = ClusterConfig::new(topology(), 1, addresses);
        let start = |(id, listener)| (id, Self::start(&config, id, listener));
        let replicas = ids().zip(listeners).map(start).collect();
        let operator = Operator::new::<Blobs>(&config, Global).unwrap();
        operator.found().await.unwrap();
        let setting = Self { config, replicas };
        for id in (0..3).map(id) {
            let said = setting.readiness(id, 200).await;
            assert!(said.contains("leads"), "{said}");
        }
        setting
    }

    fn start(config: &ClusterConfig, id: ReplicaId, listener: TcpListener) -> ReplicaThread {
        let options = ReplicaOptions::new(id, config.clone(), Global)
            .with_log_bytes(20_000)
            .with_metrics(ANYWHERE.parse().unwrap());
        ReplicaThread::start::<Blobs>(options, listener).unwrap()
    }

    fn restart(&mut self, id: ReplicaId) {
        let listener = self.config.addresses[&id].listen().unwrap();
        let replica = Self::start(&self.config, id, listener);
        self.replicas.insert(id, replica);
    }

    fn metrics(&self, id: ReplicaId) -> SocketAddr {
        self.replicas[&id].metrics_address().unwrap()
    }

    /// Waits until a question about readiness is answered with this status. Returns what is said.
    async fn readiness(&self, id: ReplicaId, status: u16) -> String {
        let becomes = async {
            loop {
                let (found, body) = get(self.metrics(id), "/readyz").await;
                if found == status {
                    return body;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        let became = timeout(PATIENCE, becomes).await;
        became.unwrap_or_else(|_| panic!("{id} does not become {status}"))
    }

    async fn leader(&self) -> ReplicaId {
        loop {
            for (id, replica) in &self.replicas {
                if replica
                    .status()
                    .await
                    .is_some_and(|it| it.is_leader && it.is_voter)
                {
                    return *id;
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn client(&self, id: u64) -> Client {
        Client::start::<Blobs>(&self.config, id, Global, ClientSettings::default())
    }
}

/// What is answered to these bytes until the connection is closed.
async fn say(to: SocketAddr, request: &[u8]) -> String {
    let asked = async {
        let mut stream = TcpStream::connect(to).await.unwrap();
        // It may be closed before it has read all of it.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    timeout(PATIENCE, asked).await.unwrap()
}

/// The status and the body of a page.
async fn get(from: SocketAddr, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n");
    let answer = say(from, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.strip_prefix("HTTP/1.1 ").unwrap();
    (status[..3].parse().unwrap(), body.to_owned())
}

/// A page, read strictly: a sample's name with its labels, and its value.
struct Exposition {
    samples: BTreeMap<String, f64>,
}

impl Exposition {
    async fn of(from: SocketAddr) -> Self {
        let (status, page) = get(from, "/metrics").await;
        assert_eq!(status, 200, "{page}");
        Self::parse(&page)
    }

    /// Reads a page as the format's description has it: each family in one place, told of before
    /// its samples; each sample once; buckets that grow up to the count.
    fn parse(page: &str) -> Self {
        assert!(page.ends_with('\n') && !page.contains("\n\n"));
        let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
        let (mut helped, mut family, mut kind) = (None, "", "");
        let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for line in page.lines() {
            if let Some(told) = line.strip_prefix("# HELP ") {
                let (name, help) = told.split_once(' ').unwrap();
                assert!(!help.is_empty() && families.insert(name), "{line}");
                helped = Some(name);
                continue;
            }
            if let Some(told) = line.strip_prefix("# TYPE ") {
                (family, kind) = told.split_once(' ').unwrap();
                assert_eq!(helped.take(), Some(family), "{line}");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = value.parse().unwrap();
            let (name, labels) = series.split_once('{').unwrap();
            let part = name
                .strip_prefix(family)
                .unwrap_or_else(|| panic!("{line}"));
            let parts: &[&str] = match kind {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(parts.contains(&part), "{line}");
            assert!(value >= 0.0 && value.is_finite(), "{line}");
            let mut named = BTreeSet::new();
            let mut others = Vec::new();
            for label in labels.strip_suffix('}').unwrap().split(',') {
                let (label, text) = label.split_once('=').unwrap();
                assert!(named.insert(label), "{line}");
                let text = text
                    .strip_prefix('"')
                    .and_then(|text| text.strip_suffix('"'));
                let text = text.unwrap_or_else(|| panic!("{line}"));
                if label == "le" {
                    let top = if text == "+Inf" {
                        f64::INFINITY
                    } else {
                        text.parse().unwrap()
                    };
                    others.insert(0, top.to_string());
                } else {
                    others.push(format!("{label}={text}"));
                }
            }
            if part == "_bucket" {
                let top = others.remove(0).parse().unwrap();
                let of = format!("{family} {others:?}");
                buckets.entry(of).or_default().push((top, value));
            }
            if part == "_count" {
                let of = format!("{family}_count {others:?}");
                samples.insert(of, value);
            }
            assert!(samples.insert(series.to_owned(), value).is_none(), "{line}");
        }
        for (of, buckets) in buckets {
            let grows = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
            assert!(buckets.windows(2).all(grows), "{of}: {buckets:?}");
            let (top, count) = *buckets.last().unwrap();
            let (family, labels) = of.split_once(' ').unwrap();
            assert_eq!(top, f64::INFINITY, "{of}");
            assert_eq!(samples[&format!("{family}_count {labels}")], count, "{of}");
        }
        Self { samples }
    }

    /// The value of the one sample of this name with these labels among its own.
    fn value(&self, name: &str, labels: &[&str]) -> f64 {
        let fits = |series: &str| {
            let own = series.split_once('{');
            own.is_some_and(|(own, rest)| own == name && labels.iter().all(|it| rest.contains(it)))
        };
        let mut found = self.samples.iter().filter(|(series, _)| fits(series));
        let (_, value) = found
            .next()
            .unwrap_or_else(|| panic!("no {name} {labels:?}"));
        assert!(found.next().is_none(), "several {name} {labels:?}");
        *value
    }
}

#[tokio::test]
async fn a_cluster_under_load_tells_what_it_does() {
    let setting = Setting::new().await;
    let leader = setting.leader().await;
    let working = async {
        let client = setting.client(1);
        for key in 0..100 {
            let (object, value) = (ObjectId::new(key, key), Bytes::from(vec![7; 1_000]));
            let created = client.create::<Blobs>(object, &value, None).await;
            assert_eq!(created, Outcome::Done(Bytes::new()));
            assert_eq!(client.access::<Blobs>(&object).await, Ok(value));
        }
        assert_eq!(
            client.lookup(ObjectId::new(7, 7)).await,
            Outcome::Done(Bytes::new())
        );
        let gone = client.access::<Blobs>(&ObjectId::new(1_000, 0)).await;
        assert_eq!(gone, Err(Outcome::NotFound));
        client
    };
    // Pages are read while it works, and stay what they should be.
    let scraping = async {
        loop {
            for id in (0..3).map(id) {
                let page = Exposition::of(setting.metrics(id)).await;
                assert_eq!(
                    page.value("ssmr_voter", &[&format!("replica=\"{id}\"")]),
                    1.0
                );
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let _client = tokio::select! {
        client = working => client,
        () = scraping => unreachable!("it never ends"),
    };
    let page = Exposition::of(setting.metrics(leader)).await;
    let answered = |kind: &str, outcome: &str| {
        let labels = [format!("kind=\"{kind}\""), format!("outcome=\"{outcome}\"")];
        page.value("ssmr_commands_total", &[&labels[0], &labels[1]])
    };
    assert_eq!(answered("create", "done"), 100.0);
    assert_eq!(answered("read", "done"), 100.0);
    assert_eq!(answered("read", "not_found"), 1.0);
    assert_eq!(answered("lookup", "done"), 1.0);
    let took = page.value("ssmr_command_duration_seconds_count", &["kind=\"create\""]);
    assert_eq!(took, 100.0);
    let sum = page.value("ssmr_command_duration_seconds_sum", &["kind=\"create\""]);
    assert!(sum > 0.0);
    assert_eq!(page.value("ssmr_objects", &[]), 100.0);
    // Each value is a thousand bytes behind its length.
    assert_eq!(page.value("ssmr_objects_bytes", &[]), 100_800.0);
    assert_eq!(page.value("ssmr_leader", &[]), 1.0);
    assert_eq!(page.value("ssmr_connections", &["kind=\"client\""]), 1.0);
    assert!(page.value("ssmr_snapshots_total", &["origin=\"taken\""]) >= 4.0);
    assert!(page.value("ssmr_log_bytes", &[]) < 2.0 * 20_000.0);
    assert_eq!(page.value("ssmr_log_limit_bytes", &[]), 20_000.0);
    let follower = id((leader.index + 1) % 3);
    let other = Exposition::of(setting.metrics(follower)).await;
    assert_eq!(other.value("ssmr_leader", &[]), 0.0);
    let nothing = other.value(
        "ssmr_commands_total",
        &["kind=\"create\"", "outcome=\"done\""],
    );
    assert_eq!(nothing, 0.0);
}

#[tokio::test]
async fn an_operator_is_told_which_objects_are_named_the_most() {
    let setting = Setting::new().await;
    let (leader, client) = (setting.leader().await, setting.client(1));
    let object = |key| ObjectId::new(key, key);
    for key in 0..10 {
        client
            .create::<Blobs>(object(key), &Bytes::new(), None)
            .await;
    }
    let operator = Operator::new::<Blobs>(&setting.config, Global).unwrap();
    // Nobody has counted before somebody asks.
    assert_eq!(operator.hottest(leader, 5).await.unwrap().total, 0);
    for round in 0..60u64 {
        let key = if round % 3 == 0 { round % 10 } else { 7 };
        client.access::<Blobs>(&object(key)).await.unwrap();
    }
    let told = operator.hottest(leader, 2).await.unwrap();
    assert_eq!(told.objects.len(), 2);
    let hottest = told.objects[0];
    assert_eq!(hottest.object, object(7));
    // Counts may have been halved meanwhile.
    assert!(2 * hottest.at_least > told.total, "{told:?}");
    assert_eq!(hottest.at_least, hottest.at_most);
    let report = operator.report(leader).await.unwrap();
    assert_eq!(report.status.objects, 10);
    assert_eq!(report.connections.clients, 1);
}

#[tokio::test]
async fn readiness_turns_when_the_leader_is_lost_and_when_a_replica_is_filled() {
    let mut setting = Setting::new().await;
    for id in (0..3).map(id) {
        assert_eq!(get(setting.metrics(id), "/healthz").await.0, 200);
    }
    let leader = setting.leader().await;
    let [cut_off, forgets] = [1, 2].map(|step| id((leader.index + step) % 3));
    // One follower and the leader are gone, to the other follower: nobody can lead.
    setting.replicas[&cut_off].cut(Cut::Peers, true);
    let said = setting.readiness(cut_off, 503).await;
    assert!(said.contains("no leader"), "{said}");
    // It runs all the same.
    assert_eq!(get(setting.metrics(cut_off), "/healthz").await.0, 200);

    // One that forgets everything is no member while nobody can take it in.
    let stopped = setting.replicas.remove(&forgets).unwrap();
    let address = stopped.metrics_address().unwrap();
    stopped.shutdown().await;
    assert!(
        TcpStream::connect(address).await.is_err(),
        "it is still served"
    );
    setting.restart(forgets);
    let said = setting.readiness(forgets, 503).await;
    assert!(said.contains("no member"), "{said}");
    setting.replicas[&cut_off].cut(Cut::Peers, false);
    for id in [leader, cut_off, forgets] {
        setting.readiness(id, 200).await;
    }
}

#[tokio::test]
async fn strangers_get_little_and_cost_nobody_anything() {
    let setting = Setting::new().await;
    let to = setting.metrics(id(0));
    for (request, status) in [
        ("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "200"),
        ("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200"),
        (
            "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
            "405",
        ),
        ("GET /metrics HTTP/1.1\r\nno header\r\n\r\n", "400"),
        ("\x16\x03\x01\x02 not HTTP at all\r\n\r\n", "400"),
    ] {
        let answer = say(to, request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{request:?}: {answer}"
        );
    }
    let endless = format!("GET /{} HTTP/1.1\r\n", "a".repeat(1 << 20));
    let answer = say(to, endless.as_bytes()).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    let answer = say(to, many.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    // More silent connections than there may be: the oldest give way, and pages come all the same.
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(to).await.unwrap());
        Exposition::of(to).await;
    }
    let mut first = silent.swap_remove(0);
    let closed = timeout(PATIENCE, first.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    // One that reads nothing, and one that never ends its request, lose their connections.
    let mut slow = TcpStream::connect(to).await.unwrap();
    slow.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, slow.read_to_end(&mut said))
        .await
        .unwrap();
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 408"));
    // A replica that was told to end does, whoever is connected.
    let mut setting = setting;
    let replica = setting.replicas.remove(&id(0)).unwrap();
    timeout(PATIENCE, replica.shutdown()).await.unwrap();
    let page = Exposition::of(setting.metrics(id(1))).await;
    assert_eq!(page.value("ssmr_voter", &[]), 1.0);
}
