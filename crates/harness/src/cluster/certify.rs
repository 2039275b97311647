//! `cluster certify` issues certificates of a cluster's members; `cluster init --tls` the first
//! ones.

use super::FILE;
use crate::described::{ClusterVisitor, Described};
use crate::ending::Ending;
use crate::error::UsageError;
use crate::settings::cluster::CertifySettings;
use anyhow::Result;
use ssmr_core::Application;
#[cfg(feature = "tls")]
use ssmr_net::Authority;
use ssmr_net::{ClusterConfig, Holder};
use std::path::Path;
use std::time::Duration;

/// How long certificates are valid unless it is said otherwise.
const VALID: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Issues certificates.
pub(super) struct Certify<'a>(pub(super) &'a CertifySettings);

impl ClusterVisitor for Certify<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let Self(settings) = self;
        let config = &cluster.file.config;
        let Some(folder) = &config.tls else {
            let problem = format!("{}: tls is missing there", settings.file.display());
            return Err(UsageError::new(FILE, problem).into());
        };
        if let Some(Holder::Replica(id)) = settings.holder
            && !config.addresses.contains_key(&id)
        {
            let problem = format!("{id} is no replica of this cluster");
            return Err(UsageError::new("--replica", problem).into());
        }
        let holders = settings
            .holder
            .map_or_else(|| members(config), |it| vec![it]);
        let out = settings.out.as_ref().unwrap_or(folder);
        issue(config, folder, &holders, settings.valid, out)?;
        Ok(Ending::Good)
    }
}

/// Issues certificates of everybody.
///
/// # Errors
/// If files cannot be written, or the folder has an authority whose key is elsewhere.
pub(super) fn all(config: &ClusterConfig, folder: &Path) -> Result<()> {
    issue(config, folder, &members(config), VALID, folder)
}

/// Everybody who may take part: with clients of the account that there is a certificate of, or else
/// of any.
pub(super) fn members(config: &ClusterConfig) -> Vec<Holder> {
    let replicas = config.addresses.keys().copied().map(Holder::Replica);
    let is_of_any = config.certified_until(Holder::AnyClient).is_ok();
    let client = match config.client_id(0).map(Holder::from) {
        Ok(account) if config.tls.is_some() && !is_of_any => account,
        _ => Holder::AnyClient,
    };
    replicas.chain([Holder::Operator, client]).collect()
}

/// Issues certificates by the authority in a folder, which is made if there is none.
fn issue(
    config: &ClusterConfig,
    folder: &Path,
    holders: &[Holder],
    valid: Duration,
    out: &Path,
) -> Result<()> {
    let authority = Authority::open_or_create(folder, config.incarnation)?;
    for holder in holders {
        let path = authority.issue(*holder, valid, out)?;
        println!("{} is issued", path.display());
    }
    Ok(())
}

/// In a program that was built without TLS nobody is one.
#[cfg(not(feature = "tls"))]
enum Authority {}

#[cfg(not(feature = "tls"))]
impl Authority {
    fn open_or_create(_: &Path, _: u64) -> Result<Self> {
        Err(UsageError::new("--tls", ssmr_net::ConfigError::NoTls.to_string()).into())
    }

    fn issue(&self, _: Holder, _: Duration, _: &Path) -> Result<std::path::PathBuf> {
        match *self {}
    }
}
