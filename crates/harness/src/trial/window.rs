//! The time that is measured: warm-up, the counters at its beginning and end, faults in between.

use crate::deploy::deployment::{Deployment, Tally};
use crate::deploy::running::Running;
use crate::fault::inflict::Faults;
use crate::group_watch::GroupWatch;
use crate::health::loss;
use crate::interrupt::Interrupt;
use crate::load::clients::Load;
use crate::load::job::Plan;
use crate::load::sample::ClientReport;
use crate::memory::Memory;
use crate::progress::Progress;
use crate::workload::contract::Workload;
use anyhow::Result;
use ssmr_core::{GroupId, Micros};
use ssmr_net::{Clock, Operator};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

/// Counters of a cluster at some moment.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) at: Micros,
    pub(super) tally: Tally,
}

/// The counters at both ends of what was measured.
#[derive(Clone, Copy)]
pub(super) struct Readings {
    pub(super) before: Reading,
    pub(super) after: Reading,
    /// The group whose loss ended it.
    pub(super) lost: Option<GroupId>,
}

/// When to measure, and who is told.
pub(super) struct Window<'a> {
    /// The strategy's name.
    pub(super) strategy: &'static str,
    pub(super) plan: Plan,
    pub(super) clock: Clock,
    pub(super) interrupt: &'a Interrupt,
    pub(super) progress: &'a Progress,
    /// Whoever asks the replicas how they are.
    pub(super) operator: Operator,
}

/// What was seen of the cluster while it was measured.
#[derive(Default)]
pub(super) struct Looks {
    pub(super) memory: Memory,
    pub(super) groups: GroupWatch,
}

impl Window<'_> {
    /// Warms up and measures, while faults strike, until the time is over, the user ends it or a
    /// group is lost. Returns the readings at the beginning and at the end, if it came to that.
    pub(super) async fn measure<W: Workload>(
        &self,
        cluster: &mut Running,
        load: &mut Load<W>,
        faults: &mut Faults<'_>,
        reports: &mut Vec<ClientReport>,
        looks: &mut Looks,
    ) -> Result<Option<Readings>> {
        self.say("warming up");
        let (plan, clock) = (self.plan, self.clock);
        load.go(plan);
        let until = |at: Micros| {
            sleep(Duration::from_micros(
                at.saturating_sub(clock.now().micros()),
            ))
        };
        tokio::select! {
            () = until(plan.from) => {}
            () = self.interrupt.strikes() => return Ok(None),
            _ = loss(cluster, BTreeSet::new()) => return Ok(None),
        }
        let before = read(cluster, clock).await;
        self.say("measuring");
        let tell = |what: &str| {
            let seconds = clock.now().micros().saturating_sub(plan.from) as f64 / 1e6;
            let told = format!("{}: measuring, {what} after {seconds:.1} s", self.strategy);
            self.progress.event(&told);
        };
        let mut lost = None;
        let (processes, topology) = (cluster.process_ids(), cluster.config().topology);
        let Looks { memory, groups } = looks;
        let all_ended = tokio::select! {
            () = until(plan.until) => false,
            ended = load.reports(reports) => ended.map(|()| true)?,
            group = faults.strike(cluster, clock, plan.from, tell) => {
                lost = Some(group?);
                load.stop();
                false
            }
            () = self.interrupt.strikes() => {
                load.stop();
                false
            }
            never = memory.watch(processes, clock) => match never {},
            never = groups.watch(&self.operator, topology, clock) => match never {},
        };
        let mut after = read(cluster, clock).await;
        if all_ended {
            // They may have been done a moment ago: the span ends with the last command.
            let samples = reports.iter().flat_map(|report| &report.samples);
            after.at = samples
                .map(|sample| sample.completed + 1)
                .max()
                .unwrap_or(after.at);
        }
        after.at = after.at.clamp(plan.from + 1, plan.until);
        Ok(Some(Readings {
            before,
            after,
            lost,
        }))
    }

    fn say(&self, what: &str) {
        let told = format!("{}: {what}", self.strategy);
        self.progress.phase(&told, None);
    }
}

/// Reads a cluster's counters.
async fn read<D: Deployment>(cluster: &mut D, clock: Clock) -> Reading {
    let at = clock.now().micros();
    let tally = cluster.tally().await;
    Reading { at, tally }
}
