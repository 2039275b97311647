//! A cluster file as text.

use super::{ClusterFile, Place};
use crate::limits::ConnectionLimits;
use crate::network::{self, Network};
use ssmr_storage::Durability;
use std::fmt;
use toml::Value;

/// A text as TOML writes it.
fn quoted(text: impl fmt::Display) -> Value {
    Value::String(text.to_string())
}

impl fmt::Display for ClusterFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "incarnation = \"{:016x}\"", self.config.incarnation)?;
        writeln!(f, "strategy = {}", quoted(&self.strategy))?;
        if let Some(service) = &self.service {
            writeln!(f, "service = {}", quoted(service))?;
        }
        let (durability, data) = match &self.durability {
            Durability::Memory => ("memory", None),
            Durability::Async(data) => ("async", Some(data)),
            Durability::Sync(data) => ("sync", Some(data)),
        };
        writeln!(f, "durability = \"{durability}\"")?;
        if let Some(data) = data.filter(|data| !data.as_os_str().is_empty()) {
            writeln!(f, "data = {}", quoted(data.display()))?;
        }
        writeln!(f, "log_bytes = {}", self.log_bytes)?;
        if let Some(listen) = &self.listen {
            writeln!(f, "listen = {}", quoted(listen))?;
        }
        if let Some(metrics) = &self.metrics {
            writeln!(f, "metrics = {}", quoted(metrics))?;
        }
        if let Some(secret) = &self.secret {
            writeln!(f, "secret = {}", quoted(secret.display()))?;
        }
        if let Some(tls) = &self.config.tls {
            writeln!(f, "tls = {}", quoted(tls.display()))?;
        }
        if self.insecure {
            f.write_str("insecure = true\n")?;
        }
        let servers = self.config.cache_servers.iter().map(quoted);
        writeln!(f, "memcached = {}", Value::Array(servers.collect()))?;
        let network = self.config.network.as_ref();
        let usual = network.filter(|it| it.seed() == network::SEED);
        let built_in = usual.and_then(Network::name_as_built_in);
        if let Some(name) = built_in {
            writeln!(f, "network = {}", quoted(name))?;
        }
        f.write_str("\n[replicas]\n")?;
        for (id, at) in &self.config.addresses {
            match self.places.get(id) {
                None => writeln!(f, "{id} = {}", quoted(at))?,
                Some(Place {
                    listen,
                    metrics,
                    data,
                }) => {
                    write!(f, "{id} = {{ at = {}", quoted(at))?;
                    if let Some(listen) = listen {
                        write!(f, ", listen = {}", quoted(listen))?;
                    }
                    if let Some(metrics) = metrics {
                        write!(f, ", metrics = {}", quoted(metrics))?;
                    }
                    if let Some(data) = data {
                        write!(f, ", data = {}", quoted(data.display()))?;
                    }
                    f.write_str(" }\n")?;
                }
            }
        }
        if self.limits != ConnectionLimits::default() {
            f.write_str("\n[limits]\n")?;
            for (key, limit) in [
                ("clients", self.limits.clients),
                ("ungreeted", self.limits.ungreeted),
                ("operators", self.limits.operators),
                ("per_replica", self.limits.per_replica),
                ("unread", self.limits.unread),
                ("unread_together", self.limits.unread_together),
                ("waiting", self.limits.waiting),
                ("requests_together", self.limits.requests_together),
            ] {
                writeln!(f, "{key} = {limit}")?;
            }
            writeln!(f, "stall_ms = {}", self.limits.stall.as_millis())?;
            writeln!(
                f,
                "request_time_ms = {}",
                self.limits.request_time.as_millis()
            )?;
        }
        let experiment = &self.experiment;
        if *experiment != super::Experiment::default() {
            f.write_str("\n[experiment]\n")?;
            if let Some(seed) = experiment.seed {
                writeln!(f, "seed = {seed}")?;
            }
            if let Some(time) = experiment.service_time {
                writeln!(f, "service_time_us = {}", time.as_micros())?;
            }
            writeln!(f, "stages = {}", experiment.stages)?;
        }
        match network.filter(|_| built_in.is_none()) {
            Some(network) => {
                f.write_str("\n")?;
                network.write_table(f, "network")
            }
            None => Ok(()),
        }
    }
}
