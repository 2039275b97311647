//! Strategy broker against the conformance suite.

use ssmr_strategy_broker::Broker;

ssmr_sim::conformance!(Broker);
