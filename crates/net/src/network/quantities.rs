//! Times, bandwidths and shares as people write them in a network's file.
//!
//! What is written here is read here.

use std::time::Duration;

/// The units of bandwidths, in bits a second; the greatest first.
const UNITS: [(&str, u64); 4] = [
    ("gbit", 1_000_000_000),
    ("mbit", 1_000_000),
    ("kbit", 1_000),
    ("bit", 1),
];

/// The longest latency, jitter or time-out.
pub(super) const LONGEST: Duration = Duration::from_secs(10);
/// The least bandwidth: a heartbeat must get through.
const SLOWEST: u64 = 10_000;

/// A time of whole microseconds.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text);
    let time = time.map_err(|_| format!("{text:?} is no time, such as 40ms or 250us"))?;
    match time {
        time if time > LONGEST => Err(format!("{text:?} is longer than 10s")),
        time if time.subsec_nanos() % 1_000 > 0 => {
            Err(format!("{text:?} is no whole number of microseconds"))
        }
        time => Ok(time),
    }
}

/// The text of a time.
pub(super) fn time_text(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

/// Bits a second.
pub(super) fn bandwidth(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no bandwidth, such as 100mbit or 1gbit (a second)");
    let lower = text.to_ascii_lowercase();
    let unit = UNITS.iter().find_map(|(name, bits)| {
        let number = lower.strip_suffix(name)?.trim_end();
        Some((number.to_owned(), *bits))
    });
    let (number, bits) = unit.ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(bits).ok_or_else(wrong)? {
        rate if rate < SLOWEST => Err(format!("{text:?} is less than 10kbit")),
        rate => Ok(rate),
    }
}

/// The text of a bandwidth.
pub(super) fn bandwidth_text(rate: u64) -> String {
    let whole = |(_, bits): &&(&str, u64)| rate.is_multiple_of(*bits);
    let unit = UNITS.iter().find(whole);
    unit.map_or_else(String::new, |(name, bits)| format!("{}{name}", rate / bits))
}

/// A probability, written as a percentage.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').map(str::trim_end);
    let percent = number.and_then(|number| number.parse::<f64>().ok());
    let percent = percent.filter(|percent| percent.is_finite());
    let percent = percent.ok_or_else(|| format!("{text:?} is no share, such as 0.1%"))?;
    match (0.0..=50.0).contains(&percent) {
        true => Ok(percent / 100.0),
        false => Err(format!("{text:?} is not between 0% and 50%")),
    }
}

/// The text of a probability.
pub(super) fn share_text(share: f64) -> String {
    format!("{}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_good_is_read_and_written_again() {
        for (text, micros) in [("40ms", 40_000), ("250us", 250), ("1s 5ms", 1_005_000)] {
            let read = time(text).unwrap();
            assert_eq!(read, Duration::from_micros(micros));
            assert_eq!(time(&time_text(read)), Ok(read));
        }
        for (text, bits, again) in [
            ("1gbit", 1_000_000_000, "1gbit"),
            ("1500 Mbit", 1_500_000_000, "1500mbit"),
            ("10001bit", 10_001, "10001bit"),
        ] {
            assert_eq!(bandwidth(text), Ok(bits));
            assert_eq!(bandwidth_text(bits), again);
        }
        for text in ["0%", "0.01%", "50%", "0.3 %"] {
            let read = share(text).unwrap();
            assert_eq!(share(&share_text(read)), Ok(read), "{text}");
        }
    }

    #[test]
    fn what_is_not_is_refused_with_an_example_or_the_bound() {
        for text in ["", "40", "ms", "-1ms", "11s", "100ns"] {
            assert!(time(text).unwrap_err().contains(&format!("{text:?}")));
        }
        for text in [
            "",
            "1",
            "gbit",
            "-1gbit",
            "1.5gbit",
            "1kbit",
            "99999999999999gbit",
        ] {
            assert!(bandwidth(text).unwrap_err().contains(&format!("{text:?}")));
        }
        for text in ["", "0.1", "%", "-1%", "51%", "NaN%"] {
            assert!(share(text).unwrap_err().contains(&format!("{text:?}")));
        }
    }
}
