//! The strategies: by type, or at run time by name.
//!
//! A strategy that is known when the program is written is a type: [`Broker`], [`Global`],
//! [`Static`], [`Cache`], or one of your own that implements [`Oracle`]. One that a command line or
//! a file names is an [`AnyStrategy`]. It says what the strategy of that name says, so clients and
//! replicas of either kind get on with each other.
//!
//! ```
//! use ssmr::Oracle;
//! use ssmr::strategy::AnyStrategy;
//!
//! let strategy: AnyStrategy = "broker".parse()?;
//! assert!(strategy.needs().oracle_group);
//! assert_eq!(strategy.to_string(), "broker");
//! assert!("magic".parse::<AnyStrategy>().is_err());
//! # Ok::<(), ssmr::strategy::UnknownStrategy>(())
//! ```

pub use ssmr_strategy_broker::Broker;
pub use ssmr_strategy_cache::Cache;
pub use ssmr_strategy_global::Global;
pub use ssmr_strategy_static::Static;

use ssmr_core::hooks::CacheCounts;
use ssmr_core::{
    CacheCall, CacheReply, Encoded, Groups, Guess, LeaderHooks, LocalTime, Needs, ObjectEvent,
    ObjectId, Oracle, PartitionId, Revision, Topology, Unpacked, ValueCodec, ValueReference,
};
use ssmr_strategy_cache::CacheHooks;
use std::fmt;
use std::str::FromStr;

/// A strategy that is chosen at run time.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AnyStrategy {
    /// Every partition hears of every create and delete.
    Global(Global),
    /// A replicated oracle knows all objects.
    Broker(Broker),
    /// The partition follows from the object's id.
    Static(Static),
    /// Copies and locations are in a shared cache.
    Cache(Cache),
}

impl AnyStrategy {
    /// The names that can be parsed.
    pub const NAMES: [&str; 5] = ["global", "broker", "static", "static-directory", "cache"];
}

/// A name that no strategy has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not one of {}", AnyStrategy::NAMES.join(", "))]
pub struct UnknownStrategy {
    name: String,
}

impl FromStr for AnyStrategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        Ok(match name {
            "global" => Self::Global(Global),
            "broker" => Self::Broker(Broker),
            "static" => Self::Static(Static::new()),
            "static-directory" => Self::Static(Static::with_directory()),
            "cache" => Self::Cache(Cache),
            _ => {
                let name = name.to_owned();
                return Err(UnknownStrategy { name });
            }
        })
    }
}

impl fmt::Display for AnyStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Asks the strategy that it is.
macro_rules! ask {
    ($any:expr, $it:ident => $question:expr) => {
        match $any {
            AnyStrategy::Global($it) => $question,
            AnyStrategy::Broker($it) => $question,
            AnyStrategy::Static($it) => $question,
            AnyStrategy::Cache($it) => $question,
        }
    };
}

impl Oracle for AnyStrategy {
    /// Of the type; values say which strategy they are by [`name`](Oracle::name).
    const NAME: &'static str = "any";
    type Hooks = AnyHooks;

    fn hooks(&self, topology: &Topology) -> AnyHooks {
        AnyHooks(match self {
            Self::Cache(cache) => Some(cache.hooks(topology)),
            _ => None,
        })
    }

    fn name(&self) -> &'static str {
        ask!(self, it => it.name())
    }

    fn needs(&self) -> Needs {
        ask!(self, it => it.needs())
    }

    fn authority(&self, topology: &Topology, object: ObjectId) -> Groups {
        ask!(self, it => it.authority(topology, object))
    }

    fn directory(&self, topology: &Topology, object: ObjectId) -> Groups {
        ask!(self, it => it.directory(topology, object))
    }

    fn owner(
        &self,
        topology: &Topology,
        object: ObjectId,
        wish: Option<PartitionId>,
    ) -> PartitionId {
        ask!(self, it => it.owner(topology, object, wish))
    }

    fn movable(&self) -> bool {
        ask!(self, it => it.movable())
    }

    fn guess(&self, topology: &Topology, object: ObjectId) -> Guess {
        ask!(self, it => it.guess(topology, object))
    }

    fn told_of_moves(&self, topology: &Topology, object: ObjectId) -> Groups {
        ask!(self, it => it.told_of_moves(topology, object))
    }
}

/// The hooks of [`AnyStrategy`]: those of the cache, or none.
#[derive(Debug)]
pub struct AnyHooks(Option<CacheHooks>);

impl ValueCodec for AnyHooks {
    fn pack(
        &mut self,
        now: LocalTime,
        object: ObjectId,
        revision: Revision,
        value: &Encoded,
    ) -> Option<ValueReference> {
        self.0.as_mut()?.pack(now, object, revision, value)
    }

    fn unpack(
        &mut self,
        now: LocalTime,
        object: ObjectId,
        revision: Revision,
        reference: ValueReference,
    ) -> Unpacked {
        match &mut self.0 {
            Some(hooks) => hooks.unpack(now, object, revision, reference),
            None => Unpacked::Missing,
        }
    }
}

impl LeaderHooks for AnyHooks {
    fn on_change(&mut self, now: LocalTime, event: &ObjectEvent) {
        if let Some(hooks) = &mut self.0 {
            hooks.on_change(now, event);
        }
    }

    fn on_cache_reply(&mut self, now: LocalTime, reply: CacheReply) {
        if let Some(hooks) = &mut self.0 {
            hooks.on_cache_reply(now, reply);
        }
    }

    fn poll_cache_call(&mut self) -> Option<CacheCall> {
        self.0.as_mut()?.poll_cache_call()
    }

    fn cache_counts(&self) -> CacheCounts {
        let hooks = self.0.as_ref();
        hooks.map(LeaderHooks::cache_counts).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_the_strategy_of_that_name() {
        let object = ObjectId::new(5, 6);
        let topology = Topology::new(4, 1).unwrap().with_oracle(1).unwrap();
        let same = |any: AnyStrategy, authority: Groups, movable: bool, needs: Needs| {
            assert_eq!(any.authority(&topology, object), authority);
            assert_eq!((any.movable(), any.needs()), (movable, needs));
        };
        let [global, broker, fixed, directory, cache] =
            AnyStrategy::NAMES.map(|name| name.parse::<AnyStrategy>().unwrap());
        for (any, name) in [global, broker, fixed, directory, cache]
            .into_iter()
            .zip(AnyStrategy::NAMES)
        {
            assert_eq!((any.name(), any.to_string()), (name, name.to_owned()));
        }
        let home = Groups::from(topology.home(object));
        same(global, topology.partitions(), true, Global.needs());
        same(
            broker,
            Broker.authority(&topology, object),
            true,
            Broker.needs(),
        );
        same(fixed, home, false, Static::new().needs());
        same(directory, home, true, Static::new().needs());
        same(cache, home, true, Cache.needs());
        assert_eq!(directory.directory(&topology, object), home);
        assert_eq!(fixed.directory(&topology, object), Groups::EMPTY);
        assert_eq!(
            global.told_of_moves(&topology, object),
            topology.partitions()
        );
        assert!(matches!(
            cache.guess(&topology, object),
            Guess::Shared { .. }
        ));
    }
}
