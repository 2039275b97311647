//! The rows of `summary.csv` and `intervals.csv`, and the data dictionary that explains them.

use super::columns::{Column, Columns, columns};
use super::measures::{Applies, Measures, histogram};
use crate::load::{End, Sample};
use hdrhistogram::Histogram;
use ssmr_core::Micros;
use std::fmt::Write;

/// The length of an interval.
const INTERVAL: Micros = 100_000;

/// The value of `op` for all kinds together.
pub(crate) const ALL: &str = "all";

columns! {
    /// Which measurement a row of the summary belongs to.
    struct Point {
        /// The run, which is also the name of its folder.
        run_id: String,
        /// The strategy: global, broker, static or cache.
        strategy: &'static str,
        /// The workload.
        workload: &'static str,
        /// Hash of the workload and the first 10,000 commands of every client: equal rows had the same work to do.
        digest: String,
        /// Where accesses to objects of several partitions executed: exchange (at all of them) or gather (at one).
        execution: &'static str,
        /// Partitions.
        partitions: u64,
        /// Replicas of each partition.
        replicas: u64,
        /// Concurrent clients.
        clients: u64,
        /// Requests that a client kept outstanding. Empty in an open loop.
        window: Option<u64>,
        /// Commands a second that were to be issued. Empty in a closed loop.
        rate: Option<u64>,
        /// Where replicas keep their state: memory.
        durability: &'static str,
        /// The seed of everything random.
        seed: u64,
        /// The kind of operation; `all` for all together.
        op: &'static str,
    }
}

columns! {
    /// What is measured of a strategy as a whole: known for all operations together only.
    struct Whole {
        /// Messages sent by replicas and clients per command in `ok`, those to the shared cache not included; `all` only.
        messages_per_command: Option<f64>,
        /// Bytes of these messages per command in `ok`; `all` only.
        bytes_per_command: Option<f64>,
        /// Processor time of the whole process, clients and history included, per command in `ok`; `all` only.
        cpu_us_per_command: Option<f64>,
        /// Whether the complete history is linearizable and the replicas of each group agree: ok, violated or unchecked.
        linearizable: &'static str,
        /// How long was measured, in seconds.
        duration_s: f64,
        /// Values of remote objects that replicas found in the shared cache or among their copies; `all` only. Empty
        /// without a shared cache.
        value_hits: Option<u64>,
        /// Values of remote objects that replicas did not find there; `all` only. Empty without a shared cache.
        value_misses: Option<u64>,
    }
}

columns! {
    /// Which interval a row belongs to.
    struct Interval {
        /// The strategy.
        strategy: &'static str,
        /// When the interval begins, in milliseconds since measuring began. It lasts 100 ms, the last one at most.
        t_ms: u64,
        /// The kind of operation; `all` for all together. A kind of which nothing was issued has no row.
        op: &'static str,
        /// What was broken on purpose in this interval. Empty: nothing.
        fault: Option<String>,
    }
}

/// What is measured: the commands issued from `from` to `until`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The first microsecond.
    pub(crate) from: Micros,
    /// The first one after it.
    pub(crate) until: Micros,
}

impl Span {
    /// How long it is.
    pub(crate) fn length(self) -> Micros {
        self.until - self.from
    }

    /// Whether a time is within.
    pub(crate) fn contains(self, at: Micros) -> bool {
        (self.from..self.until).contains(&at)
    }

    /// The intervals of this span. The last one may be shorter.
    fn intervals(self) -> impl Iterator<Item = Span> {
        (self.from..self.until)
            .step_by(INTERVAL as usize)
            .map(move |from| Span {
                from,
                until: self.until.min(from + INTERVAL),
            })
    }
}

/// The commands of one strategy, by kind and interval.
pub(crate) struct Table<'a> {
    samples: &'a [Sample],
    kinds: &'static [&'static str],
    span: Span,
    applies: Applies,
}

impl<'a> Table<'a> {
    /// Commands of these kinds under a strategy to which these measures apply.
    pub(crate) fn new(
        samples: &'a [Sample],
        kinds: &'static [&'static str],
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

    /// The rows of the intervals.
    pub(crate) fn intervals(&self, strategy: &'static str) -> Vec<(Interval, Measures)> {
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
        let mut rows = Vec::new();
        for (place, span) in spans.into_iter().enumerate() {
            let t_ms = (span.from - self.span.from) / 1000;
            for (op, measures, ()) in self.ops(&issued[place], &came[place], span, |_| ()) {
                rows.push((
                    Interval {
                        strategy,
                        t_ms,
                        op,
                        fault: None,
                    },
                    measures,
                ));
            }
        }
        rows
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
        let ops = [(ALL, None)]
            .into_iter()
            .chain(kinds.map(|(kind, name)| (*name, Some(kind))));
        let mut rows = Vec::new();
        for (op, kind) in ops {
            let of_kind = |sample: &Sample| kind.is_none_or(|kind| sample.kind == kind);
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
            if kind.is_none() || measures.issued > 0 {
                rows.push((op, measures, keep(&latencies)));
            }
        }
        rows
    }
}

/// The columns of `summary.csv`.
pub(crate) fn summary_columns() -> Vec<Column> {
    [Point::columns(), Measures::columns(), Whole::columns()].concat()
}

/// The columns of `intervals.csv`.
pub(crate) fn interval_columns() -> Vec<Column> {
    [Interval::columns(), Measures::columns()].concat()
}

/// What every column of every file means.
pub(crate) fn data_dictionary() -> String {
    let mut text = String::from(
        "# Data dictionary\n\nGenerated from the structs that write the rows. An empty cell: the value does not apply.\n",
    );
    let files = [
        (
            "summary.csv",
            "One row for each strategy and kind of operation.",
            summary_columns(),
        ),
        (
            "intervals.csv",
            "The same measures over time, in long form.",
            interval_columns(),
        ),
    ];
    for (file, about, columns) in files {
        let _ = write!(
            text,
            "\n## `{file}`\n\n{about}\n\n| column | meaning |\n| --- | --- |\n"
        );
        for Column { name, doc } in columns {
            let _ = writeln!(text, "| `{name}` | {doc} |");
        }
    }
    text += "\n## `histograms/<strategy>.hlog`\n\nHdrHistogram log, format V2: the latencies of the commands counted in `ok`, \
             in microseconds,\none histogram for each `op`, which is its tag.\n\n## `run.json`\n\nHow the files came about: \
             command line, settings with defaults filled in, version, machine, times, and what was\nnoticed.\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::Cost;

    fn sample(kind: usize, due: Micros, completed: Micros) -> Sample {
        Sample {
            kind,
            due,
            late: 0,
            completed,
            end: End::Ok,
            cost: Cost::default(),
        }
    }

    const APPLIES: Applies = Applies {
        moves: true,
        consults: true,
        cache: false,
    };

    #[test]
    fn the_dictionary_of_the_project_is_the_generated_one() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../results/data-dictionary.md"
        );
        if std::env::var_os("UPDATE_DATA_DICTIONARY").is_some() {
            std::fs::write(path, data_dictionary()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == data_dictionary(),
            "results/data-dictionary.md is stale: run this test with UPDATE_DATA_DICTIONARY=1"
        );
    }

    #[test]
    fn the_header_is_the_promised_one() {
        let names: Vec<&str> = summary_columns().iter().map(|column| column.name).collect();
        let promised = "run_id,strategy,workload,digest,execution,partitions,replicas,clients,window,rate,durability,seed,op,\
            issued,ok,unsupported,errors,throughput_ops,mean_us,p50_us,p95_us,p99_us,p999_us,max_us,retries,fallbacks,\
            multi_partition_pct,moves,oracle_consults,cache_hits,cache_misses,groups_per_command,messages_per_command,\
            bytes_per_command,cpu_us_per_command,linearizable";
        assert!(names.join(",").starts_with(promised), "{names:?}");
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
        let rows = table.intervals("global");
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
