//! What each group does, as it changes: its replicas are asked again and again.
//!
//! They are asked over TCP, by whoever looks after the cluster, so it is the same wherever they
//! run. Counters of a replica that was started again begin anew.

use crate::results::rows::GroupInterval;
use crate::results::span::{INTERVAL, Span};
use futures_util::future::join_all;
use ssmr_core::{GroupId, Micros, ReplicaId, Topology};
use ssmr_net::{Clock, Operator, ReplicaStatus};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

/// How often replicas are asked.
const LOOK: Duration = Duration::from_micros(INTERVAL);

/// What the replicas have said, each in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupWatch(BTreeMap<ReplicaId, Vec<Look>>);

/// What a replica said at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    at: Micros,
    leads: bool,
    applied: u64,
    delivered: u64,
    multi: u64,
    objects_in: u64,
    objects_out: u64,
    waiting: u64,
    uptime_us: u64,
    cpu_us: u64,
}

impl Look {
    fn of(status: &ReplicaStatus, at: Micros) -> Self {
        let counters = &status.counters;
        Self {
            at,
            leads: status.is_leader,
            applied: status.applied,
            delivered: counters.delivered,
            multi: counters.multi_group,
            objects_in: counters.moved_here,
            objects_out: counters.moved_away,
            waiting: status.unfinished,
            uptime_us: status.uptime_us,
            cpu_us: status.processor_us,
        }
    }

    /// What happened since an earlier look, and how it is now.
    fn since(self, earlier: Self) -> Self {
        // One that was started again has counted from nothing.
        let earlier = if earlier.uptime_us > self.uptime_us {
            Self::default()
        } else {
            earlier
        };
        Self {
            delivered: self.delivered.saturating_sub(earlier.delivered),
            multi: self.multi.saturating_sub(earlier.multi),
            objects_in: self.objects_in.saturating_sub(earlier.objects_in),
            objects_out: self.objects_out.saturating_sub(earlier.objects_out),
            cpu_us: self.cpu_us.saturating_sub(earlier.cpu_us),
            ..self
        }
    }
}

impl GroupWatch {
    /// Asks the replicas for ever. To be dropped at will.
    pub(crate) async fn watch(
        &mut self,
        operator: &Operator,
        topology: Topology,
        clock: Clock,
    ) -> Infallible {
        let heard = RefCell::new(&mut self.0);
        let watched = topology.replicas().map(|id| {
            let heard = &heard;
            operator.watch(id, LOOK, move |status| {
                let look = Look::of(&status, clock.now().micros());
                heard.borrow_mut().entry(id).or_default().push(look);
            })
        });
        // They never end, for the cluster has all of these replicas.
        join_all(watched).await;
        pending().await
    }

    /// What each group did in each interval of a span.
    pub(crate) fn intervals(
        &self,
        run_id: &str,
        strategy: &'static str,
        span: Span,
    ) -> Vec<GroupInterval> {
        let mut rows: BTreeMap<(u64, GroupId), Vec<Look>> = BTreeMap::new();
        for (id, looks) in &self.0 {
            for pair in looks.windows(2) {
                let [earlier, later] = [pair[0], pair[1]];
                // What happened in between counts where the most of it did.
                let middle = earlier.at.midpoint(later.at);
                if span.contains(middle) {
                    let t_ms = (middle - span.from) / INTERVAL * (INTERVAL / 1_000);
                    let row = rows.entry((t_ms, id.group)).or_default();
                    row.push(later.since(earlier));
                }
            }
        }
        let row = |((t_ms, group), looks): ((u64, GroupId), Vec<Look>)| {
            let first = looks.iter().max_by_key(|look| (look.leads, look.applied))?;
            Some(GroupInterval {
                run_id: run_id.into(),
                strategy,
                t_ms,
                group: group.to_string(),
                delivered: first.delivered,
                multi: first.multi,
                objects_in: first.objects_in,
                objects_out: first.objects_out,
                waiting: first.waiting,
                cpu_us: looks.iter().map(|look| look.cpu_us).sum(),
            })
        };
        rows.into_iter().filter_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::PartitionId;

    fn look(at: Micros, leads: bool, counted: u64, cpu_us: u64) -> Look {
        Look {
            at,
            leads,
            applied: counted,
            delivered: counted,
            multi: counted / 2,
            objects_in: counted / 10,
            objects_out: 0,
            waiting: at % 7,
            uptime_us: counted,
            cpu_us,
        }
    }

    #[test]
    fn the_leader_counts_for_its_group_and_a_restart_begins_anew() {
        let id = |index| ReplicaId {
            group: PartitionId(0).into(),
            index,
        };
        let leader = [(1_000, 100, 50), (101_000, 160, 80), (201_500, 200, 90)];
        let leader = leader.map(|(at, count, cpu)| look(at, true, count, cpu));
        // It lags, and is started again, to work more than before.
        let other = [(2_000, 10, 70), (102_000, 20, 75), (203_000, 5, 80)];
        let other = other.map(|(at, count, cpu)| look(at, false, count, cpu));
        let groups = GroupWatch([(id(0), leader.to_vec()), (id(1), other.to_vec())].into());
        let span = Span {
            from: 1_000,
            until: 201_000,
        };
        let rows = groups.intervals("run", "broker", span);
        let found: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.t_ms,
                    row.delivered,
                    row.multi,
                    row.objects_in,
                    row.cpu_us,
                )
            })
            .collect();
        assert_eq!(found, [(0, 60, 30, 6, 35), (100, 40, 20, 4, 90)]);
        assert!(rows.iter().all(|row| row.group == "p0"));
        assert_eq!(rows[1].waiting, 201_500 % 7);
    }
}
