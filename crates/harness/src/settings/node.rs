//! The settings of `node`.

#[cfg(feature = "metrics")]
use ssmr_net::Endpoint;
use ssmr_net::WhichReplica;
use std::path::PathBuf;

/// Which replica to be.
#[derive(Clone, Debug)]
pub(crate) struct NodeSettings {
    /// The cluster's file.
    pub(crate) cluster: PathBuf,
    /// Which of its replicas.
    pub(crate) replica: WhichReplica,
    /// Whether it may listen beyond this host without TLS.
    pub(crate) insecure: bool,
    /// Whether it is driven over its standard input and output.
    pub(crate) takes_orders: bool,
    /// Whether it is one of the processes of a job: a signal that ends it is no success then.
    pub(crate) is_of_job: bool,
    /// Where it serves its metrics, as `host:port`.
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Option<Endpoint>,
}
