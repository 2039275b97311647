//! A cluster that a file describes, with the service and the strategy that it names.

use crate::deploy::file::{ClusterFile, Known};
use crate::error::{FileError, UsageError};
use crate::registry::strategies::Strategies;
use crate::registry::workloads::{ServiceVisitor, Workloads};
use ssmr_core::{Application, Oracle};
use ssmr_net::ClusterConfig;
use std::path::Path;
use std::sync::Arc;

/// A cluster that can be, as its file describes it.
pub(crate) struct Described {
    pub(crate) file: ClusterFile,
    /// The strategy.
    pub(crate) oracle: Arc<dyn Oracle>,
    /// What replicas and clients must know of it.
    pub(crate) config: ClusterConfig,
}

/// Work to be done with such a cluster.
pub(crate) trait ClusterVisitor {
    /// What comes of it.
    type Output;

    /// Does it, for a cluster of this service.
    fn visit<A: Application>(self, cluster: Described) -> Self::Output;
}

/// Does the visitor's work with the cluster that the file describes; `flag` is where the user has
/// named the file.
///
/// # Errors
/// If it is no file of a cluster that can be, with strategies and services that are registered.
pub(crate) fn with_cluster<W: Workloads, V: ClusterVisitor>(
    flag: &'static str,
    path: &Path,
    strategies: &Strategies,
    visitor: V,
) -> Result<V::Output, UsageError> {
    let known = Known {
        strategies: strategies.infos().iter().map(|info| info.name).collect(),
        workloads: W::infos().iter().map(|info| info.name).collect(),
    };
    let bad = |error: FileError| UsageError::new(flag, error.to_string());
    let file = ClusterFile::read(path, &known).map_err(bad)?;
    let bad = |problem| UsageError::new(flag, format!("{}: {problem}", path.display()));
    let shape = file.shape().map_err(bad)?;
    let chosen = strategies.choose_known(&file.strategy, &shape);
    let config = file.config(chosen.topology).map_err(bad)?;
    let workload = file.workload.clone();
    let service = Service {
        cluster: Described {
            file,
            oracle: chosen.oracle,
            config,
        },
        visitor,
    };
    let done = W::with_service(&workload, service);
    Ok(done.unwrap_or_else(|_| unreachable!("{workload} is known")))
}

/// The service comes with [`ServiceVisitor::visit`].
struct Service<V> {
    cluster: Described,
    visitor: V,
}

impl<V: ClusterVisitor> ServiceVisitor for Service<V> {
    type Output = V::Output;

    fn visit<A: Application>(self) -> Self::Output {
        self.visitor.visit::<A>(self.cluster)
    }
}
