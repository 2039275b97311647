//! What it is like to get from one site to another, one way.

use std::time::Duration;

/// The bytes of a full TCP segment in a frame of Ethernet: what is lost is lost in such pieces.
const SEGMENT: usize = 1448;

/// The properties of one direction between two sites, or within one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Route {
    /// How long the last byte of a frame is under way at least.
    pub latency: Duration,
    /// How much longer it may be, evenly distributed.
    pub jitter: Duration,
    /// Bits a second that one process can send another; `None` for as many as it likes.
    pub bandwidth: Option<u64>,
    /// The probability that a segment of up to 1448 bytes is lost.
    pub loss: f64,
    /// How much later a frame comes of which a segment was lost, and all that is behind it on its
    /// connection.
    pub retransmission_timeout: Duration,
}

/// The loss is a number.
impl Eq for Route {}

impl Route {
    /// How long a small frame takes at most, if it is not lost.
    pub(crate) fn longest(&self) -> Duration {
        self.latency + self.jitter
    }

    /// How long it takes to send so many bytes, without their latency.
    pub(crate) fn transmission(&self, bytes: usize) -> Duration {
        let bits = bytes as u128 * 8;
        let nanoseconds = |rate: u64| bits * 1_000_000_000 / u128::from(rate.max(1));
        let time = self.bandwidth.map_or(0, nanoseconds);
        Duration::from_nanos(u64::try_from(time).unwrap_or(u64::MAX))
    }

    /// The probability that a frame of so many bytes loses a segment.
    pub(crate) fn loss_of(&self, bytes: usize) -> f64 {
        let segments = bytes.div_ceil(SEGMENT).max(1) as f64;
        1.0 - (1.0 - self.loss).powf(segments)
    }

    /// How many bytes can be under way: bandwidth times delay. 0 where the bandwidth has no limit.
    pub(crate) fn under_way(&self) -> u128 {
        let late = match self.loss > 0.0 {
            true => self.retransmission_timeout,
            false => Duration::ZERO,
        };
        let delay = (self.longest() + late).as_micros();
        let rate = self.bandwidth.map_or(0, u128::from);
        rate * delay / 8_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_time_and_room_on_the_way() {
        let mut route = Route {
            latency: Duration::from_millis(90),
            jitter: Duration::from_millis(10),
            bandwidth: Some(8_000_000),
            loss: 0.0,
            retransmission_timeout: Duration::from_millis(400),
        };
        assert_eq!(route.transmission(1_000), Duration::from_millis(1));
        assert_eq!(route.under_way(), 100_000);
        route.loss = 0.5;
        assert_eq!(route.under_way(), 500_000);
        assert_eq!((route.loss_of(1), route.loss_of(SEGMENT)), (0.5, 0.5));
        assert_eq!(route.loss_of(SEGMENT + 1), 0.75);
        route.bandwidth = None;
        assert_eq!(route.transmission(usize::MAX), Duration::ZERO);
        assert_eq!(route.under_way(), 0);
    }
}
