//! What every program has registered unless it begins with [`Harness::empty`]: the one place that
//! names the strategies. A fifth of our own is one crate and one line here.
//!
//! [`Harness::empty`]: crate::Harness::empty

use crate::registry::list::{Empty, With};
use crate::registry::strategies::Strategies;
use crate::workload::append::flags::AppendFlags;
use crate::workload::chirper::flags::ChirperFlags;
use crate::workload::kv::flags::KvFlags;
use crate::workload::linkbench::flags::LinkBenchFlags;
use crate::workload::tpcc::flags::TpccFlags;
use crate::workload::trace::flags::TraceFlags;
use crate::workload::twitter::flags::TwitterFlags;
use crate::workload::ycsb::flags::YcsbFlags;
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;

/// The workloads, the default first.
pub(crate) type BuiltinWorkloads = With<With<With<WithStores, TpccFlags>, AppendFlags>, TraceFlags>;

/// The workloads of single objects and small groups of them.
type WithStores = With<
    With<With<With<With<Empty, KvFlags>, ChirperFlags>, YcsbFlags>, LinkBenchFlags>,
    TwitterFlags,
>;

/// The four strategies, in the order of the note that compares them.
pub(crate) fn strategies() -> Strategies {
    let mut strategies = Strategies::default();
    strategies.add(Global);
    strategies.add(Broker);
    strategies.add_with_directory(Static::new(), Static::with_directory());
    strategies.add(Cache);
    strategies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::info::{Directory, Sizes};
    use ssmr_core::ObjectId;

    #[test]
    fn each_name_gets_its_strategy() {
        let sizes = Sizes {
            partitions: 2,
            replicas: 3,
            oracle_replicas: 3,
        };
        // The strategy's own name, whether objects move, and how many groups its clusters have.
        let describe = |name, directory| {
            let shape = sizes.shape(directory).unwrap();
            let chosen = strategies().choose(name, &shape)?;
            let (oracle, topology) = (chosen.oracle, chosen.topology);
            let authority = oracle.authority(&topology, ObjectId::new(1, 1));
            assert!(!authority.is_empty() && authority.is_subset(topology.groups()));
            assert_eq!(chosen.name, name);
            Some((oracle.name(), oracle.movable(), topology.groups().len()))
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
            Some(("static-directory", true, 2))
        );
        assert_eq!(
            describe("broker", Directory::Home),
            Some(("broker", true, 3))
        );
        assert_eq!(describe("ring", Directory::None), None);
    }
}
