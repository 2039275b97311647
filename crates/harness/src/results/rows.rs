//! The rows of `summary.csv` and `intervals.csv`, and the data dictionary that explains them.

use super::columns::{Column, Columns, columns};
use super::measures::Measures;
use std::fmt::Write;

/// The version of the files' form. It changes when a column changes its meaning or goes.
pub(super) const SCHEMA: u32 = 1;

/// The value of `op` for all kinds together.
pub(crate) const ALL: &str = "all";

/// The value of `op` for what the shared cache answered alone.
pub(crate) const STALE: &str = "stale-read";

columns! {
    /// Which measurement a row of the summary belongs to.
    struct Point {
        /// The run, which is also the name of its folder.
        run_id: String,
        /// The strategy: global, broker, static, cache, or one that the program adds.
        strategy: &'static str,
        /// The workload.
        workload: &'static str,
        /// Hash of the workload and the first 10,000 commands of every client, or of a whole trace:
        /// equal rows had the same work to do.
        digest: String,
        /// Where accesses to objects of several partitions executed: exchange (at all of them) or
        /// gather (at one).
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
        /// Where replicas keep their logs: memory (nowhere), async (in files) or sync (in files,
        /// synced).
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
        /// Messages sent by replicas and clients per command in `ok`, those to the shared cache not
        /// included; `all` only.
        messages_per_command: Option<f64>,
        /// Bytes of these messages per command in `ok`; `all` only.
        bytes_per_command: Option<f64>,
        /// Processor time of all processes of the run, clients and history included, per command in
        /// `ok`; `all` only.
        cpu_us_per_command: Option<f64>,
        /// The verdict on the complete history, from loading to the last read: ok (no violation
        /// found), violated, or unchecked (more than 1 % of its operations could not be judged). It
        /// says nothing of the replicas: see `replicas_agree` and `cluster`; nor of stale reads, in
        /// whose row it is empty.
        linearizable: &'static str,
        /// Operations of the complete history whose outcomes were compared with those of all
        /// others; `all` only. Empty if a violation was found first.
        judged_ops: Option<u64>,
        /// Operations of the complete history that could not be judged: those that were not
        /// answered, and those whose outcomes depend on these; `all` only. Those that the strategy
        /// refuses count neither here nor as judged. Empty if a violation was found first.
        unjudged_ops: Option<u64>,
        /// Whether the replicas of each group had the same state after the same entries of their
        /// log, at the end: yes or no. Empty if they could not be compared, for in some group fewer
        /// than two were there.
        replicas_agree: Option<&'static str>,
        /// How the cluster was at the end: healthy (all replicas of all groups ran, answered and
        /// had caught up), degraded (a majority of each group did) or lost (not so in some group,
        /// which answers nothing more).
        cluster: &'static str,
        /// How long was measured, in seconds.
        duration_s: f64,
        /// How reads of objects at one partition were answered: ordered, index (by a leader that
        /// was confirmed) or lease (by a leader that had been promised to remain it).
        reads: &'static str,
        /// With `--cache-reads stale` the row of `op` `stale-read` has what the shared cache
        /// answered alone: no other row counts it, and no verdict but this one is on it. Whether
        /// each of these answers was true once: ok, violated, or unchecked (more than 1 % could not
        /// be judged). Empty in all other rows, as all these of stale reads.
        stale_values: Option<&'static str>,
        /// How many of the reads that asked the shared cache it answered, as a percentage. The
        /// others went to owners, and count in the rows of their kinds.
        stale_pct: Option<f64>,
        /// How many versions a stale read was behind the newest one that had been acknowledged to
        /// some client when it began: creates, writes and deletes count, moves do not; median.
        stale_lag_p50: Option<u64>,
        /// 99th percentile of the same.
        stale_lag_p99: Option<u64>,
        /// Greatest of the same.
        stale_lag_max: Option<u64>,
        /// How long ago the first newer version had been acknowledged when a stale read began, in
        /// microseconds, 0 if none had; median. The value was superseded then at the latest, and no
        /// earlier than the command that did it was issued.
        stale_age_p50_us: Option<u64>,
        /// 99th percentile of the same.
        stale_age_p99_us: Option<u64>,
        /// Greatest of the same.
        stale_age_max_us: Option<u64>,
        /// Stale reads of objects whose deletion had been acknowledged when they began; some of
        /// these exist again, in another life.
        stale_past_lives: Option<u64>,
        /// Percentage of the commands counted in `ok` that were answered without being ordered;
        /// `all` only.
        unordered_pct: Option<f64>,
        /// Values of remote objects that replicas found in the shared cache or among their copies;
        /// `all` only. Empty without a shared cache.
        value_hits: Option<u64>,
        /// Values of remote objects that replicas did not find there; `all` only. Empty without a
        /// shared cache.
        value_misses: Option<u64>,
        /// Percentage of the time of all processors of the machine that the run's processes took
        /// while it was measured, clients and history included; `all` only. Near 100 the processors
        /// are what limits it.
        processors_busy_pct: Option<f64>,
        /// How long each leader took for each thing that a client asked, at least, in microseconds:
        /// slower machines are emulated. Empty without `--service-time`.
        service_time_us: Option<u64>,
        /// With `--service-time`, whether the processors were more than 70 % busy, so that they,
        /// and not the emulated machines, may be what limits it: yes or no; `all` only.
        saturated: Option<&'static str>,
        /// The most memory that the process of a replica had resident in the first tenth of what
        /// was measured, in MiB; `all` only. Empty where replicas are threads. Clients and history
        /// are in another process.
        rss_first_mib: Option<f64>,
        /// The same in the last tenth.
        rss_last_mib: Option<f64>,
        /// With `--breakdown`, how long commands counted in `ok` took from their arrival at the
        /// leader that answered until they were ordered, in microseconds; mean of those whose
        /// leader measured it, as all of these four. A read that is not ordered: all of its time
        /// there.
        order_us: Option<f64>,
        /// How long they waited from there until they executed: for earlier commands on the same
        /// objects, and for the signals of other groups.
        wait_us: Option<f64>,
        /// How long executing took, with recording what it led to.
        execute_us: Option<f64>,
        /// What is left of their latency: sending both ways, syncing, look-ups, earlier attempts,
        /// and in an open loop the time that they were issued late.
        answer_us: Option<f64>,
        /// How often transactions began anew because others had changed what they had read. Empty
        /// where there are none.
        conflicts: Option<u64>,
        /// Whether what the workload promises of all its objects together held at the end: ok,
        /// violated, or unchecked (not all could be read). Empty where it promises nothing.
        consistent: Option<&'static str>,
        /// The network that was emulated between replicas, clients and caches: lan, wan, or the
        /// file that describes it; none without `--net`.
        net: String,
    }
}

columns! {
    /// What a group did in an interval.
    struct GroupInterval {
        /// The run.
        run_id: String,
        /// The strategy.
        strategy: &'static str,
        /// When the interval begins, in milliseconds since measuring began. It lasts 100 ms.
        t_ms: u64,
        /// The group: a partition, or the oracle. A group of which no replica answered has no row.
        group: String,
        /// Commands delivered, by the replica that led or had applied the most.
        delivered: u64,
        /// Of these, how many were delivered by other groups too.
        multi: u64,
        /// Objects that were moved to the partition.
        objects_in: u64,
        /// Objects that were moved away from it.
        objects_out: u64,
        /// Commands that were delivered and not finished, at the end.
        waiting: u64,
        /// Processor time of the threads of its replicas, in microseconds.
        cpu_us: u64,
    }
}

columns! {
    /// A point of the distribution of latencies.
    struct CdfPoint {
        /// The run.
        run_id: String,
        /// The strategy.
        strategy: &'static str,
        /// The kind of operation; `all` for all together.
        op: &'static str,
        /// The share of the commands counted in `ok` that took at most `latency_us`.
        share: f64,
        /// A latency in microseconds, with three digits; in an open loop, from when commands were
        /// due.
        latency_us: u64,
    }
}

columns! {
    /// One command.
    struct SampleRow {
        /// The run.
        run_id: String,
        /// The strategy.
        strategy: &'static str,
        /// The kind of operation.
        op: &'static str,
        /// When it was issued, in microseconds since measuring began; in an open loop, when it was
        /// due.
        due_us: u64,
        /// How much later than that it was issued. Always 0 in a closed loop.
        late_us: u64,
        /// From when it was due to when it ended.
        latency_us: u64,
        /// How it ended: ok, unsupported or error.
        outcome: &'static str,
        /// Destination groups, summed over its attempts.
        groups: u64,
        /// How many attempts were answered with "your plan was stale".
        retries: u64,
        /// How often it began anew, because others had changed what it had read. Empty for what is
        /// no transaction.
        conflicts: Option<u64>,
    }
}

columns! {
    /// Which step of the search for the highest throughput a row belongs to.
    struct PeakStep {
        /// What the step is: closed (a window of the search), open (a rate of the search), 50 or 75
        /// (percent of the peak, which is the last `open` that was reached).
        step: &'static str,
        /// Whether the rate was reached: at least 98 % of it came, and no errors: yes or no. Empty
        /// in a closed loop.
        reached: Option<&'static str>,
    }
}

columns! {
    /// Which interval a row belongs to.
    struct Interval {
        /// The run.
        run_id: String,
        /// The strategy.
        strategy: &'static str,
        /// When the interval begins, in milliseconds since measuring began. It lasts 100 ms, the
        /// last one at most.
        t_ms: u64,
        /// The kind of operation; `all` for all together. A kind of which nothing was issued has no
        /// row.
        op: &'static str,
        /// What was broken on purpose or put right again in this interval, in order: `kill p0r1;
        /// restart p1r0`, say; `all` only. Empty: nothing.
        fault: Option<String>,
        /// The most memory that the process of a replica had resident in this interval, in MiB;
        /// `all` only. Empty where replicas are threads.
        rss_mib: Option<f64>,
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

/// The columns of `peak.csv`.
pub(crate) fn peak_columns() -> Vec<Column> {
    [PeakStep::columns(), summary_columns()].concat()
}

/// What is to be known of the files of a sweep, whose columns follow from what is varied.
const SWEEP_FILES: &str = "
## A sweep's `summary.csv`

The rows of the runs of all its cells. Before their columns stand `point`, the number of the
combination of varied values, `repeat`, which run of it this is (both from 0), and the varied flags
that are no column of a run, with `_` for `-`.

## A sweep's `points.csv`

A row for each point, strategy and kind of operation: the varied flags and other settings as above,
`repeats` (how many runs), of each measure `M` the mean over these runs as `M_mean` and, from five
runs on, the ends of its 95 % interval (percentile bootstrap) as `M_low` and `M_high`; sums of the
counts; the worst of the runs' verdicts.

## A sweep's `comparison.csv`

With `--baseline`: for each point and measure that both have the means `before` and `now`, their
`ratio`, from five runs of both on the ends `low` and `high` of its 95 % interval, and the
`verdict`: higher, lower or no difference (the interval holds 1).
";

/// What every column of every file means.
pub(crate) fn data_dictionary() -> String {
    let mut text = format!(
        "# Data dictionary\n\nSchema {SCHEMA}, the value of `schema` in `run.json`: it changes \
         when a column changes its meaning or goes, and not when\none is added. Generated from the \
         structs that write the rows. An empty cell: the value does not apply.\n"
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
        (
            "partitions.csv",
            "What each group did over time.",
            GroupInterval::columns(),
        ),
        (
            "cdf.csv",
            "How latencies are distributed, in steps of half a percent and finer ones at the end.",
            CdfPoint::columns(),
        ),
        (
            "samples.csv",
            "Each command that was measured, with `--samples`.",
            SampleRow::columns(),
        ),
        (
            "peak.csv",
            "The rows of `summary.csv` of each step of `run --peak`, whose folder is in `cells`. \
             Before their columns stand:",
            PeakStep::columns(),
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
    text += SWEEP_FILES;
    text += "\n## `histograms/<strategy>.hlog`\n\nHdrHistogram log, format V2: the latencies \
             of the commands counted in `ok`, in microseconds,\none histogram for each `op`, which \
             is its tag.\n\n## `run.json`\n\nHow the files came about: command line, settings with \
             defaults filled in, version, machine, times, and what was\nnoticed.\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let promised = "run_id,strategy,workload,digest,execution,partitions,replicas,\
            clients,window,rate,durability,seed,op,issued,ok,unsupported,errors,throughput_ops,\
            mean_us,p50_us,p95_us,p99_us,p999_us,max_us,retries,fallbacks,multi_partition_pct,\
            moves,oracle_consults,cache_hits,cache_misses,groups_per_command,messages_per_command,\
            bytes_per_command,cpu_us_per_command,linearizable";
        assert!(names.join(",").starts_with(promised), "{names:?}");
    }
}
