use super::*;
use crate::wire::Incoming;
use bytes::BytesMut;
use ssmr_core::{GroupId, PartitionId, ServiceVersion, Topology};

const CLIENT: Role = Role::Client(ClientId(7));
const SERVED: ReplicaId = ReplicaId {
    group: GroupId::ORACLE,
    index: 2,
};

fn identity() -> Identity {
    Identity {
        incarnation: 5,
        service: ServiceVersion {
            name: "bank".into(),
            version: 1,
        },
        strategy: "broker".into(),
        topology: Topology::new(2, 3).unwrap().with_oracle(3).unwrap(),
    }
}

fn acceptor() -> Greeting {
    Greeting::new(identity(), Role::Replica(SERVED))
}

fn peer() -> Peer {
    Peer {
        replica: SERVED,
        address: "127.0.0.1:4000".parse().unwrap(),
    }
}

/// Admits everybody.
fn anybody(role: Role) -> Result<Role, Refusal> {
    Ok(role)
}

/// Both ends of a connection: what the acceptor and what the dialler make of it.
async fn meet(
    dialler: &Greeting,
    acceptor: &Greeting,
) -> (io::Result<Role>, Result<(), ConnectError>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let (reader, mut writer) = tokio::io::split(near);
    let (far_reader, mut far_writer) = tokio::io::split(far);
    let peer = peer();
    let (welcomed, introduced) = tokio::join!(
        welcome(far_reader, &mut far_writer, acceptor, anybody),
        introduce(reader, &mut writer, dialler, &peer),
    );
    (welcomed.map(|(_, role)| role), introduced.map(|_| ()))
}

#[tokio::test]
async fn ends_that_agree_go_on() {
    let other = Role::Replica(ReplicaId { index: 1, ..SERVED });
    for role in [CLIENT, other, Role::Operator] {
        let (welcomed, introduced) = meet(&Greeting::new(identity(), role), &acceptor()).await;
        assert_eq!(welcomed.unwrap(), role);
        introduced.unwrap();
    }
}

#[tokio::test]
async fn each_difference_is_named_at_both_ends() {
    type Change = fn(&mut Identity);
    let differing = |change: Change| {
        let mut identity = identity();
        change(&mut identity);
        Greeting::new(identity, CLIENT)
    };
    let differences: [(Change, &str); 5] = [
        (|it| it.incarnation = 6, "cluster"),
        (|it| it.service.name = "shop".into(), "service"),
        (|it| it.service.version = 2, "service"),
        (|it| it.strategy = "global".into(), "strategy"),
        (|it| it.topology = Topology::new(2, 3).unwrap(), "topology"),
    ];
    for (change, what) in differences {
        let (welcomed, introduced) = meet(&differing(change), &acceptor()).await;
        let refused = welcomed.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        assert!(refused.to_string().contains(what), "{refused}");
        let error = introduced.unwrap_err();
        let expected = match what {
            "cluster" => matches!(error, ConnectError::WrongCluster { ours: 6, .. }),
            "service" => matches!(error, ConnectError::WrongService { .. }),
            "strategy" => matches!(error, ConnectError::WrongStrategy { .. }),
            _ => matches!(error, ConnectError::WrongTopology { .. }),
        };
        assert!(expected, "{error}");
        assert!(
            error.to_string().contains("oracler2 at 127.0.0.1:4000"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn replicas_that_are_not_who_they_should_be_are_found_out() {
    let unknown = ReplicaId { index: 9, ..SERVED };
    for stranger in [unknown, SERVED] {
        let dialler = Greeting::new(identity(), Role::Replica(stranger));
        let (welcomed, introduced) = meet(&dialler, &acceptor()).await;
        assert_eq!(welcomed.unwrap_err().kind(), io::ErrorKind::InvalidData);
        let error = introduced.unwrap_err();
        assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    }
    let group = PartitionId(0).into();
    let elsewhere = Role::Replica(ReplicaId { group, index: 2 });
    let acceptor = Greeting::new(identity(), elsewhere);
    let (_, introduced) = meet(&Greeting::new(identity(), CLIENT), &acceptor).await;
    let error = introduced.unwrap_err();
    assert!(
        matches!(error, ConnectError::WrongReplica { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn who_is_one_too_many_is_told_so_and_may_try_again() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let (reader, mut writer) = tokio::io::split(near);
    let (far_reader, mut far_writer) = tokio::io::split(far);
    let full = |_| Err::<(), _>(Refusal::Full { limit: 3 });
    let (dialler, acceptor) = (Greeting::new(identity(), CLIENT), acceptor());
    let peer = peer();
    let (welcomed, introduced) = tokio::join!(
        welcome(far_reader, &mut far_writer, &acceptor, full),
        introduce(reader, &mut writer, &dialler, &peer),
    );
    assert_eq!(welcomed.unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    let error = introduced.unwrap_err();
    assert!(
        matches!(error, ConnectError::Full { limit: 3, .. }),
        "{error}"
    );
    assert!(!error.is_mismatch());
}

/// What an acceptor that hears these bytes makes of them, and what it answers.
async fn accept(bytes: &[u8]) -> (io::Result<Role>, Vec<u8>) {
    let mut answer = Vec::new();
    let welcomed = welcome(bytes, &mut answer, &acceptor(), anybody).await;
    (welcomed.map(|(_, role)| role), answer)
}

#[tokio::test]
async fn another_version_is_answered_whatever_follows_it() {
    let preamble = codec::encode(&(MAGIC, PROTOCOL + 1));
    let (refused, answer) = accept(&frame(&[&preamble, &[1, 2, 3]])).await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData);
    let mut frames = Frames::new(&answer[..], MAX_GREETING);
    let (version, _) = hear(&mut frames).await.unwrap();
    assert_eq!(version, PROTOCOL);

    let theirs = frame(&[&preamble, &[9]]);
    let own = Greeting::new(identity(), CLIENT);
    let error = introduce(&theirs[..], &mut Vec::new(), &own, &peer()).await;
    let error = error.unwrap_err();
    let newer =
        matches!(error, ConnectError::WrongVersion { theirs, .. } if theirs == PROTOCOL + 1);
    assert!(newer, "{error}");
}

#[tokio::test]
async fn garbage_is_told_nothing() {
    let http = &b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"[..];
    let broken = frame(&[&codec::encode(&(MAGIC, PROTOCOL)), &[7; 9]]);
    for bytes in [
        http,
        &[0, 0, 0, 9, 1, 2],
        &[0, 0, 0, 1, 9],
        &[0; 4],
        &broken,
    ] {
        let (refused, answer) = accept(bytes).await;
        assert!(refused.is_err() && answer.is_empty(), "{bytes:?}");
    }
}

#[tokio::test]
async fn messages_may_follow_at_once_and_have_a_limit() {
    let mut bytes = BytesMut::from(&framed(&Greeting::new(identity(), CLIENT))[..]);
    crate::wire::append(&mut bytes, &(1u64, "one".to_owned()));
    bytes.extend_from_slice(&(MAX_CLIENT_FRAME as u32 + 1).to_be_bytes());
    let (mut frames, _) = welcome(&bytes[..], &mut Vec::new(), &acceptor(), anybody)
        .await
        .unwrap();
    let first = frames.next::<(u64, String)>().await.unwrap();
    assert_eq!(
        first,
        Incoming::Message((1, "one".to_owned()), 4 + 8 + 8 + 3)
    );
    assert!(frames.next::<u8>().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn silence_is_given_up_at_both_ends() {
    let (_held_open, silent) = tokio::io::duplex(64);
    let error = in_time(welcome(silent, &mut Vec::new(), &acceptor(), anybody))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let (_held_open, silent) = tokio::io::duplex(64);
    let own = Greeting::new(identity(), CLIENT);
    let error = introduce(silent, &mut Vec::new(), &own, &peer())
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}
