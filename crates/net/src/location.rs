//! Where somebody is on a network: what delays the frames that it sends from there.
//!
//! All that is sent asks here, so what is emulated is decided in one place. Where no network is,
//! nothing is delayed.

use crate::clock::Clock;
use crate::delay_line::{DelayLine, Pipe};
use crate::network::{Network, Party};
use std::time::Duration;

/// Who somebody is, the emulated network if there is one, and the clock by which it delays.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) own: Party,
    pub(crate) network: Option<Network>,
    pub(crate) clock: Clock,
}

impl Location {
    /// What delays a connection to somebody. Connections that share a pipe have different `lane`s.
    pub(crate) fn way_to(&self, to: Party, lane: u64, pipe: &Pipe) -> Option<DelayLine> {
        self.way(self.own, to, lane, pipe)
    }

    /// What delays answers of somebody who emulates nothing, as caches do.
    pub(crate) fn way_from(&self, from: Party) -> Option<DelayLine> {
        self.way(from, self.own, 0, &Pipe::default())
    }

    /// How long it takes besides to set a connection up.
    pub(crate) fn handshake(&self, to: Party) -> Duration {
        let network = self.network.as_ref();
        network.map_or(Duration::ZERO, |it| it.handshake(self.own, to))
    }

    fn way(&self, from: Party, to: Party, lane: u64, pipe: &Pipe) -> Option<DelayLine> {
        let network = self.network.as_ref()?;
        Some(DelayLine::new(network, from, to, lane, pipe.clone()))
    }
}
