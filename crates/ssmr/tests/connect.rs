//! Whom a client does not connect to, and what it says then. Nothing here may wait for a deadline.

mod common;

use common::{Counters, Op, PATIENCE, cluster, object};
use ssmr::{
    Access, Application, Broker, Client, ClusterConfig, ConfigError, ConnectError, ConnectionState,
    Error, GroupId, Objects, Oracle, PartitionId, ReplicaId, Static, Topology,
};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How a connection ends. A mismatch is found at once; the time-out is far beyond what the test may
/// take.
async fn refused<A: Application>(config: &ClusterConfig, oracle: impl Oracle) -> ConnectError {
    let client = Client::<A>::builder(config, oracle).connect_timeout(10 * PATIENCE);
    let connected = tokio::time::timeout(PATIENCE, client.connect());
    connected.await.expect("it is found at once").unwrap_err()
}

/// The same types under another name or version.
macro_rules! impostor {
    ($name:ident, $called:expr, $version:expr) => {
        struct $name;

        impl Application for $name {
            const NAME: &'static str = $called;
            const VERSION: u32 = $version;
            type Object = u64;
            type Op = Op;
            type Reply = u64;

            fn access(op: &Op) -> Access {
                Counters::access(op)
            }

            fn execute(op: &Op, counters: &mut Objects<u64>) -> u64 {
                Counters::execute(op, counters)
            }
        }
    };
}

impostor!(Renamed, "accounts", 3);
impostor!(Newer, "counters", 4);

#[tokio::test]
async fn each_mismatch_has_its_name() {
    let cluster = cluster(Static::new()).await;
    let config = cluster.config();

    let error = refused::<Renamed>(config, Static::new()).await;
    let expected = "runs service counters (version 3), this is a client of accounts (version 3)";
    assert!(
        matches!(error, ConnectError::WrongService { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(expected), "{error}");
    let error = refused::<Newer>(config, Static::new()).await;
    assert!(
        matches!(error, ConnectError::WrongService { .. }),
        "{error}"
    );

    let error = refused::<Counters>(config, Static::with_directory()).await;
    let ConnectError::WrongStrategy { ours, theirs, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((&ours[..], &theirs[..]), ("static-directory", "static"));

    let mut other = config.clone();
    other.incarnation ^= 1;
    let error = refused::<Counters>(&other, Static::new()).await;
    assert!(
        matches!(error, ConnectError::WrongCluster { .. }),
        "{error}"
    );

    let mut smaller = config.clone();
    smaller.topology = Topology::new(1, 1).unwrap();
    smaller
        .addresses
        .retain(|id, _| id.group == GroupId::from(PartitionId(0)));
    let error = refused::<Counters>(&smaller, Static::new()).await;
    let ConnectError::WrongTopology { theirs, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(theirs, cluster.topology());

    let mut swapped = config.clone();
    let [first, second] = [0, 1].map(|partition| ReplicaId {
        group: PartitionId(partition).into(),
        index: 0,
    });
    swapped
        .addresses
        .insert(first, config.addresses[&second].clone());
    swapped
        .addresses
        .insert(second, config.addresses[&first].clone());
    let error = refused::<Counters>(&swapped, Static::new()).await;
    assert!(
        matches!(error, ConnectError::WrongReplica { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_configuration_that_does_not_fit_is_found_before_anything_is_dialled() {
    let cluster = cluster(Static::new()).await;
    let error = refused::<Counters>(cluster.config(), Broker).await;
    let config = matches!(
        error,
        ConnectError::Config(ConfigError::NoOracleGroup { .. })
    );
    assert!(config, "{error}");
    let mut homeless = cluster.config().clone();
    homeless.addresses.pop_first();
    let error = refused::<Counters>(&homeless, Static::new()).await;
    let config = matches!(error, ConnectError::Config(ConfigError::NoAddress(_)));
    assert!(config, "{error}");
}

/// A connection to nobody, given up after a short while.
async fn unreachable(config: &ClusterConfig) -> ConnectError {
    let client = Client::<Counters>::builder(config, Static::new());
    let client = client.connect_timeout(Duration::from_millis(300));
    let connected = tokio::time::timeout(PATIENCE, client.connect());
    connected.await.expect("it is given up").unwrap_err()
}

#[tokio::test]
async fn a_stopped_cluster_and_a_wrong_port_are_named() {
    let cluster = cluster(Static::new()).await;
    let config = cluster.config().clone();
    let id = ReplicaId {
        group: PartitionId(1).into(),
        index: 0,
    };
    // Somebody else listens there and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wrong = config.clone();
    wrong
        .addresses
        .insert(id, silent.local_addr().unwrap().into());
    let error = unreachable(&wrong).await;
    let named = format!("p1r0 at {}", silent.local_addr().unwrap());
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&named), "{error}");

    cluster.shutdown().await;
    let error = unreachable(&config).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn somebody_who_answers_something_else_is_no_replica() {
    let cluster = cluster(Static::new()).await;
    let stranger = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wrong = cluster.config().clone();
    let id = *wrong.addresses.keys().next().unwrap();
    wrong
        .addresses
        .insert(id, stranger.local_addr().unwrap().into());
    let answering = tokio::spawn(async move {
        loop {
            let (mut stream, _) = stranger.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let error = unreachable(&wrong).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    answering.abort();
}

#[tokio::test]
async fn garbage_peers_do_not_hurt() {
    let cluster = cluster(Static::new()).await;
    let client = cluster.client().await.unwrap();
    client.create(object(1), &0).await.unwrap();
    for address in cluster.config().addresses.values() {
        for garbage in [
            &[0xff; 64][..],
            b"ssmr",
            // Of this version, and cut off: one of another version is told which this is.
            &[0, 0, 0, 6, b's', b's', b'm', b'r', 9, 0],
        ] {
            let mut stream = TcpStream::connect(address.address().unwrap())
                .await
                .unwrap();
            stream.write_all(garbage).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut said = Vec::new();
            let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said));
            let _ = read.await.expect("the connection is closed");
            assert!(said.is_empty(), "a stranger was told {said:?}");
        }
    }
    assert_eq!(client.call(&Op::Add(vec![object(1)], 5)).await, Ok(5));
}

#[tokio::test]
async fn a_client_tells_whom_it_is_connected_to() {
    let cluster = ssmr::LocalCluster::<Counters>::builder(Static::new());
    let mut cluster = cluster.partitions(1).replicas(3).start().await.unwrap();
    let client = cluster.client().await.unwrap();
    let is_connected = |client: &Client<Counters>, id: ReplicaId| {
        let connections = client.connections();
        let mut found = connections.iter().filter(|it| it.peer.replica == id);
        found.next().unwrap().state.is_connected()
    };
    let group = PartitionId(0).into();
    let leader = cluster.leader_of(group).unwrap();
    let follower = ReplicaId {
        group,
        index: (leader.index + 1) % 3,
    };
    let until = async |client: &Client<Counters>, wanted: bool| {
        let changed = async {
            while is_connected(client, follower) != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, changed).await.unwrap();
    };
    until(&client, true).await;
    assert!(cluster.stop_replica(follower));
    until(&client, false).await;
    let connections = client.connections();
    assert_eq!(connections.len(), 3);
    let down = connections.iter().find(|it| it.peer.replica == follower);
    let down = down.unwrap();
    assert_eq!(down.peer.address, cluster.config().addresses[&follower]);
    let ConnectionState::Down { why } = &down.state else {
        panic!("{:?}", down.state)
    };
    assert!(why.to_string().contains(&follower.to_string()), "{why}");
    client.create(object(1), &1).await.unwrap();
    assert!(cluster.restart_replica(follower).unwrap());
    until(&client, true).await;
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = runtime.block_on(cluster(Static::new()));
    let mut connecting = Box::pin(cluster.client());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = connecting.as_mut().poll(&mut context);
    let std::task::Poll::Ready(Err(error)) = polled else {
        panic!("{polled:?}")
    };
    assert!(matches!(error, ConnectError::NoRuntime), "{error}");

    // A client that has a runtime can be called from anywhere, also with a time-out.
    let client = runtime.block_on(cluster.client()).unwrap();
    let created = wait(client.create(object(1), &1).timeout(PATIENCE).into_future());
    assert_eq!(created, Ok(()));
    drop(runtime);
    assert_eq!(
        wait(client.create(object(2), &1).into_future()),
        Err(Error::Closed)
    );
}

/// Polls a future in this thread, without any runtime.
fn wait<T>(mut future: std::pin::Pin<Box<dyn Future<Output = T> + Send>>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
