//! A run number that no other run on a cluster has, or ever had: each run claims one by creating an
//! object that is named by it.
//!
//! Whose create succeeds has the number: the cluster itself decides, as of any object. Nothing ever
//! reads that object, so it is of no type of the service.

use crate::load::churn::MADE;
use crate::time;
use crate::workload::run_number::RunNumber;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use ssmr_core::client::ClientSettings;
use ssmr_core::topology::mix;
use ssmr_core::{Application, Intent, Oracle, Outcome, Request};
use ssmr_net::{Clock, ClusterConfig, Pipeline};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;

/// The key of the object that claims a number: one that neither workloads nor what is mixed into
/// them use.
const CLAIM: u64 = MADE | ((1 << 48) - 1);

/// How long the cluster may take to answer.
const ANSWER: Duration = Duration::from_secs(15);

/// How many numbers are tried. There are many more than runs.
const TRIES: u64 = 1_000;

/// Claims a number for a run on this cluster.
///
/// # Errors
/// If the cluster does not answer, or has had too many runs.
pub(crate) fn claim<A: Application>(
    config: &ClusterConfig,
    oracle: Arc<dyn Oracle>,
) -> Result<RunNumber> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start an event loop")?;
    runtime.block_on(async {
        let drawn = time::unique();
        let id = config.client_id(drawn)?;
        let settings = ClientSettings::default().with_deadline(ANSWER);
        let mut pipeline = Pipeline::new::<A>(config, id, oracle, settings, Clock::start())?;
        for number in 0..TRIES {
            let run = RunNumber::drawn(mix(drawn ^ mix(number)));
            let intent = Intent::Create {
                at: None,
                value: Bytes::new(),
            };
            let claim = Request::default().and(run.object(0, CLAIM), intent);
            pipeline.submit(claim);
            match pipeline.next().await.outcome {
                Outcome::Done(_) => return Ok(run),
                Outcome::AlreadyExists => {}
                Outcome::Unknown => bail!("it has not answered in {ANSWER:?}: is it founded?"),
                other => bail!("no number can be claimed for this run: {other:?}"),
            }
        }
        bail!("hardly a number is left for another run on this cluster: begin with a new one");
    })
}
