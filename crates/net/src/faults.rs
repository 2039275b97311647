//! Faults that tests and the harness inflict on a cluster of threads, apart from what its owner
//! does with it.

use crate::cache::CacheServer;
use crate::cut::Cut;
use crate::error::NetError;
use crate::replica::ReplicaThread;
use ssmr_core::ReplicaId;

/// The faults of one cluster: see [`Cluster::faults`](crate::Cluster::faults).
#[derive(Debug)]
pub struct Faults<'a> {
    pub(crate) replicas: Vec<(ReplicaId, &'a ReplicaThread)>,
    pub(crate) cache: Option<&'a mut CacheServer>,
}

impl Faults<'_> {
    /// Cuts a replica off from others, or joins it to them again: what is said is dropped
    /// meanwhile, and connections stay. One that is started again is not cut off.
    pub fn cut_replica(&self, id: ReplicaId, cut: Cut, off: bool) {
        let replicas = self.replicas.iter();
        for (_, replica) in replicas.filter(|(known, _)| *known == id) {
            replica.cut(cut, off);
        }
    }

    /// Stops the embedded cache, if there is one that runs: its items are gone.
    pub fn stop_cache(&mut self) {
        if let Some(cache) = &mut self.cache {
            cache.stop();
        }
    }

    /// Starts the embedded cache again at its old address, empty. Without an embedded cache nothing
    /// happens.
    ///
    /// # Errors
    /// If its port has been taken by somebody else meanwhile.
    pub fn start_cache(&mut self) -> Result<(), NetError> {
        self.cache.as_mut().map_or(Ok(()), |cache| cache.restart())
    }
}
