//! The one place that names the strategies: a fifth is one crate and one line here.
//!
//! A strategy is a type, not an object behind a pointer, so whoever wants to work with one that is chosen at run time
//! brings a [`Visitor`].

use ssmr_core::{Oracle, Topology};
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;

/// What strategies are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// The partitions alone.
    pub(crate) topology: Topology,
    /// The partitions, and an oracle group.
    pub(crate) with_oracle: Topology,
    /// Whether static placement keeps a directory.
    pub(crate) directory: bool,
    /// Tells this cluster's entries in a shared cache from those of others.
    pub(crate) incarnation: u64,
}

/// Work to be done with a strategy.
pub(crate) trait Visitor {
    /// What comes of it.
    type Output;
    /// Does it, with the strategy and the topology of its clusters.
    fn visit<O: Oracle>(self, oracle: O, topology: Topology) -> Self::Output;
}

macro_rules! strategies {
    ($($oracle:ident: |$parts:ident| $make:expr, $topology:ident;)*) => {
        /// The strategies' names.
        pub(crate) const NAMES: [&str; [$(<$oracle as Oracle>::NAME),*].len()] = [$(<$oracle as Oracle>::NAME),*];

        /// Does the visitor's work with the strategy of this name.
        pub(crate) fn with<V: Visitor>(name: &str, parts: &Parts, visitor: V) -> V::Output {
            match name {
                $(<$oracle as Oracle>::NAME => {
                    let $parts = parts;
                    visitor.visit::<$oracle>($make, parts.$topology)
                })*
                _ => unreachable!("{name} is not among {NAMES:?}"),
            }
        }
    };
}

strategies! {
    Global: |_at| Global, topology;
    Broker: |_at| Broker, with_oracle;
    Static: |at| if at.directory { Static::with_directory() } else { Static::new() }, topology;
    Cache: |_at| Cache, topology;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::ObjectId;

    /// The strategy's name, whether objects move, and how many groups its clusters have.
    struct Describe;

    impl Visitor for Describe {
        type Output = (&'static str, bool, usize);

        fn visit<O: Oracle>(self, oracle: O, topology: Topology) -> Self::Output {
            let authority = oracle.authority(&topology, ObjectId::new(1, 1));
            assert!(!authority.is_empty() && authority.is_subset(topology.groups()));
            (O::NAME, oracle.movable(), topology.groups().len())
        }
    }

    #[test]
    fn each_name_gets_its_strategy() {
        let topology = Topology::new(2, 3).unwrap();
        let mut parts = Parts {
            topology,
            with_oracle: topology.with_oracle(3).unwrap(),
            directory: false,
            incarnation: 1,
        };
        let all = NAMES.map(|name| with(name, &parts, Describe));
        let expected = [
            ("global", true, 2),
            ("broker", true, 3),
            ("static", false, 2),
            ("cache", true, 2),
        ];
        assert_eq!(all, expected);
        parts.directory = true;
        assert_eq!(with("static", &parts, Describe), ("static", true, 2));
    }
}
