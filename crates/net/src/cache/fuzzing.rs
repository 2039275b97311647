//! For fuzz targets: both ends of the cache's protocol.

use super::batch::{Batch, Exchange};
use super::health::Health;
use super::protocol::Session;
use super::store::Store;
use crate::fuzzing::block_on;
use bytes::{Bytes, BytesMut};
use memcache::exp::AsyncMetaClient;
use ssmr_core::{CacheCall, CacheReply, Hint, ObjectId, PartitionId, Timestamp};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the embedded server answers to a connection, and whether it closes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheTalk {
    /// The answers.
    pub answered: Vec<u8>,
    /// Whether it closes the connection.
    pub is_over: bool,
}

/// The embedded server hears `bytes`, `piece` at a time; a second passes with each command.
#[must_use]
pub fn cache_server(bytes: &[u8], piece: usize) -> CacheTalk {
    let (mut session, mut store) = (Session::default(), Store::new(4 << 20));
    let (mut input, mut answered, mut now) = (BytesMut::new(), Vec::new(), 0);
    for piece in bytes.chunks(piece.max(1)) {
        input.extend_from_slice(piece);
        while session.step(&mut input, &mut store, now, &mut answered) {
            now += 1_000_000;
        }
    }
    let is_over = session.is_over();
    CacheTalk { answered, is_over }
}

/// Runs a batch of calls (three gets, a set, two hints) at a server that answers with `bytes` and
/// hangs up, or, without any, at one that answers as the embedded one does, filled. Returns the
/// replies, and what the server said.
#[must_use]
pub fn cache_client(bytes: Option<&[u8]>) -> (Vec<CacheReply>, Vec<u8>) {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let said = RefCell::new(Vec::new());
        let replies = tokio::select! {
            replies = run(address) => replies,
            () = serve(&listener, bytes, &said) => unreachable!("it serves for ever"),
        };
        (replies, said.into_inner())
    })
}

async fn run(address: SocketAddr) -> Vec<CacheReply> {
    let patience = Some(Duration::from_secs(5));
    let builder = AsyncMetaClient::builder()
        .connect_timeout(patience)
        .io_timeout(patience);
    let client = builder.connect_multiple_async([address]).await;
    let (batch, health) = (Batch::from(&mut calls()), Health::of(&address.to_string()));
    let Ok(client) = client else {
        return batch.replies(&mut Exchange::default(), &health);
    };
    let mut exchange = batch.exchange(&client).await;
    let replies = batch.replies(&mut exchange, &health);
    batch.newer_hints(&exchange).store(&client).await;
    replies
}

fn calls() -> Vec<CacheCall> {
    let get = |key: &'static str| CacheCall::Get { key: key.into() };
    let publish = |key: &'static str| CacheCall::Publish {
        key: key.into(),
        hint: Hint {
            object: ObjectId::new(1, 2),
            owner: PartitionId(1),
            epoch: Timestamp::default(),
        },
    };
    let (key, value) = (Bytes::from("d"), Bytes::from("value"));
    let set = CacheCall::Set { key, value };
    let calls = [
        get("a"),
        get("b"),
        get("c"),
        set,
        publish("e"),
        publish("f"),
    ];
    calls.into()
}

/// Answers one connection after the other, in whatever pieces.
async fn serve(listener: &TcpListener, bytes: Option<&[u8]>, said: &RefCell<Vec<u8>>) {
    let mut store = Store::new(1 << 20);
    let mut fill = BytesMut::from("ms a 2\r\nhi\r\nms b 0\r\n\r\nms e 1\r\nx\r\n");
    let mut session = Session::default();
    while session.step(&mut fill, &mut store, 0, &mut Vec::new()) {}
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            // A connection that breaks is the client's business.
            let _ = match bytes {
                Some(bytes) => recite(stream, bytes).await,
                None => converse(stream, &mut store, said).await,
            };
        }
    }
}

/// Says it, and hangs up when the client does.
async fn recite(mut stream: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut heard = [0; 1024];
    while stream.read(&mut heard).await? > 0 {}
    Ok(())
}

async fn converse(
    mut stream: TcpStream,
    store: &mut Store,
    said: &RefCell<Vec<u8>>,
) -> std::io::Result<()> {
    let (mut session, mut input) = (Session::default(), BytesMut::new());
    while stream.read_buf(&mut input).await? > 0 {
        let mut answers = Vec::new();
        while session.step(&mut input, store, 0, &mut answers) {}
        stream.write_all(&answers).await?;
        said.borrow_mut().extend_from_slice(&answers);
    }
    Ok(())
}
