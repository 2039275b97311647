//! A page of metrics in Prometheus's text format: families with their samples.
//!
//! Every family is on every page, with or without samples.

use crate::histogram::Histogram;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Where families are written.
pub(super) struct Page<'a> {
    pub(super) encoder: DescriptorEncoder<'a>,
}

/// What tells the samples of a family apart.
pub(super) type Labels = Vec<(&'static str, String)>;

/// A family: its name without prefix, unit and `_total`, and what it is.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) unit: Option<Base>,
    pub(super) help: &'static str,
}

/// A base unit.
#[derive(Clone, Copy)]
pub(super) enum Base {
    Seconds,
    Bytes,
}

impl Family {
    fn unit(self) -> Option<Unit> {
        self.unit.map(|unit| match unit {
            Base::Seconds => Unit::Seconds,
            Base::Bytes => Unit::Bytes,
        })
    }
}

/// Only one sample: nothing tells it apart.
pub(super) fn alone<T>(value: T) -> [(Labels, T); 1] {
    [(Labels::new(), value)]
}

impl Page<'_> {
    /// A family of counters.
    pub(super) fn counters(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let samples = samples.into_iter();
        let samples = samples.map(|(labels, value)| (labels, ConstCounter::new(value)));
        self.write(family, MetricType::Counter, samples)
    }

    /// A family of gauges.
    pub(super) fn gauges(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let samples = samples.into_iter();
        let samples = samples.map(|(labels, value)| (labels, ConstGauge::new(value)));
        self.write(family, MetricType::Gauge, samples)
    }

    /// A family of histograms of durations.
    pub(super) fn histograms(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Labels, Histogram)>,
    ) -> fmt::Result {
        let unit = family.unit();
        let (name, help) = (family.name, family.help);
        let kind = MetricType::Histogram;
        let encoder = &mut self.encoder;
        let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, histogram) in samples {
            let bound = |bound: Option<u64>| bound.map_or(f64::INFINITY, seconds);
            let buckets = histogram.buckets();
            let buckets: Vec<_> = buckets.map(|(top, count)| (bound(top), count)).collect();
            let (sum, count) = (seconds(histogram.sum_us()), histogram.count());
            let mut sample = family.encode_family(&labels)?;
            sample.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        family: Family,
        kind: MetricType,
        samples: impl Iterator<Item = (Labels, impl EncodeMetric)>,
    ) -> fmt::Result {
        let unit = family.unit();
        let (name, help) = (family.name, family.help);
        let encoder = &mut self.encoder;
        let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for (labels, value) in samples {
            value.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// Microseconds in the base unit.
pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// A family without a unit.
pub(super) fn plain(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        unit: None,
        help,
    }
}

/// A family in bytes.
pub(super) fn in_bytes(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        unit: Some(Base::Bytes),
        help,
    }
}

/// A family in seconds.
pub(super) fn in_seconds(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        unit: Some(Base::Seconds),
        help,
    }
}

/// One label.
pub(super) fn label(name: &'static str, value: &dyn fmt::Display) -> Labels {
    vec![(name, value.to_string())]
}

/// Counts as samples.
pub(super) fn by<const N: usize>(
    name: &'static str,
    counts: [(&str, u64); N],
) -> [(Labels, f64); N] {
    counts.map(|(value, count)| (label(name, &value), count as f64))
}

/// 1 for true.
pub(super) fn truth(is: bool) -> f64 {
    f64::from(u8::from(is))
}
