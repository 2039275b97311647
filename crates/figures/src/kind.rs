//! The kinds of figures, and what is chosen about them.

/// A kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Throughput against latency, along a sweep of clients, window or rate.
    ThroughputLatency,
    /// The search for the highest throughput, with latencies below it.
    Peak,
    /// Throughput along a sweep of numbers.
    Scaling,
    /// Bars of throughput and latency: of the strategies of a run, or of a sweep of names.
    Bars,
    /// The share of commands that took at most so long.
    Cdf,
    /// Throughput and latency over time, with what was broken on purpose.
    Timeline,
    /// What each group did over time.
    Partitions,
    /// Where the time of a command goes.
    Breakdown,
    /// How many questions to an oracle a command takes, over time.
    Consults,
    /// What a shared cache buys: the share of values found in it against latency and traffic.
    Hits,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ThroughputLatency,
        Self::Peak,
        Self::Scaling,
        Self::Bars,
        Self::Cdf,
        Self::Timeline,
        Self::Partitions,
        Self::Breakdown,
        Self::Consults,
        Self::Hits,
    ];

    /// Its name, which begins the names of its files.
    pub fn name(self) -> &'static str {
        match self {
            Self::ThroughputLatency => "throughput-latency",
            Self::Peak => "peak",
            Self::Scaling => "scaling",
            Self::Bars => "bars",
            Self::Cdf => "cdf",
            Self::Timeline => "timeline",
            Self::Partitions => "partitions",
            Self::Breakdown => "breakdown",
            Self::Consults => "consults",
            Self::Hits => "hits",
        }
    }
}

/// Which latency is drawn where one stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// The median.
    P50,
    /// The 99th percentile.
    P99,
}

impl Latency {
    /// Both.
    pub const ALL: [Self; 2] = [Self::P50, Self::P99];

    /// As on the command line and in names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P99 => "p99",
        }
    }

    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::P50 => crate::read::summary::P50,
            Self::P99 => crate::read::summary::P99,
        }
    }
}

/// What to draw.
#[derive(Clone, Debug)]
pub struct Choice {
    /// These kinds; if none is named, those that the folder has the data for.
    pub kinds: Vec<Kind>,
    /// The kind of operation; `all` for all together.
    pub op: String,
    /// Which latency.
    pub latency: Latency,
}

impl Choice {
    /// The parts of a file's name that say what was chosen.
    pub(crate) fn parts(&self) -> [&str; 2] {
        let op = if self.op == ALL { "" } else { &self.op };
        let latency = match self.latency {
            Latency::P50 => "",
            Latency::P99 => "p99",
        };
        [op, latency]
    }

    /// The operation, as it is told above a figure; empty for all.
    pub(crate) fn about(&self) -> String {
        match &self.op[..] {
            ALL => String::new(),
            op => format!("{op} only"),
        }
    }
}

/// The word for all kinds of operations together.
pub(crate) const ALL: &str = "all";
