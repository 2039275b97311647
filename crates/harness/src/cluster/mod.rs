//! `harness cluster`: what is done with a whole cluster, as a cluster file describes it.

mod certify;
mod founding;
mod init;
mod local;
mod roll;
mod status;

use crate::described::with_cluster;
use crate::ending::Ending;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::cluster::ClusterSettings;
use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// Where the user names the cluster's file.
const FILE: &str = "FILE";

/// Does what the settings say.
///
/// # Errors
/// If there is no such cluster, or it cannot be done.
pub(crate) fn run<W: Workloads>(
    settings: &ClusterSettings,
    strategies: &Strategies,
) -> Result<Ending> {
    match settings {
        ClusterSettings::Init(settings) => init::init::<W>(settings, strategies),
        ClusterSettings::Certify(settings) => {
            with_cluster::<W, _>(FILE, &settings.file, strategies, certify::Certify(settings))?
        }
        ClusterSettings::Check(file) => {
            with_cluster::<W, _>(FILE, file, strategies, init::Check { path: file })?
        }
        ClusterSettings::Start(settings) => {
            with_cluster::<W, _>(FILE, &settings.file, strategies, local::Start(settings))?
        }
        ClusterSettings::Found(settings) => {
            with_cluster::<W, _>(FILE, &settings.file, strategies, founding::Found(settings))?
        }
        ClusterSettings::Begin(settings) => {
            with_cluster::<W, _>(FILE, &settings.file, strategies, founding::Begin(settings))?
        }
        ClusterSettings::Status(settings) => {
            with_cluster::<W, _>(FILE, &settings.file, strategies, status::Show(settings))?
        }
        ClusterSettings::Roll(settings) => {
            with_cluster::<W, _>(FILE, &settings.file, strategies, roll::Roll(settings))?
        }
        ClusterSettings::Stop(file) => {
            with_cluster::<W, _>(FILE, file, strategies, local::Stop { path: file })?
        }
    }
}

fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start an event loop")
}
