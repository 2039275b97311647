//! How much memory the processes of replicas take, as it changes.
//!
//! It is what the system says is resident, of the one that takes most. Replicas that are threads
//! have none of their own. The load is in this process, which keeps the whole history: its memory
//! grows with time and says nothing of replicas.

use crate::deploy::deployment::ProcessIds;
use crate::results::span::Span;
use ssmr_core::Micros;
use ssmr_net::Clock;
use std::convert::Infallible;
use std::fs;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// Which part of a span its beginning and its end are.
const PART: Micros = 10;

const MIB: f64 = (1 << 20) as f64;

/// The most that any process took, at each look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory(Vec<(Micros, u64)>);

impl Memory {
    /// Looks at these processes for ever. To be dropped at will.
    pub(crate) async fn watch(
        &mut self,
        ids: watch::Receiver<ProcessIds>,
        clock: Clock,
    ) -> Infallible {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            looks.tick().await;
            let most = ids.borrow().values().filter_map(|id| resident(*id)).max();
            self.0.extend(most.map(|most| (clock.now().micros(), most)));
        }
    }

    /// The most that any process took within a span, in MiB.
    pub(crate) fn most_mib(&self, span: Span) -> Option<f64> {
        let within = self.0.iter().filter(|(at, _)| span.contains(*at));
        let most = within.map(|(_, bytes)| *bytes).max()?;
        Some(most as f64 / MIB)
    }

    /// The same of the first and the last tenth of a span.
    pub(crate) fn first_and_last_mib(&self, span: Span) -> (Option<f64>, Option<f64>) {
        let part = span.length().div_ceil(PART);
        let first = Span {
            until: span.from + part,
            ..span
        };
        let last = Span {
            from: span.until - part,
            ..span
        };
        (self.most_mib(first), self.most_mib(last))
    }
}

/// What the system says of a process, in bytes; `None` if it is gone, or this system does not say.
fn resident(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    #[test]
    fn the_first_and_the_last_tenth_are_told_apart() {
        let mib = |mib: u64| mib << 20;
        let memory = Memory(vec![
            (999, mib(90)),
            (1_000, mib(10)),
            (1_099, mib(12)),
            (1_100, mib(80)),
            (1_900, mib(11)),
            (1_999, mib(9)),
            (2_000, mib(70)),
        ]);
        let span = Span {
            from: 1_000,
            until: 2_000,
        };
        assert_eq!(memory.first_and_last_mib(span), (Some(12.0), Some(11.0)));
        assert_eq!(memory.most_mib(span), Some(80.0));
        assert_eq!(Memory::default().first_and_last_mib(span), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_a_process_takes_is_seen() {
        let clock = Clock::start();
        let id = |index| ssmr_core::ReplicaId {
            group: ssmr_core::PartitionId(0).into(),
            index,
        };
        // No process has the second number.
        let ids = [(id(0), std::process::id()), (id(1), u32::MAX)].into();
        let (_sender, ids) = watch::channel(ids);
        let mut memory = Memory::default();
        let ballast = vec![1u8; 32 << 20];
        let span = Span {
            from: 0,
            until: Micros::MAX,
        };
        while memory.most_mib(span).is_none() {
            let looked = timeout(LOOK, memory.watch(ids.clone(), clock)).await;
            assert!(looked.is_err(), "it looks for ever");
        }
        let most = memory.most_mib(span).unwrap();
        assert!(most > 32.0, "{most} with {} bytes", ballast.len());
    }
}
