//! The shared caches of a run, whatever they are: one in this process, memcached servers of its
//! own, or somebody else's.

use super::local_cache::LocalCache;
use crate::fault::word::Word;
use crate::settings::memcached::Memcached;
use anyhow::Result;
use ssmr_net::{CacheServer, NetError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much the embedded cache keeps.
const CACHE_BYTES: u64 = 256 << 20;

/// How long a server may take to do what it is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shared caches of a run. Dropping them ends those that are its own.
#[derive(Debug)]
pub(crate) enum Caches {
    /// There are none.
    None,
    /// One in this process, on a free port of the loopback interface.
    Embedded(CacheServer),
    /// memcached servers of the run's own.
    Local(Vec<LocalCache>),
    /// Servers that ran before and will run after.
    Servers(Vec<String>),
}

impl Caches {
    /// Starts what is to be started, so that it can be cut off, or not.
    pub(crate) async fn start(which: &Memcached, can_be_cut: bool) -> Result<Self> {
        Ok(match which {
            Memcached::Embedded => {
                let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
                Self::Embedded(CacheServer::start(address, CACHE_BYTES)?)
            }
            Memcached::Local { count, megabytes } => {
                let mut servers = Vec::new();
                for _ in 0..*count {
                    servers.push(LocalCache::start(*megabytes, can_be_cut).await?);
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
            Self::Local(servers) => servers.iter().map(LocalCache::address).collect(),
            Self::Servers(servers) => servers.clone(),
        }
    }

    /// How many servers can be frozen, killed and cut off.
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
            Word::FreezeCache | Word::KillCache | Word::CutCache => self.server_count() > 0,
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

    fn local(&mut self, number: usize) -> Option<&mut LocalCache> {
        match self {
            Self::Local(servers) => servers.get_mut(number),
            _ => None,
        }
    }

    /// Stops a memcached server where it is, or lets it go on.
    pub(crate) fn freeze(&mut self, number: usize, still: bool) {
        if let Some(server) = self.local(number) {
            server.freeze(still);
        }
    }

    /// Kills a memcached server.
    pub(crate) fn kill(&mut self, number: usize) {
        if let Some(server) = self.local(number) {
            server.kill();
        }
    }

    /// Starts a memcached server that was killed, empty, at its old address.
    ///
    /// # Errors
    /// If somebody else has taken its port, or it does not listen.
    pub(crate) async fn revive(&mut self, number: usize) -> Result<()> {
        match self.local(number) {
            Some(server) => server.restart().await,
            None => Ok(()),
        }
    }

    /// Cuts a memcached server off from replicas and clients, or joins it to them again.
    pub(crate) fn cut(&mut self, number: usize, off: bool) {
        if let Some(server) = self.local(number) {
            server.cut(off);
        }
    }

    /// Where those of the run's own answer its questions.
    fn awake(&self) -> Vec<String> {
        match self {
            Self::Local(servers) => servers.iter().filter_map(LocalCache::own_address).collect(),
            Self::Embedded(_) => self.addresses(),
            Self::None | Self::Servers(_) => Vec::new(),
        }
    }

    /// Has those that run forget everything.
    pub(crate) async fn flush(&self) {
        for address in self.awake() {
            match ask(&address, "flush_all", "OK").await {
                Ok(_) => {}
                Err(error) => tracing::warn!(%address, %error, "a cache did not forget"),
            }
        }
    }

    /// How many items memcached servers of the run's own have thrown out, so far and since they
    /// were started, for want of room; `None` of other caches.
    pub(crate) async fn evictions(&self) -> Option<u64> {
        let Self::Local(_) = self else {
            return None;
        };
        let mut sum = 0;
        for address in self.awake() {
            let told = ask(&address, "stats", "END").await.ok()?;
            let of = |line: &str| line.strip_prefix("STAT evictions ")?.parse::<u64>().ok();
            sum += told.lines().find_map(of)?;
        }
        Some(sum)
    }
}

/// Asks a server something, and returns what it says up to this line.
async fn ask(address: &str, question: &str, last: &str) -> io::Result<String> {
    let asked = async {
        let mut stream = BufReader::new(TcpStream::connect(address).await?);
        stream
            .write_all(format!("{question}\r\n").as_bytes())
            .await?;
        let mut told = String::new();
        while stream.read_line(&mut told).await? > 0 {
            if told.lines().next_back() == Some(last) {
                return Ok(told);
            }
        }
        Err(io::Error::other(format!("it answers {told:?}")))
    };
    timeout(PATIENCE, asked).await?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::memcached::is_there;
    use tokio::io::AsyncReadExt;

    fn local(count: u8) -> Memcached {
        let megabytes = Memcached::MEGABYTES;
        Memcached::Local { count, megabytes }
    }

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
        kinds.extend(is_there().then(|| local(2)));
        for kind in kinds {
            let caches = Caches::start(&kind, false).await.unwrap();
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
        let mut caches = Caches::start(&local(2), false).await.unwrap();
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

    #[tokio::test]
    async fn a_server_that_was_killed_comes_back_empty_where_it_was() {
        if !is_there() {
            return;
        }
        let mut caches = Caches::start(&local(1), false).await.unwrap();
        let address = caches.addresses().remove(0);
        say(&address, b"set a 0 0 1\r\nx\r\n").await.unwrap();
        caches.kill(0);
        assert!(TcpStream::connect(&address).await.is_err());
        caches.revive(0).await.unwrap();
        assert_eq!(caches.addresses(), std::slice::from_ref(&address));
        assert_eq!(say(&address, b"get a\r\n").await.unwrap(), b"END\r\n");
        assert_eq!(caches.evictions().await, Some(0));
    }

    #[tokio::test]
    async fn a_server_that_is_cut_off_answers_when_it_is_joined_and_its_owner_meanwhile() {
        if !is_there() {
            return;
        }
        let mut caches = Caches::start(&local(2), true).await.unwrap();
        let addresses = caches.addresses();
        caches.cut(1, true);
        let off = say(&addresses[1], b"version\r\n");
        tokio::pin!(off);
        let joined = say(&addresses[0], b"version\r\n");
        tokio::select! {
            biased;
            told = &mut off => panic!("it is cut off and says {told:?}"),
            told = joined => assert!(told.unwrap().starts_with(b"VERSION")),
        }
        assert_eq!(caches.evictions().await, Some(0));
        caches.cut(1, false);
        assert!(off.await.unwrap().starts_with(b"VERSION"));
    }
}
