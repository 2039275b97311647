//! `cluster init` writes the file of a cluster; `cluster check` looks whether a file is one.

use super::certify;
use crate::described::{self, ClusterVisitor, Described};
use crate::ending::Ending;
use crate::error::UsageError;
use crate::program;
use crate::registry::info::StrategyInfo;
use crate::registry::strategies::Strategies;
use crate::registry::workloads::Workloads;
use crate::settings::cluster::{Doors, InitSettings};
use crate::time;
use anyhow::{Context, Result, anyhow};
use ssmr_core::{Application, ReplicaId, Topology};
use ssmr_net::{ClusterConfig, ClusterFile, Durability, Endpoint};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What stands at the head of the file.
const ABOUT: &str = "\
A cluster: docs/clusters.md says what else can be here.
On this machine alone:       PROGRAM cluster start THIS_FILE
On several, each replica:    PROGRAM node --cluster THIS_FILE --replica NAME
and once, when they all run: PROGRAM cluster found THIS_FILE
Then:                        PROGRAM cluster status THIS_FILE
                             PROGRAM run --deploy THIS_FILE
";

/// Writes the file.
///
/// # Errors
/// If there can be no such cluster, or the file is there already or cannot be written.
pub(super) fn init<W: Workloads>(
    settings: &InitSettings,
    strategies: &Strategies,
) -> Result<Ending> {
    let InitSettings { file: path, .. } = settings;
    if path.exists() && !settings.force {
        let problem = format!("{} is there already: --force replaces it", path.display());
        return Err(UsageError::new("FILE", problem).into());
    }
    let infos = strategies.infos();
    let variants = infos.iter().flat_map(StrategyInfo::variants);
    let variants: Vec<&str> = variants.map(|(name, _)| name).collect();
    let strategy = chosen("--strategy", settings.strategy.as_deref(), &variants)?;
    let service = chosen("--service", settings.service.as_deref(), &W::services())?;
    let needs = strategies.known_oracle(strategy).needs();
    let topology = Topology::new(settings.partitions, settings.replicas);
    let topology = topology.and_then(|topology| match needs.oracle_group {
        true => topology.with_oracle(settings.replicas),
        false => Ok(topology),
    });
    let topology = topology.map_err(|error| UsageError::new("--partitions", error.to_string()))?;
    let servers = settings.memcached.iter().map(Endpoint::to_string);
    let config = ClusterConfig::new(topology, time::unique(), addresses(settings, &topology)?)
        .with_cache_servers(servers.collect());
    let mut file = ClusterFile::new(config, strategy);
    file.service = Some(service.to_owned());
    if let Some(data) = &settings.data {
        file.durability = Durability::Sync(data.clone());
    }
    if needs.shared_cache {
        file.secret = Some(secret(path)?);
    }
    match settings.doors {
        Some(Doors::Tls) => {
            let folder = path.with_extension("tls");
            certify::all(&file.config, &folder)?;
            file.config.tls = folder.file_name().map(PathBuf::from);
        }
        Some(Doors::Insecure) => file.insecure = true,
        None => {
            let mut hosts = file.config.addresses.values();
            if let Some(beyond) = hosts.find(|at| !at.is_loopback()) {
                let problem = format!(
                    "{} is beyond this host: --tls lets in who has a certificate, --insecure \
                     whoever reaches it",
                    beyond.host()
                );
                return Err(UsageError::new("--hosts", problem).into());
            }
        }
    }
    file.write(path, &program::named(ABOUT))
        .map_err(|problem| anyhow!(problem))?;
    // What was written can be read, whatever was asked for.
    described::read::<W>("FILE", path, &infos)?;
    println!("{} describes {topology}", path.display());
    Ok(Ending::Good)
}

/// The name that was asked for, or the first.
fn chosen<'a>(
    flag: &'static str,
    asked: Option<&'a str>,
    names: &[&'a str],
) -> Result<&'a str, UsageError> {
    let asked = asked.or(names.first().copied()).unwrap_or_default();
    let known = names.contains(&asked).then_some(asked);
    known.ok_or_else(|| {
        UsageError::new(
            flag,
            format!("{asked:?} is not one of {}", names.join(", ")),
        )
    })
}

/// Draws a secret, unless there is one. Returns its file's name, beside the cluster's.
fn secret(cluster: &Path) -> Result<PathBuf> {
    let path = cluster.with_extension("secret");
    let mut options = File::options();
    let options = options.write(true).create_new(true);
    // Whoever else may read it must not be whoever runs the cache.
    #[cfg(unix)]
    let options = std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let named = path.file_name().map(PathBuf::from).unwrap_or_default();
    let mut file = match options.open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(named),
        Err(error) => return Err(error).context(path.display().to_string()),
    };
    let mut drawn = [0; 32];
    getrandom::fill(&mut drawn).map_err(|error| anyhow!("no random numbers: {error}"))?;
    let digits: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{digits}").with_context(|| path.display().to_string())?;
    Ok(named)
}

/// Where each replica is reached: those of a group on different hosts, as far as there are enough.
fn addresses(
    settings: &InitSettings,
    topology: &Topology,
) -> Result<BTreeMap<ReplicaId, Endpoint>, UsageError> {
    let mut ports = vec![settings.base_port; settings.hosts.len()];
    let mut addresses = BTreeMap::new();
    for id in topology.replicas() {
        let place = usize::from(id.index) % settings.hosts.len();
        let (host, port) = (&settings.hosts[place], &mut ports[place]);
        let at = format!("{host}:{port}").parse();
        let bad = |error: ssmr_net::BadEndpoint| UsageError::new("--hosts", error.to_string());
        addresses.insert(id, at.map_err(bad)?);
        *port = port.checked_add(1).ok_or_else(|| {
            let problem = format!("there are not enough ports from {} on", settings.base_port);
            UsageError::new("--base-port", problem)
        })?;
    }
    Ok(addresses)
}

/// Says what a file describes.
pub(super) struct Check<'a> {
    pub(super) path: &'a Path,
}

impl ClusterVisitor for Check<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let ClusterFile {
            config, strategy, ..
        } = &cluster.file;
        let (topology, service) = (config.topology, A::NAME);
        println!(
            "{}: {topology}, strategy {strategy}, service {service}",
            self.path.display()
        );
        let (mut unknown, mut open) = (0, 0);
        for (id, at) in &config.addresses {
            let listens = cluster
                .file
                .listens_at(*id)
                .filter(|listens| *listens != at);
            let listens = listens.map_or_else(String::new, |it| format!(", listens on {it}"));
            let known = (at.host(), at.port()).to_socket_addrs();
            let known = match known {
                Ok(_) => String::new(),
                Err(error) => {
                    unknown += 1;
                    format!("; not known here: {error}")
                }
            };
            println!("  {id} at {at}{listens}{known}");
            let everywhere = cluster
                .file
                .listens_at(*id)
                .is_some_and(|it| !it.is_loopback());
            open += usize::from(everywhere && config.tls.is_none());
        }
        if open > 0 {
            let refused = match cluster.file.insecure {
                true => "",
                false => "; they refuse to start without --insecure",
            };
            println!("  whoever reaches {open} of them may speak: there is no tls{refused}");
        }
        let unusable = certificates(config)?;
        Ok(match (unknown, unusable) {
            (0, 0) => Ending::Good,
            _ => Ending::Degraded,
        })
    }
}

/// Says until when the certificates are valid that are here. Returns how many cannot be used.
fn certificates(config: &ClusterConfig) -> Result<usize> {
    let Some(folder) = &config.tls else {
        return Ok(0);
    };
    let now = time::date().duration_since(UNIX_EPOCH)?;
    let mut unusable = 0;
    if !folder.is_dir() {
        unusable += 1;
        println!("  {} is no folder with certificates", folder.display());
    }
    for holder in certify::members(config) {
        let path = folder.join(holder.file_name());
        if !path.exists() {
            continue;
        }
        match config.certified_until(holder) {
            Ok(Some(until)) if until > now => {
                let days = (until - now).as_secs() / (24 * 60 * 60);
                println!("  {} is valid for {days} days", path.display());
            }
            Ok(_) => {
                unusable += 1;
                println!("  {} is not valid any more", path.display());
            }
            Err(error) => {
                unusable += 1;
                println!("  {error}");
            }
        }
    }
    Ok(unusable)
}
