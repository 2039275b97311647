//! Executes calls to the shared cache in the background.
//!
//! Keys are spread over the servers by rendezvous hashing (Thaler and Ravishankar, *Using
//! Name-Based Mappings to Increase Hit Rates*, 1998), and each server has a [lane](super::lane) of
//! its own. One that is slow or away costs a few short time-outs and then nothing: its gets are
//! answered with "down" at once, and its sets too. What waits is bounded in calls and in bytes for
//! each server; beyond it calls are refused in the same way.

use super::lane::Lane;
use memcache::exp::{Rendezvous, Router};
use ssmr_core::{CacheCall, CacheReply, Found};
use tokio::sync::mpsc;

/// A way to the shared cache. The background tasks end with it.
#[derive(Debug)]
pub(crate) struct CacheClient {
    servers: Vec<String>,
    /// One for each server.
    lanes: Vec<Lane>,
    /// Before each key: clusters that share a cache must not meet each other's entries.
    prefix: String,
}

impl CacheClient {
    /// Starts the background tasks; answers go to `replies`. To be called within a tokio runtime.
    /// Without servers every call is refused. What is stored in one incarnation of a cluster is not
    /// found in another.
    pub(crate) fn start<I>(
        servers: Vec<String>,
        incarnation: u64,
        replies: &mpsc::Sender<I>,
    ) -> Self
    where
        I: From<CacheReply> + Send + 'static,
    {
        let prefix = format!("{incarnation:x}:");
        let lanes = servers
            .iter()
            .map(|server| Lane::start(server, prefix.len(), replies.clone()));
        Self {
            lanes: lanes.collect(),
            servers,
            prefix,
        }
    }

    /// Takes a call. One that is not carried out is answered at once, if it is answered at all.
    pub(crate) fn call(&self, call: CacheCall) -> Option<CacheReply> {
        let call = self.prefixed(call);
        let refused = match self.lane(key(&call)) {
            Some(lane) => lane.take(call).err()?,
            None => call,
        };
        let (CacheCall::Get { key } | CacheCall::Set { key, .. }) = refused else {
            return None;
        };
        Some(CacheReply {
            key: key.slice(self.prefix.len()..),
            found: Found::Down,
        })
    }

    fn lane(&self, key: &[u8]) -> Option<&Lane> {
        // The router wants at least one server.
        let first = self.lanes.first()?;
        match self.lanes.len() {
            1 => Some(first),
            _ => self.lanes.get(Rendezvous::new().route(key, &self.servers)),
        }
    }

    /// The call with this cluster's key.
    fn prefixed(&self, mut call: CacheCall) -> CacheCall {
        let (CacheCall::Get { key }
        | CacheCall::Set { key, .. }
        | CacheCall::Renew { key, .. }
        | CacheCall::Publish { key, .. }) = &mut call;
        *key = [self.prefix.as_bytes(), key].concat().into();
        call
    }
}

fn key(call: &CacheCall) -> &[u8] {
    let (CacheCall::Get { key }
    | CacheCall::Set { key, .. }
    | CacheCall::Renew { key, .. }
    | CacheCall::Publish { key, .. }) = call;
    key
}

#[cfg(test)]
mod tests;
