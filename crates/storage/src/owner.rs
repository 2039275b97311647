//! Whom a data folder belongs to, and the file that says so: `identity.toml`, written once, last of
//! all when a folder is first used. Without it nothing in the folder was ever promised to anybody.
//!
//! It is text, so that people can look; and can change it, where they know better than a check that
//! the data fits.

use crate::error::StorageError;
use crate::files::{Files, create_whole};
use crate::finding::Problem;
use crate::names::HEADER;
use crate::segments::FORMAT;
use serde::{Deserialize, Serialize};
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::{Difference, Identity, ReplicaId, ServiceVersion, Topology};
use std::io;
use std::path::Path;

/// Whose data a folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The replica.
    pub replica: ReplicaId,
    /// The cluster that it belongs to.
    pub cluster: Identity,
}

/// The file's form. Numbers of TOML have a sign, so the cluster's is text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    cluster: String,
    replica: ReplicaId,
    strategy: String,
    service: ServiceVersion,
    topology: Topology,
}

/// What every version of the file has.
#[derive(Debug, Deserialize)]
struct AnyHeader {
    format: u32,
}

impl Owner {
    /// Whether nobody else in the group could fill this replica if it lost its memory.
    pub(crate) fn is_alone(&self) -> bool {
        self.cluster.topology.replica_count(self.replica.group) == 1
    }

    /// Checks that what is stored as this owner's may be used by another one, which must be the
    /// same.
    pub(crate) fn check(&self, folder: &Path, ours: &Self) -> Result<(), StorageError> {
        if mutant::is_active(Mutant::HeaderUnchecked) {
            return Ok(());
        }
        let differs = |what: String, stored: String, given: String| {
            Err(StorageError::AnotherOwner {
                path: folder.into(),
                what,
                stored,
                given,
            })
        };
        // The cluster first: in another one nothing else can be compared.
        let difference = self.cluster.difference(&ours.cluster);
        if self.replica != ours.replica && difference != Some(Difference::Cluster) {
            let (stored, given) = (self.replica.to_string(), ours.replica.to_string());
            return differs("replica".into(), stored, given);
        }
        let Some(what) = difference else {
            return Ok(());
        };
        let (stored, given) = (self.cluster.value(what), ours.cluster.value(what));
        differs(what.to_string(), stored, given)
    }

    /// Writes the folder's header.
    pub(crate) fn write<F: Files>(&self, files: &F, folder: &Path) -> io::Result<()> {
        let text = self.text().map_err(io::Error::other)?;
        create_whole(files, &folder.join(HEADER), &[text.as_bytes()])?;
        Ok(())
    }

    /// What the header says.
    pub(crate) fn text(&self) -> Result<String, toml::ser::Error> {
        let Identity {
            incarnation,
            service,
            strategy,
            topology,
        } = self.cluster.clone();
        let header = Header {
            format: FORMAT,
            cluster: format!("{incarnation:016x}"),
            replica: self.replica,
            strategy,
            service,
            topology,
        };
        let text = toml::to_string(&header)?;
        let about = "# Whose data this folder holds. It is checked whenever the folder is opened.";
        Ok(format!("{about}\n{text}"))
    }

    /// Reads a folder's header.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let bad = |problem: String| Problem::BrokenHeader { problem };
        let text = std::str::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
        let any: AnyHeader = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        if any.format != FORMAT {
            let found = any.format;
            return Err(Problem::UnknownFormat { found });
        }
        let header: Header = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        let number = u64::from_str_radix(&header.cluster, 16);
        let incarnation = number.map_err(|error| bad(format!("cluster: {error}")))?;
        Ok(Self {
            replica: header.replica,
            cluster: Identity {
                incarnation,
                service: header.service,
                strategy: header.strategy,
                topology: header.topology,
            },
        })
    }
}
