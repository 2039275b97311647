//! What a service says of itself.

use serde::{Deserialize, Serialize};
use ssmr_core::Application;
use std::fmt;

/// A service and the version of its types: [`Application::NAME`] and [`Application::VERSION`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceVersion {
    /// What it is called.
    pub name: String,
    /// The version of its types.
    pub version: u32,
}

impl ServiceVersion {
    /// What an application says of itself.
    #[must_use]
    pub fn of<A: Application>() -> Self {
        Self {
            name: A::NAME.to_owned(),
            version: A::VERSION,
        }
    }
}

impl fmt::Display for ServiceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (version {})", self.name, self.version)
    }
}
