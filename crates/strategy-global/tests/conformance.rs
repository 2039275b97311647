//! Strategy global against the conformance suite.

use ssmr_strategy_global::Global;

ssmr_sim::conformance!(Global);
