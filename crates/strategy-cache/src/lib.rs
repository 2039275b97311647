//! Strategy **cache**: copies in a shared memcached cluster; a partition looks at its local copy
//! first, then at the shared memory.
//!
//! **Idea.** The fourth alternative of the note on dynamic objects. The home partition of an object
//! (a pure function of its id) is authority and directory; any partition may own it. Owners publish
//! values and locations in the shared cache. In a command that concerns several partitions an owner
//! signals only revision and digest; the others find the bytes in their local copies or in the
//! cache, or ask the owner for them.
//!
//! **Why it is linearizable.** The cache is never an authority: an eviction would turn `add` into a
//! second create, and a miss is not an absence. The order chooses the revision; a value is
//! published under a key that contains it and never gets another value, so a hit is the right value
//! and anything else is a miss. A signal bears a digest of the value under a secret of the cluster,
//! so whoever runs the cache cannot make up a value that is believed. The bytes are logged together
//! with the signal, so replay needs neither cache nor secret. Locations in it are hints.
//!
//! **What it costs.** A cache round trip where a value is needed elsewhere. A flushed, slow or dead
//! cache costs time: what was not found is sent in full and stored again, what cannot be stored is
//! sent in full from the start, and locations come from the homes.

mod hooks;
mod keys;

pub use hooks::CacheHooks;

use keys::location_key;
use ssmr_core::{Groups, Guess, LeaderHooks, Needs, ObjectId, Oracle, Secret, Topology};

/// The home of an object is its authority and directory; a shared cache has locations and values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cache;

impl Oracle for Cache {
    fn name(&self) -> &'static str {
        "cache"
    }

    fn hooks(&self, _: &Topology, secret: &Secret) -> Box<dyn LeaderHooks> {
        Box::new(CacheHooks::new(secret))
    }

    fn needs(&self) -> Needs {
        Needs {
            shared_cache: true,
            ..Needs::default()
        }
    }

    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups {
        topology.home(object).into()
    }

    fn directory(&self, topology: &Topology, object: ObjectId) -> Groups {
        topology.home(object).into()
    }

    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        Guess::Shared {
            key: location_key(object),
            otherwise: self.authority(topology, object),
        }
    }
}
