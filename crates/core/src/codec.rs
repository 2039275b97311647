//! The one place that knows how values become bytes: bincode 2, fixed-width integers, a hard limit
//! on what is decoded.
//!
//! The limit is not optional: without it ten bytes that claim 2^40 items would abort the process.
//! Bytes left over after a value are an error too, so a frame that decodes was meant as what it
//! decodes to.

use crate::limits::MAX_FRAME;
use bincode::config::{Config, Configuration, Fixint, Limit, LittleEndian, NoLimit};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

const UNLIMITED: Configuration<LittleEndian, Fixint, NoLimit> =
    bincode::config::standard().with_fixed_int_encoding();

const fn within<const LIMIT: usize>() -> Configuration<LittleEndian, Fixint, Limit<LIMIT>> {
    UNLIMITED.with_limit::<LIMIT>()
}

/// Bytes that are not an encoding of what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed bytes: {}", self.0)
    }
}

impl std::error::Error for DecodeError {}

/// A value that cannot be encoded: its `Serialize` implementation fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError(String);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value cannot be encoded: {}", self.0)
    }
}

impl std::error::Error for EncodeError {}

/// Encodes a value.
///
/// # Panics
/// If a `Serialize` implementation of the application fails: derived ones never do.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Bytes {
    try_encode(value).unwrap_or_else(|error| panic!("{error}"))
}

/// Encodes a value whose `Serialize` implementation is not known to be sound.
///
/// # Errors
/// If that implementation fails.
pub fn try_encode<T: Serialize>(value: &T) -> Result<Bytes, EncodeError> {
    let bytes = bincode::serde::encode_to_vec(value, within::<MAX_FRAME>());
    bytes
        .map(Bytes::from)
        .map_err(|error| EncodeError(error.to_string()))
}

/// Decodes a value from all of `bytes`.
///
/// # Errors
/// If the bytes are malformed, incomplete, too many, or claim more than [`MAX_FRAME`] bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    // Room is made for as many bytes as a length claims before these are read. So a few bytes may
    // not claim many more than they are.
    match bytes.len() {
        0..=0x400 => decode_with(bytes, within::<0x400>()),
        0x401..=0x4000 => decode_with(bytes, within::<0x4000>()),
        0x4001..=0x10_0000 => decode_with(bytes, within::<0x10_0000>()),
        _ => decode_with(bytes, within::<MAX_FRAME>()),
    }
}

/// Decodes what a replica of the same cluster has encoded and a checksum has kept: a snapshot. It
/// may be of any size.
///
/// # Errors
/// If the bytes are malformed, incomplete or too many, or are fewer than [`MAX_FRAME`] and claim
/// more.
pub fn decode_own<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    // A checksum that anybody can compute vouches for no length.
    if bytes.len() <= MAX_FRAME {
        return decode(bytes);
    }
    decode_with(bytes, UNLIMITED)
}

fn decode_with<T: DeserializeOwned>(bytes: &[u8], config: impl Config) -> Result<T, DecodeError> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, config)
        .map_err(|error| DecodeError(error.to_string()))?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(DecodeError(format!(
            "{} bytes are left over",
            bytes.len() - used
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let value = (
            7u64,
            Bytes::from_static(b"seven"),
            vec![(1u8, String::from("one"))],
        );
        assert_eq!(decode(&encode(&value)), Ok(value));
    }

    #[test]
    fn a_value_that_refuses_to_be_encoded_is_an_error() {
        struct Shy;
        impl Serialize for Shy {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }
        let error = try_encode(&Shy).unwrap_err().to_string();
        assert!(error.contains("not today"), "{error}");
    }

    #[test]
    fn hostile_lengths_and_left_over_bytes_are_refused() {
        let claims_too_much = encode(&(1u64 << 40));
        assert!(decode::<Vec<u64>>(&claims_too_much).is_err());
        assert!(decode::<Bytes>(&claims_too_much).is_err());
        assert!(decode_own::<Vec<u64>>(&claims_too_much).is_err());
        assert!(decode_own::<Bytes>(&encode(&u64::MAX)).is_err());
        assert!(decode_own::<String>(&claims_too_much).is_err());
        assert!(decode::<u8>(&[1, 2]).is_err());
        assert!(decode::<u64>(&[1, 2]).is_err());
    }
}
