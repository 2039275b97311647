//! Who may speak as whom: certificates, which each end of a connection shows to the other.
//!
//! All are in one folder, which the cluster file names. Each member needs `ca.pem` and its own file
//! there, in PEM:
//!
//! ```text
//!   ca.pem         the authorities that are trusted; several while one takes over from another
//!   p0r1.pem       certificate and private key of a replica
//!   operator.pem   the same of whoever looks after the cluster
//!   client.pem     the same of a client: of one account, or of any
//!   ca.key         the authority's own key, for whoever issues certificates and nobody else
//! ```
//!
//! A certificate says whom it is of by a DNS name ([`Holder::name`]), so both ends check it by the
//! rules of the web, and any authority can issue it. The files are looked at before each
//! handshake, so those that are replaced count from the next connection on.
//!
//! Invariant: with TLS nobody takes part without a certificate that names its role.

#[cfg(feature = "tls")]
mod authority;
#[cfg(feature = "tls")]
mod certificates;

use crate::config::ClusterConfig;
use crate::error::{ConfigError, ConnectError};
use crate::greeting::Role;
use crate::peer::Peer;
#[cfg(feature = "tls")]
pub use authority::Authority;
#[cfg(feature = "tls")]
pub(crate) use certificates::{Certificates, ShownCertificate};
use ssmr_core::{ClientId, ReplicaId};
use std::io;
use std::time::Duration;

/// The bits of a client's id that say its account: the highest 16.
const ACCOUNT_SHIFT: u32 = 48;

/// Whom a certificate is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A replica.
    Replica(ReplicaId),
    /// Whoever looks after the cluster.
    Operator,
    /// The clients of an account: their ids begin with its 16 bits.
    Client(u16),
    /// The clients of every account.
    AnyClient,
}

impl Holder {
    /// The DNS name that a certificate of this holder bears as subject alternative name, such as
    /// `p0r1.replica.9f3c51a0774be812.ssmr.internal`.
    #[must_use]
    pub fn name(self, incarnation: u64) -> String {
        let who = match self {
            Self::Replica(id) => format!("{id}.replica"),
            Self::Operator => "operator".into(),
            Self::Client(account) => format!("{account}.client"),
            Self::AnyClient => "*.client".into(),
        };
        format!("{who}.{incarnation:016x}.ssmr.internal")
    }

    /// The name of the file with its certificate and private key.
    #[must_use]
    pub fn file_name(self) -> String {
        match self {
            Self::Replica(id) => format!("{id}.pem"),
            Self::Operator => "operator.pem".into(),
            Self::Client(_) | Self::AnyClient => "client.pem".into(),
        }
    }
}

impl From<Role> for Holder {
    fn from(role: Role) -> Self {
        match role {
            Role::Replica(id) => Self::Replica(id),
            Role::Operator => Self::Operator,
            Role::Client(id) => id.into(),
        }
    }
}

impl From<ClientId> for Holder {
    fn from(ClientId(id): ClientId) -> Self {
        Self::Client((id >> ACCOUNT_SHIFT) as u16)
    }
}

impl ClusterConfig {
    /// The id of a new client, from a number that was drawn at random. With TLS its highest 16 bits
    /// are the account of `client.pem`, unless that is one of any account.
    ///
    /// # Errors
    /// If there is no such certificate.
    pub fn client_id(&self, drawn: u64) -> Result<ClientId, ConfigError> {
        let account = account(self)?;
        let own = (1 << ACCOUNT_SHIFT) - 1;
        let of = |account: u16| u64::from(account) << ACCOUNT_SHIFT | drawn & own;
        Ok(ClientId(account.map_or(drawn, of)))
    }

    /// When the certificate of `holder` ends, as the time since 1970; `None` without TLS.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn certified_until(&self, holder: Holder) -> Result<Option<Duration>, ConfigError> {
        until(self, holder)
    }
}

impl ConnectError {
    /// What this error says of a connection to `peer`.
    pub(crate) fn of(peer: &Peer, error: io::Error) -> Self {
        #[cfg(feature = "tls")]
        if let Some(why) = certificates::why_untrusted(&error) {
            let peer = peer.clone();
            return Self::Untrusted { peer, why };
        }
        // TLS says it at length.
        let error = match error.kind() {
            io::ErrorKind::UnexpectedEof => io::ErrorKind::UnexpectedEof.into(),
            _ => error,
        };
        Self::unreachable(peer, error)
    }
}

#[cfg(feature = "tls")]
fn until(config: &ClusterConfig, holder: Holder) -> Result<Option<Duration>, ConfigError> {
    let Some(folder) = &config.tls else {
        return Ok(None);
    };
    let certificates = Certificates::read(holder, config.incarnation, folder)?;
    Ok(certificates.until())
}

#[cfg(not(feature = "tls"))]
fn until(config: &ClusterConfig, _: Holder) -> Result<Option<Duration>, ConfigError> {
    config
        .tls
        .as_ref()
        .map_or(Ok(None), |_| Err(ConfigError::NoTls))
}

#[cfg(feature = "tls")]
fn account(config: &ClusterConfig) -> Result<Option<u16>, ConfigError> {
    let folder = config.tls.as_deref();
    folder.map_or(Ok(None), |folder| {
        certificates::account(config.incarnation, folder)
    })
}

#[cfg(not(feature = "tls"))]
fn account(config: &ClusterConfig) -> Result<Option<u16>, ConfigError> {
    config
        .tls
        .as_ref()
        .map_or(Ok(None), |_| Err(ConfigError::NoTls))
}
