//! What the clients of a run are to do, and when.

use super::order::Order;
use super::tape::Tape;
use crate::check::Recorder;
use crate::workload::churn::Churn;
use crate::workload::contract::Workload;
use crate::workload::run_number::RunNumber;
use ssmr_core::client::ClientSettings;
use ssmr_core::{CacheReads, ClientId, Micros};
use ssmr_net::{Clock, ClusterConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::sync::watch;

/// What all clients of a run have in common.
pub(crate) struct Job<W: Workload> {
    pub(crate) workload: Arc<W>,
    /// What is mixed into its commands.
    pub(crate) churn: Churn,
    /// For what is mixed in.
    pub(crate) seed: u64,
    /// Which run of the cluster it is.
    pub(crate) run: RunNumber,
    pub(crate) config: ClusterConfig,
    /// What the cluster knows the clients by: this and their numbers.
    pub(crate) first_id: u64,
    pub(crate) clock: Clock,
    pub(crate) settings: ClientSettings,
    /// Whether commands that read single objects may be answered by the shared cache alone.
    pub(crate) cache_reads: CacheReads,
    pub(crate) recorder: Recorder<W::App>,
    /// Requests that each client keeps outstanding; in a closed loop.
    pub(crate) window: usize,
    /// Commands a second; in an open loop.
    pub(crate) rate: Option<u64>,
    /// How many commands of each client are measured, if not those of a time.
    pub(crate) operations: Option<u64>,
    /// What commands wait for.
    pub(crate) order: Order,
    /// What is issued is written down here, if it is.
    pub(crate) tape: Option<Tape>,
    /// How many objects are loaded, for the progress.
    pub(crate) loaded: AtomicU64,
    /// No more commands: those under way are waited for.
    pub(crate) stop: AtomicBool,
    /// Nor are those waited for that are under way: nobody will answer them.
    pub(crate) abandon: watch::Sender<bool>,
}

impl<W: Workload> Job<W> {
    /// What the cluster knows a client by.
    pub(crate) fn id(&self, number: u64) -> ClientId {
        ClientId(self.first_id.wrapping_add(number))
    }
}

/// Waits until what is under way is not to be waited for. Cancel safe.
pub(super) async fn abandoned(abandon: &mut watch::Receiver<bool>) {
    if abandon.wait_for(|abandon| *abandon).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// When to do what, on the cluster's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The first command, to warm up.
    pub(crate) start: Micros,
    /// The first command that is measured.
    pub(crate) from: Micros,
    /// No command from here on; far away if it is their number that counts.
    pub(crate) until: Micros,
}
