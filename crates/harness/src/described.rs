//! A cluster that a file describes, with the service and the strategy that it names.

use crate::error::UsageError;
use crate::registry::info::StrategyInfo;
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
pub(crate) fn read<W: Workloads>(
    flag: &'static str,
    path: &Path,
    registered: &[StrategyInfo],
) -> Result<ClusterFile, UsageError> {
    let names = registered.iter().flat_map(StrategyInfo::variants);
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    let known = KnownNames {
        strategies: &names,
        services: &W::services(),
    };
    let told = |problems: FileProblems| {
        let count = match problems.problems().len() {
            1 => String::new(),
            several => format!("{several} problems\n"),
        };
        UsageError::new(flag, format!("{count}{problems}"))
    };
    ClusterFile::read(path, known).map_err(told)
}

/// Does the visitor's work with the cluster that the file describes; `flag` is where the user has
/// named the file.
///
/// # Errors
/// As [`read`]; or if the strategy cannot work with the cluster, or the file does not say the
/// service, of which several are registered.
pub(crate) fn with_cluster<W: Workloads, V: ClusterVisitor>(
    flag: &'static str,
    path: &Path,
    strategies: &Strategies,
    visitor: V,
) -> Result<V::Output, UsageError> {
    let file = read::<W>(flag, path, &strategies.infos())?;
    let bad = |problem: String| UsageError::new(flag, format!("{}: {problem}", path.display()));
    let oracle = strategies.known_oracle(&file.strategy);
    file.check(&*oracle).map_err(|it| bad(it.to_string()))?;
    let service = match (&file.service, &W::services()[..]) {
        (Some(named), _) => named.clone(),
        (None, [only]) => (*only).to_owned(),
        (None, several) => {
            let names = several.join(", ");
            return Err(bad(format!("service: one of {names} is needed")));
        }
    };
    let cluster = Described { file, oracle };
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
