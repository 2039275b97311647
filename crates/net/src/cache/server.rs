//! The embedded cache server: a thread that serves memcached's protocols from memory.
//!
//! It stands in for memcached where none is installed, so that the same client code is used either
//! way. A connection that sends garbage is told so and closed; the others do not notice.

use super::protocol::Session;
use super::store::Store;
use crate::clock::Clock;
use crate::error::NetError;
use bytes::BytesMut;
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// How much is read at a time.
const READ_BUFFER: usize = 64 << 10;

/// Answers are written when they have grown to this, also in the middle of a batch.
const WRITE_BUFFER: usize = 1 << 20;

/// How long to wait when the system has no more file descriptors: nothing tells when there are some
/// again.
const OUT_OF_FILES: Duration = Duration::from_millis(20);

/// A running cache server. Dropping it stops it.
#[derive(Debug)]
pub struct CacheServer {
    address: SocketAddr,
    /// The bound of its items.
    bytes: u64,
    /// Dropping it ends the server.
    running: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl CacheServer {
    /// Starts a server for so many bytes of items.
    ///
    /// # Errors
    /// If the address cannot be listened on, or the thread cannot be started.
    pub fn start(address: SocketAddr, bytes: u64) -> Result<Self, NetError> {
        let bind = |source| NetError::Bind {
            address: format!("{address} (cache)"),
            source,
        };
        let failed = |source| NetError::Start {
            what: "the cache server".to_owned(),
            source,
        };
        let listener = std::net::TcpListener::bind(address).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        listener.set_nonblocking(true).map_err(failed)?;
        // Last: one that is not used cannot be dropped where the caller has its own.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (running, stopped) = oneshot::channel::<()>();
        let serve = move || {
            let store = Rc::new(RefCell::new(Store::new(bytes)));
            LocalSet::new().block_on(&runtime, async move {
                match TcpListener::from_std(listener) {
                    Ok(listener) => tokio::select! {
                        () = accept(listener, store) => {}
                        _ = stopped => {}
                    },
                    Err(error) => tracing::error!(%address, %error, "the cache cannot listen"),
                }
            });
        };
        let thread = std::thread::Builder::new().name("cache".to_owned());
        Ok(Self {
            address,
            bytes,
            running: Some(running),
            thread: Some(thread.spawn(serve).map_err(failed)?),
        })
    }

    /// Starts it again at its old address, empty, whether it runs or was stopped.
    ///
    /// # Errors
    /// If its port has been taken by somebody else meanwhile.
    pub fn restart(&mut self) -> Result<(), NetError> {
        self.stop();
        *self = Self::start(self.address, self.bytes)?;
        Ok(())
    }

    /// Where it listens, also while it is stopped.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it: its sockets are closed, its items forgotten and its thread gone when this returns.
    pub fn stop(&mut self) {
        self.running = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(address = %self.address, "the cache server had failed");
        }
    }
}

impl Drop for CacheServer {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn accept(listener: TcpListener, store: Rc<RefCell<Store>>) {
    let clock = Clock::start();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let store = store.clone();
                tokio::task::spawn_local(async move {
                    if let Err(error) = serve(stream, &store, clock).await {
                        tracing::debug!(%address, %error, "a cache connection broke");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a cache connection cannot be accepted");
                tokio::time::sleep(OUT_OF_FILES).await;
            }
        }
    }
}

async fn serve(mut stream: TcpStream, store: &RefCell<Store>, clock: Clock) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut session = Session::default();
    let (mut input, mut output) = (BytesMut::new(), Vec::new());
    loop {
        input.reserve(READ_BUFFER);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        let now = clock.now().micros();
        while session.step(&mut input, &mut store.borrow_mut(), now, &mut output) {
            if output.len() > WRITE_BUFFER {
                stream.write_all(&output).await?;
                output.clear();
            }
        }
        stream.write_all(&output).await?;
        output.clear();
        if session.is_over() {
            return Ok(());
        }
    }
}
