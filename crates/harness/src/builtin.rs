//! What every program has registered unless it begins with [`Harness::empty`]: the one place that
//! names the strategies. A fifth of our own is one crate and one line here.
//!
//! [`Harness::empty`]: crate::Harness::empty

use crate::registry::list::{Empty, With};
use crate::registry::strategies::Strategy;
use crate::workload::chirper::flags::ChirperFlags;
use crate::workload::kv::flags::KvFlags;
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;

/// The four strategies.
pub(crate) type BuiltinStrategies = With<
    With<With<With<Empty, Strategy<Global>>, Strategy<Broker>>, Strategy<Static>>,
    Strategy<Cache>,
>;

/// The two workloads.
pub(crate) type BuiltinWorkloads = With<With<Empty, KvFlags>, ChirperFlags>;

/// The four strategies, in the order of the note that compares them.
pub(crate) fn strategies() -> BuiltinStrategies {
    Empty
        .and(Strategy::new(Global))
        .and(Strategy::new(Broker))
        .and(Strategy::with_directory(
            Static::new(),
            Static::with_directory(),
        ))
        .and(Strategy::new(Cache))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::info::{Directory, Sizes};
    use crate::registry::strategies::{Strategies, Visitor};
    use ssmr_core::{ObjectId, Oracle, Topology};

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
        let sizes = Sizes {
            partitions: 2,
            replicas: 3,
            oracle_replicas: 3,
        };
        let describe = |name, directory| {
            let shape = sizes.shape(directory).unwrap();
            strategies().with(name, &shape, Describe).ok()
        };
        let infos = strategies().infos();
        let all: Vec<_> = infos
            .iter()
            .map(|info| describe(info.name, Directory::None))
            .collect();
        let expected = [
            ("global", true, 2),
            ("broker", true, 3),
            ("static", false, 2),
            ("cache", true, 2),
        ];
        assert_eq!(all, expected.map(Some));
        assert_eq!(
            describe("static", Directory::Home),
            Some(("static", true, 2))
        );
        assert_eq!(
            describe("broker", Directory::Home),
            Some(("broker", true, 3))
        );
        assert_eq!(describe("ring", Directory::None), None);
    }
}
