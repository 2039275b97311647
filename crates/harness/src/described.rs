//! A cluster that a file describes, with the service and the strategy that it names.

use crate::error::UsageError;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::{ServiceVisitor, Workloads};
use ssmr_core::{Application, Oracle};
use ssmr_net::{ClusterFile, FileProblems, KnownNames};
use std::path::Path;
use std::sync::Arc;

/// A cluster that can be, as its file describes it.
pub(crate) struct Described {
    pub(crate) file: ClusterFile,
    /// The strategy.
    pub(crate) oracle: Arc<dyn Oracle>,
}

/// Work to be done with such a cluster.
pub(crate) trait ClusterVisitor {
    /// What comes of it.
    type Output;

    /// Does it, for a cluster of this service.
    fn visit<A: Application>(self, cluster: Described) -> Self::Output;
}

/// Reads a file that describes a cluster; `flag` is where the user has named it.
///
/// # Errors
/// If it is no file of a cluster that can be, with strategies and services that are registered.
pub(crate) fn describe<W: Workloads>(
    flag: &'static str,
    path: &Path,
    strategies: &Strategies,
) -> Result<Described, UsageError> {
    let bad = |problem: String| UsageError::new(flag, problem);
    let known = KnownNames {
        strategies: &strategies.oracle_names(),
        services: &W::services(),
    };
    let told = |problems: FileProblems| match problems.problems() {
        [_] => bad(problems.to_string()),
        several => bad(format!("{} problems\n{problems}", several.len())),
    };
    let file = ClusterFile::read(path, known).map_err(told)?;
    let oracle = strategies.known_oracle(&file.strategy);
    let checked = file.check(&*oracle);
    checked.map_err(|problem| bad(format!("{}: {problem}", path.display())))?;
    Ok(Described { file, oracle })
}

/// Does the visitor's work with the cluster that the file describes; `flag` is where the user has
/// named the file.
///
/// # Errors
/// As [`describe`]; or if the file does not say the service, of which several are registered.
pub(crate) fn with_cluster<W: Workloads, V: ClusterVisitor>(
    flag: &'static str,
    path: &Path,
    strategies: &Strategies,
    visitor: V,
) -> Result<V::Output, UsageError> {
    let cluster = describe::<W>(flag, path, strategies)?;
    let service = match (&cluster.file.service, &W::services()[..]) {
        (Some(named), _) => named.clone(),
        (None, [only]) => (*only).to_owned(),
        (None, several) => {
            let names = several.join(", ");
            let problem = format!("{}: service: one of {names} is needed", path.display());
            return Err(UsageError::new(flag, problem));
        }
    };
    let done = W::with_service(&service, Service { cluster, visitor });
    Ok(done.unwrap_or_else(|_| unreachable!("{service} is known")))
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
