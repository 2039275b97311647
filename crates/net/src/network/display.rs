//! A network as text, in full: each direction by itself. What is written is read again.

use super::quantities::{bandwidth_text, share_text, time_text};
use super::{Network, Placement};
use std::fmt;

impl Network {
    /// Writes it as the table `key` of a file that has other things as well.
    pub(crate) fn write_table(&self, f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
        writeln!(f, "[{key}]")?;
        self.write(f, &format!("{key}."))
    }

    /// Writes it with this before the keys of tables.
    fn write(&self, f: &mut fmt::Formatter<'_>, before: &str) -> fmt::Result {
        let name = |site: &usize| format!("{:?}", self.sites[*site]);
        let names = |sites: &mut dyn Iterator<Item = usize>| {
            let names: Vec<String> = sites.map(|site| name(&site)).collect();
            names.join(", ")
        };
        writeln!(f, "seed = {}", self.seed)?;
        writeln!(f, "sites = [{}]", names(&mut (0..self.sites.len())))?;
        writeln!(
            f,
            "placement = {:?}",
            match self.placement {
                Placement::Spread => "spread",
                Placement::ByGroup => "by-group",
            }
        )?;
        writeln!(
            f,
            "clients = [{}]",
            names(&mut self.clients.iter().copied())
        )?;
        writeln!(f, "caches = {}", name(&self.caches))?;
        if !self.replicas.is_empty() {
            writeln!(f, "\n[{before}replicas]")?;
            for (id, site) in &self.replicas {
                writeln!(f, "{id} = {}", name(site))?;
            }
        }
        for (pair, route) in self.routes.iter().enumerate() {
            let (from, to) = (pair / self.sites.len(), pair % self.sites.len());
            let (from, to) = (name(&from), name(&to));
            writeln!(f, "\n[[{before}route]]\nfrom = {from}\nto = {to}")?;
            writeln!(f, "latency = {:?}", time_text(route.latency))?;
            writeln!(f, "jitter = {:?}", time_text(route.jitter))?;
            if let Some(rate) = route.bandwidth {
                writeln!(f, "bandwidth = {:?}", bandwidth_text(rate))?;
            }
            writeln!(f, "loss = {:?}", share_text(route.loss))?;
            let timeout = time_text(route.retransmission_timeout);
            writeln!(f, "retransmission_timeout = {timeout:?}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}
