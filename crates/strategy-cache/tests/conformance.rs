//! Strategy cache against the conformance suite.

use ssmr_strategy_cache::Cache;

ssmr_sim::conformance!(Cache);
