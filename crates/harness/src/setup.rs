//! Whether this machine can carry what the settings ask for.
//!
//! It starts nothing. Invariant: what it lets pass can be run on this machine; what cannot is
//! refused by its flag.

use crate::deploy::disks::look_for_mounts;
use crate::deploy::memcached::look_for_program;
use crate::error::UsageError;
use crate::fault::grammar::Fault;
use crate::machine;
use crate::registry::info::{BadSize, ClusterShape};
use crate::settings::memcached::Memcached;
use crate::settings::run::RunSettings;
use ssmr_core::CacheReads;
use std::fs::File;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a memcached server may take to accept a connection before the run starts.
const CACHE_PATIENCE: Duration = Duration::from_secs(2);

/// The clusters of the sizes that were asked for, if this machine carries those of the strategies
/// that run.
///
/// # Errors
/// If there can be no such clusters, or not on this machine.
pub(crate) fn shape(settings: &RunSettings) -> Result<ClusterShape, UsageError> {
    let shape = settings.sizes().shape(settings.directory);
    let shape = shape.map_err(|bad| match bad {
        BadSize::Partitions(error) => UsageError::new("--partitions", error.to_string()),
        BadSize::Oracle(error) => UsageError::new("--oracle-replicas", error.to_string()),
    })?;
    let on_this_machine = settings.cluster.is_none();
    for strategy in settings.strategies.iter().filter(|_| on_this_machine) {
        machine::carries(&shape.topology(strategy.needs), settings.clients)?;
    }
    let stranger = settings.net.stranger(&shape.with_oracle);
    match stranger {
        Some(id) => Err(UsageError::new(
            "--net",
            format!(
                "{}: it places {id}, which is no replica here",
                settings.net.name()
            ),
        )),
        None => Ok(shape),
    }
}

/// Disks that are to be full must be mounted.
///
/// # Errors
/// If that cannot be done, as without root.
pub(crate) fn check_disks(settings: &RunSettings) -> Result<(), UsageError> {
    match settings.fault.iter().any(Fault::fills_disks) {
        true => look_for_mounts(),
        false => Ok(()),
    }
}

/// Only a strategy with a shared cache can have it answer reads alone.
///
/// # Errors
/// If one that runs has none, or its cluster has no cache server or a secret that cannot be read;
/// or if the highest throughput is searched for, in which such reads do not count.
pub(crate) fn check_cache_reads(settings: &RunSettings) -> Result<(), UsageError> {
    if settings.cache_reads == CacheReads::Checked {
        return Ok(());
    }
    let bad = |problem: String| Err(UsageError::new("--cache-reads stale", problem));
    let mut strategies = settings.strategies.iter();
    if let Some(other) = strategies.find(|strategy| !strategy.needs.shared_cache) {
        return bad(format!("strategy {} has no shared cache", other.name));
    }
    if settings.peak {
        return bad("--peak counts only what is linearizable".into());
    }
    match &settings.cluster {
        Some(file) if file.config.cache_servers.is_empty() => {
            bad("the cluster's file names no memcached".into())
        }
        Some(file) => file
            .config_for_stale_reads()
            .map_or_else(|problem| bad(problem.to_string()), |_| Ok(())),
        None => Ok(()),
    }
}

/// A history that could not be kept would be noticed when everything is over.
///
/// # Errors
/// With the first file that cannot be written.
pub(crate) fn check_history(settings: &RunSettings) -> Result<(), UsageError> {
    for path in settings.history_files() {
        File::create(&path).map_err(|error| {
            let problem = format!("cannot write to {}: {error}", path.display());
            UsageError::new("--history", problem)
        })?;
    }
    Ok(())
}

/// The same of a recording.
///
/// # Errors
/// With the first file that cannot be written.
pub(crate) fn check_record(settings: &RunSettings) -> Result<(), UsageError> {
    for info in &settings.strategies {
        let Some(file) = settings.record_of(info.name) else {
            continue;
        };
        File::create(file.path()).map_err(|error| {
            let problem = format!("cannot write to {}: {error}", file.path().display());
            UsageError::new("--record", problem)
        })?;
    }
    Ok(())
}

/// A server that is not there would cost time in every lookup and prove nothing.
///
/// # Errors
/// With the first one that accepts no connection; or if the program is missing that is to be
/// started.
pub(crate) fn check_memcached(settings: &RunSettings) -> Result<(), UsageError> {
    let servers = match &settings.memcached {
        Memcached::Embedded => return Ok(()),
        Memcached::Local { .. } => {
            let there = look_for_program();
            return there.map_err(|problem| UsageError::new("--memcached", problem));
        }
        Memcached::Servers(servers) => servers,
    };
    for server in servers {
        let there = server.to_socket_addrs().and_then(|mut addresses| {
            let address = addresses.next().ok_or(std::io::ErrorKind::NotFound)?;
            TcpStream::connect_timeout(&address, CACHE_PATIENCE)
        });
        there.map_err(|error| {
            UsageError::new("--memcached", format!("cannot reach {server}: {error}"))
        })?;
    }
    Ok(())
}
