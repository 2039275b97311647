//! The strategies: by type, or at run time by name.
//!
//! A strategy that is known when the program is written is a type: [`Broker`], [`Global`],
//! [`Static`], [`Cache`], or one of your own that implements [`Oracle`]. One that a command line or
//! a file names comes from [`by_name`].
//!
//! ```
//! use ssmr::strategy;
//!
//! let strategy = strategy::by_name("broker")?;
//! assert!(strategy.needs().oracle_group);
//! assert_eq!(strategy.name(), "broker");
//! assert!(strategy::by_name("magic").is_err());
//! # Ok::<(), ssmr::strategy::UnknownStrategy>(())
//! ```

pub use ssmr_strategy_broker::Broker;
pub use ssmr_strategy_cache::Cache;
pub use ssmr_strategy_global::Global;
pub use ssmr_strategy_static::Static;

use ssmr_core::Oracle;
use std::sync::Arc;

/// The names that [`by_name`] knows.
pub const NAMES: [&str; 5] = ["global", "broker", "static", "static-directory", "cache"];

/// A name that no strategy has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not one of {}", NAMES.join(", "))]
pub struct UnknownStrategy {
    name: String,
}

/// The strategy of this [name](Oracle::name).
///
/// # Errors
/// If the name is not among [`NAMES`].
pub fn by_name(name: &str) -> Result<Arc<dyn Oracle>, UnknownStrategy> {
    Ok(match name {
        "global" => Global.into_shared(),
        "broker" => Broker.into_shared(),
        "static" => Static::new().into_shared(),
        "static-directory" => Static::with_directory().into_shared(),
        "cache" => Cache.into_shared(),
        _ => {
            let name = name.to_owned();
            return Err(UnknownStrategy { name });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_the_strategy_of_that_name() {
        for name in NAMES {
            assert_eq!(by_name(name).unwrap().name(), name);
        }
        let unknown = by_name("magic").unwrap_err().to_string();
        assert!(
            unknown.starts_with("\"magic\" is not one of global, "),
            "{unknown}"
        );
    }
}
