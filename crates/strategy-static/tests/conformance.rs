//! Strategy static against the conformance suite, without moves and with a directory.

use ssmr_strategy_static::Static;

mod stays {
    use super::Static;
    ssmr_sim::conformance!(Static::new());
}

mod directory {
    use super::Static;
    ssmr_sim::conformance!(Static::with_directory(), "golden-directory");
}
