//! A wire to a server that can be cut.
//!
//! It takes connections in the server's place and passes bytes on both ways. While it is cut
//! nothing passes and nobody is refused, as with a network that loses everything: what was on its
//! way arrives later. Invariant: it ends, and all its connections, with its owner.

use std::io;
use std::net::Ipv4Addr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How much is passed on at a time.
const BUFFER: usize = 64 << 10;

/// A wire.
#[derive(Debug)]
pub(super) struct Relay {
    address: String,
    is_cut: watch::Sender<bool>,
    /// The one that takes connections. They end with it.
    _task: JoinSet<()>,
}

impl Relay {
    /// One to the server at `host:port`, on a free port of the loopback interface.
    pub(super) async fn start(server: String) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (is_cut, listens) = watch::channel(false);
        let mut task = JoinSet::new();
        task.spawn(accept(listener, server, listens));
        Ok(Self {
            address,
            is_cut,
            _task: task,
        })
    }

    /// Where it takes connections.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Cuts it, or joins it again.
    pub(super) fn cut(&self, off: bool) {
        self.is_cut.send_replace(off);
    }
}

async fn accept(listener: TcpListener, server: String, is_cut: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(serve(client, server.clone(), is_cut.clone()));
                }
                Err(error) => tracing::warn!(%error, "a connection to a cache is not taken"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Passes on what two ends say until one of them has hung up.
async fn serve(mut client: TcpStream, server: String, mut is_cut: watch::Receiver<bool>) {
    let connect = async {
        joined(&mut is_cut).await?;
        let server = TcpStream::connect(&server).await?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        Ok::<_, io::Error>(server)
    };
    // Where the server is not there, the client sees its connection close.
    let Ok(mut server) = connect.await else {
        return;
    };
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::select! {
        _ = pass(from_client, to_server, is_cut.clone()) => {}
        _ = pass(from_server, to_client, is_cut) => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut is_cut: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        joined(&mut is_cut).await?;
        if length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// Waits until the wire is whole.
async fn joined(is_cut: &mut watch::Receiver<bool>) -> io::Result<()> {
    let joined = is_cut.wait_for(|cut| !cut).await;
    joined.map(|_| ()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cut_wire_passes_nothing_and_a_joined_one_what_was_held_back() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::start(server.local_addr().unwrap().to_string()).await;
        let relay = relay.unwrap();
        let mut client = TcpStream::connect(relay.address()).await.unwrap();
        let (mut there, _) = server.accept().await.unwrap();
        client.write_all(b"a").await.unwrap();
        assert_eq!(there.read_u8().await.unwrap(), b'a');
        relay.cut(true);
        client.write_all(b"b").await.unwrap();
        let mut late = TcpStream::connect(relay.address()).await.unwrap();
        late.write_all(b"c").await.unwrap();
        tokio::select! {
            biased;
            said = there.read_u8() => panic!("it heard {said:?}"),
            came = server.accept() => panic!("{came:?}"),
            () = tokio::time::sleep(std::time::Duration::from_millis(20)) => {}
        }
        relay.cut(false);
        assert_eq!(there.read_u8().await.unwrap(), b'b');
        let (mut second, _) = server.accept().await.unwrap();
        assert_eq!(second.read_u8().await.unwrap(), b'c');
        there.write_all(b"d").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'd');
        drop(relay);
        assert!(client.read_u8().await.is_err());
    }
}
