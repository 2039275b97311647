//! Somebody who takes part in a cluster: what it says of itself, and how its connections begin.

use crate::config::ClusterConfig;
use crate::error::{ConfigError, ConnectError};
use crate::greeting::{Greeting, Refusal, Role, introduce, welcome};
use crate::peer::Peer;
use crate::transport::Transport;
use crate::wire::{Frames, Reader, Writer};
use ssmr_core::Identity;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;

/// Somebody who takes part in a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Participant {
    greeting: Greeting,
    transport: Transport,
}

impl Participant {
    /// Somebody with this role in the cluster of this identity.
    ///
    /// # Errors
    /// If its certificates cannot be used.
    pub(crate) fn new(
        identity: Identity,
        role: Role,
        config: &ClusterConfig,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            greeting: Greeting::new(identity, role),
            transport: Transport::new(role.into(), config)?,
        })
    }

    /// The cluster that it takes part in.
    pub(crate) fn cluster(&self) -> &Identity {
        &self.greeting.identity
    }

    /// Whether whoever reaches it may speak.
    pub(crate) fn is_plain(&self) -> bool {
        self.transport.is_plain()
    }

    /// When its certificate ends, since 1970; `None` without one.
    pub(crate) fn certified_until(&self) -> Option<Duration> {
        self.transport.certified_until()
    }

    /// Connects to a replica and greets it. Returns what it says after its greeting.
    ///
    /// # Errors
    /// If nobody is there, or somebody else, or the replica refuses.
    pub(crate) async fn dial(&self, peer: &Peer) -> Result<(Frames<Reader>, Writer), ConnectError> {
        let (reader, mut writer) = self.transport.dial(peer).await?;
        let frames = introduce(reader, &mut writer, &self.greeting, peer).await?;
        Ok((frames, writer))
    }

    /// Waits for the greeting of a connection that was accepted, and answers it. Returns what
    /// `admit` made of it, and what follows. The caller bounds the time.
    ///
    /// # Errors
    /// If it ends, or is refused.
    pub(crate) async fn accept<H>(
        &self,
        stream: TcpStream,
        admit: impl FnOnce(Role) -> Result<H, Refusal>,
    ) -> io::Result<(Frames<Reader>, Writer, H)> {
        let (reader, mut writer, proof) = self.transport.accept(stream).await?;
        let admit = |role| proof.check(role).and_then(|()| admit(role));
        let (frames, held) = welcome(reader, &mut writer, &self.greeting, admit).await?;
        Ok((frames, writer, held))
    }
}
