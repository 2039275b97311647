//! `histograms/STRATEGY.hlog`: the latencies of one strategy, by kind of operation.

use crate::error::ReadError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use std::fs;
use std::path::Path;

/// The latencies in microseconds of commands of one kind; several histograms of it are one.
/// Nothing if the file has none of that kind.
///
/// # Errors
/// If the file cannot be read or is no log of histograms.
pub(crate) fn read(path: &Path, op: &str) -> Result<Option<Histogram<u64>>, ReadError> {
    let bad = ReadError::from_cause(path);
    let bytes = fs::read(path).map_err(|error| bad(&error))?;
    let mut decoder = Deserializer::new();
    let mut all: Option<Histogram<u64>> = None;
    for entry in IntervalLogIterator::new(&bytes) {
        let entry = entry
            .map_err(|error| ReadError::new(path, format!("is no log of histograms: {error:?}")))?;
        let LogEntry::Interval(interval) = entry else {
            continue;
        };
        if interval.tag().is_none_or(|tag| tag.as_str() != op) {
            continue;
        }
        let encoded = STANDARD.decode(interval.encoded_histogram());
        let encoded = encoded.map_err(|error| bad(&error))?;
        let histogram: Histogram<u64> = decoder
            .deserialize(&mut &encoded[..])
            .map_err(|error| bad(&error))?;
        match &mut all {
            Some(all) => all.add(&histogram).map_err(|error| bad(&error))?,
            None => all = Some(histogram),
        }
    }
    Ok(all)
}
