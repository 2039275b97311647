//! How a connection begins, in the clear or with TLS, before either end greets.
//!
//! With TLS both ends show a certificate of an authority that the cluster trusts. Whoever dials
//! checks at once that it names the replica that was dialled; whoever accepts keeps it until the
//! greeting says whom it should name.

use crate::config::ClusterConfig;
use crate::endpoint::Endpoint;
use crate::error::{ConfigError, ConnectError};
#[cfg(feature = "tls")]
use crate::greeting::in_time;
use crate::greeting::{Refusal, Role};
use crate::peer::Peer;
use crate::tls::Holder;
#[cfg(feature = "tls")]
use crate::tls::{Certificates, ShownCertificate};
use crate::wire::{Reader, Writer, invalid};
use socket2::{SockRef, TcpKeepalive};
use std::io;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the other end of a connection that was dialled may take nothing of what it was sent.
const SILENCE: Duration = Duration::from_secs(4);

/// The first byte of every TLS connection: that of a handshake record. No greeting begins with it,
/// for it would be one of 352 MiB.
const TLS_HANDSHAKE: u8 = 22;

/// How the connections of one member of a cluster begin.
#[derive(Clone, Debug)]
pub(crate) enum Transport {
    /// In the clear. Whoever reaches a port may speak.
    Plain,
    /// With TLS.
    #[cfg(feature = "tls")]
    Tls(Arc<Certificates>),
}

/// What a connection that was accepted has shown.
#[derive(Debug)]
pub(crate) enum Proof {
    /// Nothing, and nothing is asked for.
    NotNeeded,
    /// Nothing, where a certificate is asked for.
    #[cfg(feature = "tls")]
    Missing,
    /// A certificate of an authority that is trusted.
    #[cfg(feature = "tls")]
    Shown(ShownCertificate),
}

impl Proof {
    /// Whether it allows this role.
    ///
    /// # Errors
    /// The refusal to send.
    #[cfg_attr(not(feature = "tls"), expect(unused_variables))]
    pub(crate) fn check(&self, role: Role) -> Result<(), Refusal> {
        match self {
            Self::NotNeeded => Ok(()),
            #[cfg(feature = "tls")]
            Self::Missing => Err(Refusal::Mismatch(
                "this cluster speaks TLS only: `tls` is missing in the configuration".into(),
            )),
            #[cfg(feature = "tls")]
            Self::Shown(certificate) => certificate
                .check(Holder::from(role))
                .map_err(Refusal::Mismatch),
        }
    }
}

impl Transport {
    /// How the connections of `holder` begin.
    ///
    /// # Errors
    /// If its certificates cannot be used.
    pub(crate) fn new(holder: Holder, config: &ClusterConfig) -> Result<Self, ConfigError> {
        let Some(folder) = &config.tls else {
            return Ok(Self::Plain);
        };
        #[cfg(feature = "tls")]
        {
            let certificates = Certificates::read(holder, config.incarnation, folder)?;
            Ok(Self::Tls(Arc::new(certificates)))
        }
        #[cfg(not(feature = "tls"))]
        {
            let _ = (holder, folder);
            Err(ConfigError::NoTls)
        }
    }

    /// Whether anybody can speak.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// When the own certificate ends, since 1970; `None` without one.
    pub(crate) fn certified_until(&self) -> Option<Duration> {
        match self {
            Self::Plain => None,
            #[cfg(feature = "tls")]
            Self::Tls(certificates) => certificates.until(),
        }
    }

    /// Connects to a replica, at whatever address it has at the moment.
    ///
    /// # Errors
    /// If nobody is there, or somebody who is not that replica.
    pub(crate) async fn dial(&self, peer: &Peer) -> Result<(Reader, Writer), ConnectError> {
        let failed = |error| ConnectError::of(peer, error);
        let stream = connect(&peer.address).await.map_err(failed)?;
        match self {
            Self::Plain => Ok(split(stream)),
            #[cfg(feature = "tls")]
            Self::Tls(certificates) => in_time(certificates.dial(peer.replica, stream))
                .await
                .map_err(failed),
        }
    }

    /// Begins a connection that was accepted. The caller bounds the time.
    ///
    /// # Errors
    /// If it ends, or its certificate is not trusted.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<(Reader, Writer, Proof)> {
        let mut first = [0];
        let speaks_tls = stream.peek(&mut first).await? == 1 && first[0] == TLS_HANDSHAKE;
        let plain = |stream, proof| {
            let (reader, writer) = split(stream);
            Ok((reader, writer, proof))
        };
        match self {
            Self::Plain if speaks_tls => Err(invalid("it speaks TLS, which this cluster does not")),
            Self::Plain => plain(stream, Proof::NotNeeded),
            // So that it is told in words what is missing.
            #[cfg(feature = "tls")]
            Self::Tls(_) if !speaks_tls => plain(stream, Proof::Missing),
            #[cfg(feature = "tls")]
            Self::Tls(certificates) => {
                let (reader, writer, shown) = certificates.accept(stream).await?;
                Ok((reader, writer, Proof::Shown(shown)))
            }
        }
    }
}

fn split(stream: TcpStream) -> (Reader, Writer) {
    let (reader, writer) = stream.into_split();
    (Box::new(reader), Box::new(writer))
}

/// A connection to whoever is there at the moment.
async fn connect(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    // One that nobody answers at must not take the time of the next one.
    for address in endpoint.look_up().await? {
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        match connected.unwrap_or_else(|late| Err(late.into())) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                give_up_when_silent(&stream)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Ends a connection of which the other end takes nothing for [`SILENCE`], be it that its machine
/// is gone, that its address is another one by now, or that it stands still. Without that, a
/// connection that was cut goes on only once the system sends again, after as long again as it was
/// cut.
fn give_up_when_silent(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(SILENCE))?;
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(SILENCE)
            .with_interval(SILENCE / 4),
    )
}
