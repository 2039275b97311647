//! At each limit of connections, who is one too many is turned away, and the others are served.

mod common;

use bytes::Bytes;
use common::Client;
use common::raw::{
    Blobs, OPERATOR, PATIENCE, assert_closed, client, dial, frame, hear, long_question, topology,
};
use ssmr_core::client::ClientSettings;
use ssmr_core::{
    ClientId, ClientMessage, GroupId, ObjectId, Outcome, PartitionId, ServerMessage, codec,
};
use ssmr_net::{
    ClientHandle, Cluster, ClusterOptions, ConnectError, ConnectionLimits, ConnectionState,
};
use ssmr_strategy_global::Global;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

struct Setting {
    cluster: Cluster,
    client: Client,
    created: u64,
}

impl Setting {
    /// A cluster with such limits, and a client that is connected to each replica.
    async fn new(set: fn(&mut ConnectionLimits)) -> Self {
        let mut limits = ConnectionLimits::default();
        set(&mut limits);
        let options = ClusterOptions::new(topology(), Global).with_limits(limits);
        let cluster = Cluster::start::<Blobs>(options).unwrap();
        cluster.ready(PATIENCE).await.unwrap();
        let settings = ClientSettings::default();
        let client = Client::start::<Blobs>(cluster.config(), 1, Global, settings);
        let mut setting = Self {
            cluster,
            client,
            created: 0,
        };
        setting.assert_served().await;
        setting
    }

    fn leader(&self) -> SocketAddr {
        let leader = self.cluster.leader_of(GroupId::from(PartitionId(0)));
        self.cluster.config().addresses[&leader.unwrap()]
            .address()
            .unwrap()
    }

    async fn assert_served(&mut self) {
        let object = ObjectId::new(0, self.created);
        let value = Bytes::new();
        let created = self.client.create::<Blobs>(object, &value, None).await;
        assert_eq!(created, Outcome::Done(Bytes::new()));
        self.created += 1;
        assert_eq!(self.cluster.running().count(), 3);
    }
}

/// Whether the other end still takes part: it answers a greeting of a client's.
async fn is_answered(stream: &mut TcpStream) {
    let hello = frame(&codec::encode(&ClientMessage::Hello));
    stream.write_all(&hello).await.unwrap();
    let answer: ServerMessage = codec::decode(&hear(stream).await).unwrap();
    assert!(matches!(answer, ServerMessage::Time(_)), "{answer:?}");
}

#[tokio::test]
async fn a_client_too_many_is_refused_by_name_and_served_when_there_is_room() {
    // The client of the setting is one of them.
    let mut setting = Setting::new(|limits| limits.clients = 3).await;
    let mut second = dial(setting.leader(), client(2)).await;
    let mut third = dial(setting.leader(), client(3)).await;
    for stream in [&mut second, &mut third] {
        hear(stream).await;
        is_answered(stream).await;
    }
    let said = assert_closed(dial(setting.leader(), client(4)).await).await;
    assert!(!said.is_empty());

    let (config, settings) = (setting.cluster.config(), ClientSettings::default());
    let fourth = ClientHandle::start::<Blobs>(config, ClientId(4), Global, settings).unwrap();
    let leader = setting.leader();
    let is_full = |connection: &ssmr_net::Connection| {
        let full = matches!(
            &connection.state,
            ConnectionState::Down {
                why: ConnectError::Full { limit: 3, .. }
            }
        );
        full && connection.peer.address == leader.into()
    };
    let refused = async {
        let object = ObjectId::new(7, 7);
        let request = ssmr_core::Request::create::<Blobs>(object, &Bytes::new(), None);
        let call = fourth.execute(request);
        tokio::pin!(call);
        // It asks again and again until it is told that there is no room.
        while !fourth.connections().iter().any(is_full) {
            let _ = timeout(Duration::from_millis(5), &mut call).await;
        }
        drop(third);
        call.await.unwrap().outcome
    };
    let outcome = timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(outcome, Outcome::Done(Bytes::new()));
    is_answered(&mut second).await;
    setting.assert_served().await;
}

#[tokio::test]
async fn of_those_that_say_nothing_the_oldest_gives_way() {
    let mut setting = Setting::new(|limits| limits.ungreeted = 3).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(setting.leader()).await.unwrap());
    }
    // Whoever comes and says who it is gets in, and the silent ones go in the order they came.
    let mut greeted = dial(setting.leader(), client(2)).await;
    hear(&mut greeted).await;
    assert_eq!(assert_closed(silent.remove(0)).await, []);
    is_answered(&mut greeted).await;
    let late = silent.pop().unwrap();
    let mut late = {
        let mut late = late;
        let greeting = common::raw::greeting(1, client(3));
        late.write_all(&greeting).await.unwrap();
        late
    };
    hear(&mut late).await;
    is_answered(&mut late).await;
    setting.assert_served().await;
}

#[tokio::test]
async fn an_operator_gets_in_however_many_are_there() {
    let mut setting = Setting::new(|limits| limits.operators = 2).await;
    let mut operators = Vec::new();
    for _ in 0..3 {
        let mut operator = dial(setting.leader(), OPERATOR).await;
        hear(&mut operator).await;
        operators.push(operator);
    }
    assert_closed(operators.remove(0)).await;
    // What do you hold?
    let question = frame(&codec::encode(&0u32));
    for operator in &mut operators {
        operator.write_all(&question).await.unwrap();
        assert!(!hear(operator).await.is_empty());
    }
    setting.assert_served().await;
}

#[tokio::test]
async fn replicas_get_through_however_many_speak_in_their_names() {
    let mut setting = Setting::new(|limits| limits.per_replica = 2).await;
    let leader = setting.cluster.leader_of(GroupId::from(PartitionId(0)));
    let other = setting.cluster.running().find(|id| Some(*id) != leader);
    let role = (0u32, (0u8, other.unwrap().index));
    let mut impostors = Vec::new();
    for _ in 0..3 {
        let mut impostor = dial(setting.leader(), role).await;
        hear(&mut impostor).await;
        impostors.push(impostor);
    }
    assert_closed(impostors.remove(0)).await;
    setting.assert_served().await;
}

/// What is not read is not asked for either: a client that does not read comes to a stop, and gets
/// all that it asked for once it reads.
#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_from() {
    const QUESTIONS: usize = 2000;
    let set = |limits: &mut ConnectionLimits| {
        limits.unread = 1 << 20;
        // The answers to what is read already fit too.
        limits.waiting = 4;
    };
    let mut setting = Setting::new(set).await;
    let mut deaf = dial(setting.leader(), client(2)).await;
    hear(&mut deaf).await;
    let (mut reader, mut writer) = deaf.into_split();
    // Its answers are more than its mailbox and the sockets hold.
    let asking = tokio::spawn(async move {
        let question = long_question();
        for _ in 0..QUESTIONS {
            writer.write_all(&question).await.unwrap();
        }
        writer
    });
    // The others go on.
    for _ in 0..20 {
        setting.assert_served().await;
    }
    // What is not read yet cannot have been asked: sockets do not hold so much.
    assert!(!asking.is_finished());

    let answers = async {
        use tokio::io::AsyncReadExt;
        for _ in 0..QUESTIONS {
            let length = reader.read_u32().await.unwrap();
            let mut body = vec![0; length as usize];
            reader.read_exact(&mut body).await.unwrap();
            let answer: ServerMessage = codec::decode(&body).unwrap();
            assert!(matches!(answer, ServerMessage::Consulted { .. }));
        }
    };
    timeout(3 * PATIENCE, answers).await.unwrap();
    asking.await.unwrap();
    assert_eq!(setting.cluster.traffic().messages_dropped, 0);
    setting.assert_served().await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_for_too_long_is_closed() {
    let set = |limits: &mut ConnectionLimits| limits.stall = Duration::from_millis(100);
    let mut setting = Setting::new(set).await;
    let mut deaf = dial(setting.leader(), client(2)).await;
    hear(&mut deaf).await;
    let question = long_question();
    let refused = async { while deaf.write_all(&question).await.is_ok() {} };
    timeout(PATIENCE, refused).await.unwrap();
    setting.assert_served().await;
}

#[tokio::test]
async fn a_request_that_never_ends_is_not_waited_for() {
    let set = |limits: &mut ConnectionLimits| limits.request_time = Duration::from_millis(100);
    let mut setting = Setting::new(set).await;
    let mut endless = dial(setting.leader(), client(2)).await;
    hear(&mut endless).await;
    is_answered(&mut endless).await;
    endless.write_all(&[0, 0, 1, 0, 7]).await.unwrap();
    assert_eq!(assert_closed(endless).await, []);
    setting.assert_served().await;
}

/// Large requests take turns where they would fill too much together: none is refused.
#[tokio::test]
async fn large_requests_wait_for_each_other() {
    let mut setting = Setting::new(|limits| limits.requests_together = 0).await;
    // It has room for one, which this one takes and does not use.
    let mut greedy = dial(setting.leader(), client(2)).await;
    hear(&mut greedy).await;
    let length = (ssmr_core::limits::MAX_REQUEST as u32).to_be_bytes();
    greedy.write_all(&length).await.unwrap();
    setting.assert_served().await;
    let value = Bytes::from(vec![7; ssmr_core::limits::MAX_VALUE - 8]);
    let object = ObjectId::new(8, 8);
    let mut large = std::pin::pin!(setting.client.create::<Blobs>(object, &value, None));
    assert!(
        timeout(Duration::from_millis(200), &mut large)
            .await
            .is_err()
    );
    drop(greedy);
    assert_eq!(large.await, Outcome::Done(Bytes::new()));
}

/// A question for more places than a request may name has no answer but the end.
#[tokio::test]
async fn a_question_about_too_many_objects_costs_the_connection() {
    let mut setting = Setting::new(|_| ()).await;
    let mut curious = dial(setting.leader(), client(2)).await;
    hear(&mut curious).await;
    let ask = |count| ClientMessage::Consult(vec![ObjectId::new(9, 9); count]);
    let fits = frame(&codec::encode(&ask(ssmr_core::limits::MAX_OBJECTS)));
    curious.write_all(&fits).await.unwrap();
    assert!(!hear(&mut curious).await.is_empty());
    let exceeds = frame(&codec::encode(&ask(ssmr_core::limits::MAX_OBJECTS + 1)));
    curious.write_all(&exceeds).await.unwrap();
    assert_eq!(assert_closed(curious).await, []);
    setting.assert_served().await;
}
