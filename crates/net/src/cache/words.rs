//! Words of a command line that are numbers.

use ssmr_core::Micros;
use std::str::FromStr;

/// The longest expiry that is a time from now, in seconds; memcached takes longer ones as dates.
const MONTH: i64 = 30 * 24 * 60 * 60;

/// When an item with this expiry is gone: 0 is never, a negative one at once.
pub(super) fn expires(seconds: i64, now: Micros) -> Option<Micros> {
    match seconds {
        ..=-1 => Some(0),
        1..=MONTH => Some(now + seconds as Micros * 1_000_000),
        _ => None,
    }
}

/// A number, if the word is one.
pub(super) fn parse<T: FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
