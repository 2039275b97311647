//! One memcached server of a run's own, which can be killed and started again, frozen, and cut off.
//!
//! Invariant: where it is reached does not change, whatever happens to it.

use super::memcached::MemcachedServer;
use super::relay::Relay;
use anyhow::{Context, Result};

/// A server of a run's own.
#[derive(Debug)]
pub(crate) struct LocalCache {
    server: MemcachedServer,
    state: State,
    /// What the cluster reaches it through, if it is to be cut off at times.
    relay: Option<Relay>,
}

/// How its process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Runs,
    Frozen,
    Dead,
}

impl LocalCache {
    /// Starts one that keeps so many MiB, with a wire that can be cut or without.
    pub(super) async fn start(megabytes: u32, with_relay: bool) -> Result<Self> {
        let server = MemcachedServer::start(megabytes, None).await?;
        let relay = match with_relay {
            true => Some(Relay::start(server.address()).await.context("no relay")?),
            false => None,
        };
        Ok(Self {
            server,
            state: State::Runs,
            relay,
        })
    }

    /// Where the cluster reaches it.
    pub(super) fn address(&self) -> String {
        match &self.relay {
            Some(relay) => relay.address().to_owned(),
            None => self.server.address(),
        }
    }

    /// Where whoever runs it reaches it, if it would answer.
    pub(super) fn own_address(&self) -> Option<String> {
        (self.state == State::Runs).then(|| self.server.address())
    }

    /// Stops it where it is, or lets it go on.
    pub(super) fn freeze(&mut self, still: bool) {
        let (from, to) = match still {
            true => (State::Runs, State::Frozen),
            false => (State::Frozen, State::Runs),
        };
        if self.state == from {
            self.server.freeze(still);
            self.state = to;
        }
    }

    /// Kills it.
    pub(super) fn kill(&mut self) {
        self.server.kill();
        self.state = State::Dead;
    }

    /// Starts it again, empty, where it was.
    pub(super) async fn restart(&mut self) -> Result<()> {
        if self.state == State::Dead {
            self.server.restart().await?;
            self.state = State::Runs;
        }
        Ok(())
    }

    /// Cuts it off from the cluster, or joins it again.
    pub(super) fn cut(&self, off: bool) {
        if let Some(relay) = &self.relay {
            relay.cut(off);
        }
    }
}
