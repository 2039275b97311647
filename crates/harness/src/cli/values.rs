//! Values of flags, and what makes them bad.

use crate::registry::check::ALL;
use crate::registry::info::StrategyInfo;
use crate::settings::history::HistoryFile;
use crate::settings::memcached::Memcached;
use crate::time;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

/// An odd number of replicas.
pub(super) fn odd(text: &str) -> Result<u8, String> {
    match text.parse::<u8>() {
        Ok(count) if count % 2 == 1 => Ok(count),
        Ok(_) => {
            Err("an even number tolerates no more failures than one fewer: give an odd one".into())
        }
        Err(_) => Err("expected an odd number from 1 to 255".into()),
    }
}

/// Enough bytes of log for a snapshot to be worth it.
pub(super) fn log_bytes(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(bytes) if bytes >= 1_000 => Ok(bytes),
        Ok(_) => Err("a snapshot after less than 1,000 bytes of log is larger than the log".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// A time that is longer than 0.
pub(super) fn positive_time(text: &str) -> Result<Duration, String> {
    match time::length(text)? {
        time if time.is_zero() => Err("must be longer than 0".into()),
        time => Ok(time),
    }
}

/// A time that machines can be made to take for a command.
pub(super) fn service_time(text: &str) -> Result<Duration, String> {
    match time::length(text)? {
        time if time < Duration::from_micros(10) => Err("must not be shorter than 10us".into()),
        time if time > Duration::from_secs(1) => Err("must not be longer than 1s".into()),
        time => Ok(time),
    }
}

/// A file for histories.
pub(super) fn history_file(text: &str) -> Result<HistoryFile, String> {
    let file = HistoryFile::named(text.into());
    file.ok_or_else(|| "expected a file that ends in .jsonl or .edn".into())
}

/// What begins the number of memcached servers that are to be started.
const LOCAL: &str = "local:";

/// The most of them.
const MOST_LOCAL: u8 = 64;

/// How much each of them may keep, in MiB. memcached takes no less: half of it must hold an item.
const MEGABYTES: RangeInclusive<u32> = 2..=1 << 20;

/// Servers that run, or how many are to be started.
pub(super) fn memcached(text: &str) -> Result<Memcached, String> {
    if let Some(local) = text.strip_prefix(LOCAL) {
        return local_servers(local).ok_or_else(|| {
            let (least, most) = (MEGABYTES.start(), MEGABYTES.end());
            format!(
                "expected {LOCAL}N or {LOCAL}N:SIZE, N from 1 to {MOST_LOCAL}, SIZE from \
                 {least}MiB to {most}MiB"
            )
        });
    }
    let servers: Result<Vec<String>, String> = text.split(',').map(host_and_port).collect();
    servers.map(Memcached::Servers)
}

/// `3` or `3:16MiB`.
fn local_servers(text: &str) -> Option<Memcached> {
    let (count, megabytes) = match text.split_once(':') {
        Some((count, size)) => (count, size.strip_suffix("MiB")?.parse().ok()?),
        None => (text, Memcached::MEGABYTES),
    };
    let count = count.parse().ok()?;
    let is_good = (1..=MOST_LOCAL).contains(&count) && MEGABYTES.contains(&megabytes);
    is_good.then_some(Memcached::Local { count, megabytes })
}

/// Where a server listens.
fn host_and_port(text: &str) -> Result<String, String> {
    let good =
        |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0);
    if text.rsplit_once(':').is_some_and(good) && !text.starts_with(LOCAL) {
        Ok(text.into())
    } else {
        Err("expected HOST:PORT, several separated by commas, or local:N".into())
    }
}

/// A range of seeds that is not empty.
pub(super) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (first, end) = text
        .split_once("..")
        .ok_or("expected A..B, such as 0..100")?;
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|error| format!("'{text}': {error}"))
    };
    let range = number(first)?..number(end)?;
    if range.is_empty() {
        Err(format!("{text} is empty"))
    } else {
        Ok(range)
    }
}

/// The strategies that were asked for, each once, in the order of registration.
pub(super) fn chosen(asked: &[String], registered: &[StrategyInfo]) -> Vec<StrategyInfo> {
    let is_asked = |info: &&StrategyInfo| asked.iter().any(|a| a == ALL || a == info.name);
    registered.iter().filter(is_asked).copied().collect()
}
