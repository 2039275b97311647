//! The example under each strategy: money is neither made nor lost.

#[allow(dead_code, reason = "an example has a main function too")]
#[path = "../examples/bank.rs"]
mod bank;

use bank::bank;
use ssmr_core::{Oracle, Topology};
use ssmr_net::CacheChoice;
use ssmr_strategy_broker::Broker;
use ssmr_strategy_cache::Cache;
use ssmr_strategy_global::Global;
use ssmr_strategy_static::Static;

async fn balances<O: Oracle>(oracle: O, topology: Topology, cache: CacheChoice) {
    let moves = oracle.movable();
    let report = bank(oracle, topology, cache).await.unwrap();
    assert_eq!((report.opened, report.total), (80, 8000), "{report:?}");
    assert!(report.transfers > 0 && report.not_found > 0, "{report:?}");
    assert_eq!(report.moved > 0, moves, "{report:?}");
}

fn topology() -> Topology {
    Topology::new(2, 3).unwrap()
}

#[tokio::test]
async fn global() {
    balances(Global, topology(), CacheChoice::None).await;
}

#[tokio::test]
async fn broker() {
    let topology = topology().with_oracle(3).unwrap();
    balances(Broker, topology, CacheChoice::None).await;
}

#[tokio::test]
async fn fixed() {
    balances(Static::new(), topology(), CacheChoice::None).await;
}

#[tokio::test]
async fn fixed_with_directory() {
    balances(Static::with_directory(), topology(), CacheChoice::None).await;
}

#[tokio::test]
async fn cache() {
    let embedded = CacheChoice::Embedded { bytes: 64 << 20 };
    balances(Cache, topology(), embedded).await;
}
