//! What the summary says of a strategy besides the measures of its commands.

use super::staleness::Staleness;
use crate::load::sample::{End, Sample};
use crate::notes;
use crate::results::measures::Measures;
use crate::results::rows::{ALL, STALE, Whole};
use crate::results::table::Table;
use crate::trial::measured::Measured;

/// The values of a strategy as a whole; only the row for all operations has most of them.
pub(super) fn whole(
    op: &str,
    measures: &Measures,
    measured: &Measured,
    table: &Table<'_>,
) -> Whole {
    let all = op == ALL;
    let per_ok = |sum: u64| (all && measures.ok > 0).then(|| sum as f64 / measures.ok as f64);
    let cache = all && measured.applies.cache;
    let unordered = || {
        let counts = |sample: &&Sample| {
            let counts = sample.end == End::Ok && measured.span.contains(sample.due);
            counts && sample.cost.unordered
        };
        measured.samples.iter().filter(counts).count() as u64
    };
    let verdicts = &measured.verdicts;
    let counts = verdicts.history.counts().filter(|_| all);
    let (first_mib, last_mib) = measured.memory.first_and_last_mib(measured.span);
    let stages = table.stages(op);
    let stale = verdicts.stale.as_ref().filter(|_| op == STALE);
    let stale = stale
        .map(|stale| Staleness::of(stale, measured))
        .unwrap_or_default();
    Whole {
        messages_per_command: per_ok(measured.message_count),
        bytes_per_command: per_ok(measured.byte_count),
        cpu_us_per_command: per_ok(measured.processor_us),
        // It says nothing of what is kept out of the history.
        linearizable: if op == STALE {
            ""
        } else {
            verdicts.history.name()
        },
        judged_ops: counts.map(|counts| counts.judged as u64),
        unjudged_ops: counts.map(|counts| counts.unjudged() as u64),
        replicas_agree: verdicts.replicas_agree(),
        cluster: verdicts.cluster.health.name(),
        duration_s: measured.span.length() as f64 / 1e6,
        reads: measured.reads.name(),
        stale_values: verdicts.stale_values().filter(|_| op == STALE),
        stale_pct: stale.answered_pct,
        stale_lag_p50: stale.lag.map(|lag| lag.p50),
        stale_lag_p99: stale.lag.map(|lag| lag.p99),
        stale_lag_max: stale.lag.map(|lag| lag.max),
        stale_age_p50_us: stale.age_us.map(|age| age.p50),
        stale_age_p99_us: stale.age_us.map(|age| age.p99),
        stale_age_max_us: stale.age_us.map(|age| age.max),
        stale_past_lives: stale.past_lives,
        unordered_pct: (all.then(unordered).and_then(per_ok)).map(|share| share * 100.0),
        value_hits: cache.then_some(measured.values.0),
        value_misses: cache.then_some(measured.values.1),
        processors_busy_pct: all.then(|| notes::busy(measured) * 100.0),
        service_time_us: measured.service_time_us,
        saturated: measured.service_time_us.filter(|_| all).map(|_| {
            match notes::busy(measured) > notes::EMULATION_ENDS {
                true => "yes",
                false => "no",
            }
        }),
        rss_first_mib: first_mib.filter(|_| all),
        rss_last_mib: last_mib.filter(|_| all),
        order_us: stages.map(|stages| stages[0]),
        wait_us: stages.map(|stages| stages[1]),
        execute_us: stages.map(|stages| stages[2]),
        answer_us: stages.map(|stages| stages[3]),
        conflicts: table.conflicts(op),
        consistent: verdicts.invariants.name(),
        net: measured.net.clone(),
    }
}
