//! The commands of one strategy, sorted into the rows of both files: by kind of operation, and by
//! interval.
//!
//! Invariant: the intervals cover exactly what was measured, so their counts add up to those of the
//! summary.

use super::measures::{Applies, Measures, histogram};
use super::rows::{ALL, Interval, STALE, SampleRow};
use super::span::{INTERVAL, Span};
use crate::fault::mark::Mark;
use crate::load::sample::{End, Sample};
use crate::memory::Memory;
use hdrhistogram::Histogram;
use ssmr_core::Micros;

/// The commands of one strategy, by kind and interval.
pub(crate) struct Table<'a> {
    samples: &'a [Sample],
    kinds: &'a [&'static str],
    span: Span,
    applies: Applies,
}

/// Which commands a row is about. What the shared cache answered alone is in no other row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Kind(usize),
    Stale,
}

impl Which {
    fn holds(self, sample: &Sample) -> bool {
        match self {
            Self::All => !sample.cost.stale,
            Self::Kind(kind) => !sample.cost.stale && sample.kind == kind,
            Self::Stale => sample.cost.stale,
        }
    }
}

impl<'a> Table<'a> {
    /// Commands of these kinds under a strategy to which these measures apply.
    pub(crate) fn new(
        samples: &'a [Sample],
        kinds: &'a [&'static str],
        span: Span,
        applies: Applies,
    ) -> Self {
        Self {
            samples,
            kinds,
            span,
            applies,
        }
    }

    /// The measures of all operations, then of each kind that was issued, with the latencies.
    pub(crate) fn summary(&self) -> Vec<(&'static str, Measures, Histogram<u64>)> {
        let all: Vec<&Sample> = self.samples.iter().collect();
        self.ops(&all, &all, self.span, Clone::clone)
    }

    /// The rows of the intervals. What was broken on purpose, and what memory processes took, is
    /// told by the rows for all operations.
    pub(crate) fn intervals(
        &self,
        run_id: &str,
        strategy: &'static str,
        marks: &[Mark],
        memory: &Memory,
    ) -> Vec<(Interval, Measures)> {
        let spans: Vec<Span> = self.span.intervals().collect();
        let (mut issued, mut came) = (vec![Vec::new(); spans.len()], vec![Vec::new(); spans.len()]);
        let place = |at: Micros| {
            (self.span.contains(at)).then(|| ((at - self.span.from) / INTERVAL) as usize)
        };
        for sample in self.samples {
            place(sample.due)
                .into_iter()
                .for_each(|place| issued[place].push(sample));
            place(sample.completed)
                .into_iter()
                .for_each(|place| came[place].push(sample));
        }
        let mut faults = vec![Vec::new(); spans.len()];
        for mark in marks {
            let place = place(mark.at).into_iter();
            place.for_each(|place| faults[place].push(&mark.what[..]));
        }
        let mut rows = Vec::new();
        for (place, span) in spans.into_iter().enumerate() {
            let t_ms = (span.from - self.span.from) / 1000;
            for (op, measures, ()) in self.ops(&issued[place], &came[place], span, |_| ()) {
                let fault =
                    (op == ALL && !faults[place].is_empty()).then(|| faults[place].join("; "));
                let rss_mib = (op == ALL).then(|| memory.most_mib(span)).flatten();
                let row = Interval {
                    run_id: run_id.to_owned(),
                    strategy,
                    t_ms,
                    op,
                    fault,
                    rss_mib,
                };
                rows.push((row, measures));
            }
        }
        rows
    }

    /// Each command that was issued within the span.
    pub(crate) fn samples(
        &self,
        run_id: &str,
        strategy: &'static str,
    ) -> impl Iterator<Item = SampleRow> {
        let issued = self.samples.iter();
        let issued = issued.filter(|sample| self.span.contains(sample.due));
        issued.map(move |sample| SampleRow {
            run_id: run_id.to_owned(),
            strategy,
            op: if sample.cost.stale {
                STALE
            } else {
                self.kinds[sample.kind]
            },
            due_us: sample.due - self.span.from,
            late_us: sample.late,
            latency_us: sample.completed.saturating_sub(sample.due),
            outcome: match sample.end {
                End::Ok => "ok",
                End::Unsupported => "unsupported",
                End::Error => "error",
            },
            groups: sample.cost.groups.into(),
            retries: sample.cost.retries.into(),
            conflicts: sample.conflicts.map(u64::from),
        })
    }

    /// Where the time of the commands of a kind went, in microseconds: to ordering, waiting,
    /// executing, and all else. Means of those that were measured; `None` if there are none.
    pub(crate) fn stages(&self, op: &str) -> Option<[f64; 4]> {
        let (mut sums, mut count) = ([0.0; 4], 0.0);
        for sample in self.samples {
            let counts = sample.end == End::Ok && self.span.contains(sample.due);
            let is_one = op == ALL || self.kinds[sample.kind] == op;
            let Some(stages) = sample.cost.stages.filter(|_| counts && is_one) else {
                continue;
            };
            let there = [stages.order_us, stages.wait_us, stages.execute_us].map(Micros::from);
            let latency = sample.completed.saturating_sub(sample.due);
            // The replica's clock may be a little faster.
            let elsewhere = latency.saturating_sub(there.iter().sum());
            let parts = there.into_iter().chain([elsewhere]);
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum += part as f64;
            }
            count += 1.0;
        }
        (count > 0.0).then(|| sums.map(|sum| sum / count))
    }

    /// How often transactions of a kind began anew, if there are any.
    pub(crate) fn conflicts(&self, op: &str) -> Option<u64> {
        let counts = |sample: &&Sample| {
            let is_one = op == ALL || self.kinds[sample.kind] == op;
            is_one && self.span.contains(sample.due)
        };
        let samples = self.samples.iter().filter(counts);
        let conflicts = samples.filter_map(|sample| sample.conflicts.map(u64::from));
        conflicts.reduce(|sum, conflicts| sum + conflicts)
    }

    fn ops<T>(
        &self,
        issued: &[&Sample],
        came: &[&Sample],
        span: Span,
        keep: impl Fn(&Histogram<u64>) -> T,
    ) -> Vec<(&'static str, Measures, T)> {
        let mut latencies = histogram();
        let kinds = self.kinds.iter().enumerate();
        let kinds = kinds.map(|(kind, name)| (*name, Which::Kind(kind)));
        let ops = [(ALL, Which::All)].into_iter().chain(kinds);
        let mut rows = Vec::new();
        for (op, which) in ops.chain([(STALE, Which::Stale)]) {
            let of_kind = |sample: &Sample| which.holds(sample);
            let own = |sample: &&&Sample| of_kind(sample) && span.contains(sample.due);
            let came = came
                .iter()
                .filter(|s| of_kind(s) && s.end == End::Ok && span.contains(s.completed));
            let mine = issued.iter().filter(own).copied();
            let measures = Measures::of(
                mine,
                came.count() as u64,
                span.length(),
                self.applies,
                &mut latencies,
            );
            if which == Which::All || measures.issued > 0 {
                rows.push((op, measures, keep(&latencies)));
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::{Cost, Stages};

    fn sample(kind: usize, due: Micros, completed: Micros) -> Sample {
        Sample {
            kind,
            due,
            late: 0,
            completed,
            end: End::Ok,
            cost: Cost::default(),
            conflicts: None,
        }
    }

    const APPLIES: Applies = Applies {
        moves: true,
        consults: true,
        cache: false,
    };

    #[test]
    fn the_parts_of_a_latency_add_up_to_it() {
        let span = Span {
            from: 0,
            until: 1_000,
        };
        let measured = |kind, stages: Option<[u32; 3]>| Sample {
            cost: Cost {
                stages: stages.map(|[order_us, wait_us, execute_us]| Stages {
                    order_us,
                    wait_us,
                    execute_us,
                }),
                ..Cost::default()
            },
            ..sample(kind, 100, 300)
        };
        let error = Sample {
            end: End::Error,
            ..measured(0, Some([9; 3]))
        };
        let samples = [
            measured(0, Some([100, 20, 10])),
            measured(1, Some([50, 0, 10])),
            measured(1, None),
            error,
        ];
        let table = Table::new(&samples, &["a", "b", "c"], span, APPLIES);
        assert_eq!(table.stages("a"), Some([100.0, 20.0, 10.0, 70.0]));
        assert_eq!(table.stages(ALL), Some([75.0, 10.0, 10.0, 105.0]));
        assert_eq!(table.stages("c"), None);
    }

    #[test]
    fn conflicts_are_those_of_transactions() {
        let span = Span {
            from: 0,
            until: 1_000,
        };
        let with = |kind, due, conflicts| Sample {
            conflicts,
            ..sample(kind, due, due + 1)
        };
        let samples = [
            with(0, 1, Some(2)),
            with(0, 2, Some(0)),
            with(1, 3, Some(5)),
            with(1, 1_000, Some(7)),
            with(2, 4, None),
        ];
        let table = Table::new(&samples, &["a", "b", "c"], span, APPLIES);
        let conflicts = [ALL, "a", "b", "c"].map(|op| table.conflicts(op));
        assert_eq!(conflicts, [Some(7), Some(2), Some(5), None]);
    }

    #[test]
    fn what_the_cache_answered_alone_has_a_row_of_its_own() {
        let span = Span {
            from: 0,
            until: 1_000,
        };
        let stale = Sample {
            cost: Cost {
                stale: true,
                ..Cost::default()
            },
            ..sample(0, 10, 15)
        };
        let samples = [sample(0, 20, 120), stale, sample(1, 30, 130)];
        let table = Table::new(&samples, &["a", "b"], span, APPLIES);
        let rows = table.summary();
        let rows: Vec<_> = rows
            .iter()
            .map(|(op, it, _)| (*op, it.ok, it.max_us))
            .collect();
        let expected = [
            (ALL, 2, Some(100)),
            ("a", 1, Some(100)),
            ("b", 1, Some(100)),
            (STALE, 1, Some(5)),
        ];
        assert_eq!(rows, expected);
        let ops: Vec<_> = table.samples("run", "cache").map(|row| row.op).collect();
        assert_eq!(ops, ["a", STALE, "b"]);
    }

    #[test]
    fn intervals_cover_exactly_the_measured_span() {
        let span = Span {
            from: 1_000,
            until: 251_000,
        };
        let samples = [
            sample(0, 900, 1_100),
            sample(0, 1_000, 101_500),
            sample(1, 250_999, 400_000),
            sample(1, 251_000, 252_000),
        ];
        let table = Table::new(&samples, &["a", "b"], span, APPLIES);
        let mark = |at, what: &str| Mark {
            at,
            what: what.into(),
        };
        let marks = [
            mark(150_000, "kill p0r1"),
            mark(150_500, "cut p0r2"),
            mark(251_000, "late"),
        ];
        let rows = table.intervals("run", "global", &marks, &Memory::default());
        let told: Vec<_> = rows.iter().map(|(row, _)| row.fault.as_deref()).collect();
        let expected = [None, None, Some("kill p0r1; cut p0r2"), None, None];
        assert_eq!(told, expected);
        let found: Vec<_> = rows
            .iter()
            .map(|(row, m)| (row.t_ms, row.op, m.issued, m.throughput_ops))
            .collect();
        let expected = [
            (0, ALL, 1, 10.0),
            (0, "a", 1, 10.0),
            (100, ALL, 0, 10.0),
            (200, ALL, 1, 0.0),
            (200, "b", 1, 0.0),
        ];
        assert_eq!(found, expected);
        let summary = table.summary();
        assert_eq!((summary[0].0, summary[0].1.issued), (ALL, 2));
        assert_eq!(summary[0].1.throughput_ops, 8.0);
        assert_eq!(summary.len(), 3);
    }
}
