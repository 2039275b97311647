//! Names of groups and replicas as people write them: `p0`, `oracle`, `p0r1`.
//!
//! What is displayed parses back. Formats for people (TOML, JSON) hold this text, as keys of maps
//! too; the binary encoding of [`codec`](crate::codec) holds numbers, one byte each.

use crate::id::{GroupId, PartitionId, ReplicaId};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A text that is no name of a partition, group or replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    text: String,
    expected: &'static str,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, expected } = self;
        write!(f, "{text:?} is not {expected}")
    }
}

impl std::error::Error for ParseIdError {}

/// A number from 0 to 255 as it is displayed: without a sign and without zeros in front.
fn number(digits: &str) -> Option<u8> {
    let number: u8 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

impl FromStr for PartitionId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let number = text.strip_prefix('p').and_then(number);
        let partition = number.filter(|number| *number < u8::MAX).map(Self);
        partition.ok_or_else(|| ParseIdError {
            text: text.to_owned(),
            expected: "a partition: p0 to p254",
        })
    }
}

impl FromStr for GroupId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        if text == "oracle" {
            return Ok(Self::ORACLE);
        }
        let partition = text.parse::<PartitionId>();
        partition.map(Self::from).map_err(|error| ParseIdError {
            expected: "a group: p0 to p254, or oracle",
            ..error
        })
    }
}

impl FromStr for ReplicaId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        // The last one: there is one in "oracle" too.
        let parts = text.rsplit_once('r');
        let replica = parts.and_then(|(group, index)| {
            Some(Self {
                group: group.parse().ok()?,
                index: number(index)?,
            })
        });
        replica.ok_or_else(|| ParseIdError {
            text: text.to_owned(),
            expected: "a replica, such as p0r1 or oracler0",
        })
    }
}

/// Text for people, `$binary` for machines.
macro_rules! serialize_as_text {
    ($id:ty, $binary:ty, |$value:ident| $to:expr, |$read:ident| $from:expr) => {
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    let $value = self;
                    $to.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(D::Error::custom)
                } else {
                    <$binary>::deserialize(deserializer).map(|$read| $from)
                }
            }
        }
    };
}

serialize_as_text!(GroupId, u8, |group| group.index(), |index| {
    // Every byte is a group: a partition, or the oracle.
    if index == GroupId::ORACLE.index() {
        GroupId::ORACLE
    } else {
        PartitionId(index).into()
    }
});

serialize_as_text!(
    ReplicaId,
    (GroupId, u8),
    |replica| (replica.group, replica.index),
    |parts| ReplicaId {
        group: parts.0,
        index: parts.1
    }
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn what_is_displayed_parses() {
        for group in [
            PartitionId(0).into(),
            PartitionId(254).into(),
            GroupId::ORACLE,
        ] {
            assert_eq!(group.to_string().parse(), Ok(group));
            for index in [0, 9, 255] {
                let replica = ReplicaId { group, index };
                assert_eq!(replica.to_string().parse(), Ok(replica));
            }
        }
        assert_eq!("p17".parse(), Ok(PartitionId(17)));
    }

    #[test]
    fn nothing_else_parses() {
        for text in [
            "", "p", "p0", "r0", "p0r", "p0r256", "p255r0", "p00r1", "p+1r1", "oracle",
        ] {
            let error = text.parse::<ReplicaId>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
        assert!("p255".parse::<PartitionId>().is_err());
        assert!("q1".parse::<GroupId>().is_err());
    }

    #[test]
    fn the_binary_encoding_is_one_byte_for_each_number() {
        let group = GroupId::from(PartitionId(3));
        let replica = ReplicaId { group, index: 1 };
        assert_eq!(codec::encode(&replica)[..], [3, 1]);
        assert_eq!(codec::decode(&[3, 1]), Ok(replica));
        assert_eq!(codec::decode(&[255]), Ok(GroupId::ORACLE));
    }
}
