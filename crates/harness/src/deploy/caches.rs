//! The shared caches of a run, whatever they are: one in this process, memcached servers of its
//! own, or somebody else's.

use super::memcached::MemcachedServer;
use crate::fault::word::Word;
use crate::settings::memcached::Memcached;
use anyhow::Result;
use ssmr_net::{CacheServer, NetError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much the embedded cache keeps.
const CACHE_BYTES: u64 = 256 << 20;

/// How long a server may take to forget everything. One that is frozen does not.
const FLUSHING: Duration = Duration::from_secs(1);

/// The shared caches of a run. Dropping them ends those that are its own.
#[derive(Debug)]
pub(crate) enum Caches {
    /// There are none.
    None,
    /// One in this process, on a free port of the loopback interface.
    Embedded(CacheServer),
    /// memcached servers of the run's own, and which of them are frozen.
    Local(Vec<(MemcachedServer, Frozen)>),
    /// Servers that ran before and will run after.
    Servers(Vec<String>),
}

/// Whether a server stands still.
type Frozen = bool;

impl Caches {
    /// Starts what is to be started.
    pub(crate) async fn start(which: &Memcached) -> Result<Self> {
        Ok(match which {
            Memcached::Embedded => {
                let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
                Self::Embedded(CacheServer::start(address, CACHE_BYTES)?)
            }
            Memcached::Local(count) => {
                let mut servers = Vec::new();
                for _ in 0..*count {
                    servers.push((MemcachedServer::start().await?, false));
                }
                Self::Local(servers)
            }
            Memcached::Servers(servers) => Self::Servers(servers.clone()),
        })
    }

    /// Where they listen, as `host:port`.
    pub(crate) fn addresses(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Embedded(cache) => vec![cache.address().to_string()],
            Self::Local(servers) => {
                let addresses = servers
                    .iter()
                    .map(|(server, _)| server.address().to_owned());
                addresses.collect()
            }
            Self::Servers(servers) => servers.clone(),
        }
    }

    /// How many servers can be frozen.
    pub(crate) fn server_count(&self) -> usize {
        match self {
            Self::Local(servers) => servers.len(),
            _ => 0,
        }
    }

    /// Whether a word of faults has a target here.
    pub(crate) fn can(&self, word: Word) -> bool {
        match word {
            Word::StopCache => matches!(self, Self::Embedded(_)),
            Word::FreezeCache => self.server_count() > 0,
            Word::FlushCache => matches!(self, Self::Embedded(_) | Self::Local(_)),
            _ => false,
        }
    }

    /// Stops the embedded cache.
    pub(crate) fn stop(&mut self) {
        if let Self::Embedded(cache) = self {
            cache.stop();
        }
    }

    /// Starts the embedded cache again, empty, at its old address.
    ///
    /// # Errors
    /// If somebody else has taken its port.
    pub(crate) fn restart(&mut self) -> Result<(), NetError> {
        match self {
            Self::Embedded(cache) => cache.restart(),
            _ => Ok(()),
        }
    }

    /// Stops a memcached server where it is, or lets it go on.
    pub(crate) fn freeze(&mut self, number: usize, still: bool) {
        if let Self::Local(servers) = self
            && let Some((server, frozen)) = servers.get_mut(number)
        {
            server.freeze(still);
            *frozen = still;
        }
    }

    /// Has those that run forget everything.
    pub(crate) async fn flush(&self) {
        let addresses = match self {
            Self::Local(servers) => {
                let awake = servers.iter().filter(|(_, frozen)| !frozen);
                awake
                    .map(|(server, _)| server.address().to_owned())
                    .collect()
            }
            Self::Embedded(_) => self.addresses(),
            Self::None | Self::Servers(_) => Vec::new(),
        };
        for address in addresses {
            match timeout(FLUSHING, flush(&address)).await {
                Ok(Ok(())) => {}
                failed => tracing::warn!(%address, ?failed, "a cache did not forget"),
            }
        }
    }
}

async fn flush(address: &str) -> io::Result<()> {
    const DONE: &[u8] = b"OK\r\n";
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"flush_all\r\n").await?;
    let mut answer = [0; DONE.len()];
    stream.read_exact(&mut answer).await?;
    if answer == *DONE {
        return Ok(());
    }
    Err(io::Error::other(format!("it answers {answer:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::memcached::is_there;

    /// Stores an item, or asks for it: what the server says.
    async fn say(address: &str, line: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(line).await?;
        let mut answer = vec![0; 64];
        let length = stream.read(&mut answer).await?;
        answer.truncate(length);
        Ok(answer)
    }

    #[tokio::test]
    async fn caches_of_ones_own_forget_when_they_are_told_to() {
        let mut kinds = vec![Memcached::Embedded];
        kinds.extend(is_there().then_some(Memcached::Local(2)));
        for kind in kinds {
            let caches = Caches::start(&kind).await.unwrap();
            for address in caches.addresses() {
                let stored = say(&address, b"set a 0 0 1\r\nx\r\n").await.unwrap();
                assert_eq!(stored, b"STORED\r\n");
            }
            caches.flush().await;
            for address in caches.addresses() {
                let found = say(&address, b"get a\r\n").await.unwrap();
                assert_eq!(found, b"END\r\n", "{kind}");
            }
        }
    }

    #[tokio::test]
    async fn a_frozen_server_answers_when_it_goes_on_and_is_gone_with_its_owner() {
        if !is_there() {
            return;
        }
        let mut caches = Caches::start(&Memcached::Local(2)).await.unwrap();
        let addresses = caches.addresses();
        caches.freeze(1, true);
        let still = say(&addresses[1], b"version\r\n");
        tokio::pin!(still);
        let awake = say(&addresses[0], b"version\r\n");
        tokio::select! {
            biased;
            told = &mut still => panic!("it stands still and says {told:?}"),
            told = awake => assert!(told.unwrap().starts_with(b"VERSION")),
        }
        // It would wait for the frozen one for ever.
        caches.flush().await;
        caches.freeze(1, false);
        assert!(still.await.unwrap().starts_with(b"VERSION"));
        caches.freeze(1, true);
        drop(caches);
        for address in &addresses {
            assert!(TcpStream::connect(address).await.is_err());
        }
    }
}
