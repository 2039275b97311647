//! Which run of a cluster it is: runs of different numbers name different objects, so that they
//! can share a cluster, at the same time or one after the other.
//!
//! ```text
//!   key of an object      bit 63                           | 62 .. 48   | 47 .. 0
//!                         created besides (`load/churn.rs`)  run number   which object of the run
//! ```
//!
//! The static attribute stays what it is: it decides where an object is at home. Invariant: the
//! number has 15 bits, and is in no command's digest, for the commands are the same.

use serde::{Deserialize, Serialize};
use ssmr_core::ObjectId;
use std::fmt;

/// The lowest bit of the number within a key.
const LOWEST: u32 = 48;

/// The number of a run, from 0 to [`RunNumber::LAST`]. With 0, the default, objects are called
/// what they are without one.
///
/// A workload puts it into every object that it names, with [`RunNumber::object`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u16", into = "u16")]
pub struct RunNumber(u16);

impl RunNumber {
    /// The default: names are what they are without a number.
    pub const ZERO: Self = Self(0);

    /// The greatest number there is: 32,767.
    pub const LAST: Self = Self((1 << 15) - 1);

    /// The object that this run has for one of the same attribute and key in run 0.
    ///
    /// Different objects of run 0 are different ones in each run, and those of different runs are
    /// different if keys are below 2^48, but for the highest bit. Greater keys that are hashes meet
    /// those of another run as seldom as hashes meet. Applied to an object of this run, it gives
    /// that of run 0.
    #[must_use]
    pub const fn object(self, attribute: u64, key: u64) -> ObjectId {
        ObjectId::new(attribute, key ^ (self.0 as u64) << LOWEST)
    }

    /// The number of a run that others may have come before, by a random number: any but 0.
    pub(crate) const fn drawn(random: u64) -> Self {
        Self(1 + (random % Self::LAST.0 as u64) as u16)
    }

    /// Whether it is the default.
    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

/// A number that no run can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRunNumber(u16);

impl fmt::Display for NoRunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RunNumber(last) = RunNumber::LAST;
        write!(f, "there is no run {}: the last one is {last}", self.0)
    }
}

impl std::error::Error for NoRunNumber {}

impl TryFrom<u16> for RunNumber {
    type Error = NoRunNumber;

    fn try_from(number: u16) -> Result<Self, NoRunNumber> {
        match Self(number) {
            run if run <= Self::LAST => Ok(run),
            _ => Err(NoRunNumber(number)),
        }
    }
}

impl From<RunNumber> for u16 {
    fn from(run: RunNumber) -> u16 {
        run.0
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::codec;

    #[test]
    fn a_number_is_in_bits_48_to_62_of_keys_and_nowhere_else() {
        let key = 1 << 63 | ((1 << 48) - 1);
        let object = RunNumber::LAST.object(7, key);
        assert_eq!(object, ObjectId::new(7, u64::MAX));
        assert_eq!(RunNumber::LAST.object(7, object.key).key, key, "and back");
        assert_eq!(RunNumber::default().object(7, key), ObjectId::new(7, key));
        let one = RunNumber::try_from(1).unwrap();
        assert_eq!(one.object(7, 5).key, 1 << 48 | 5);
        let last = u64::from(u16::from(RunNumber::LAST));
        let drawn = [0, last - 1, last, u64::MAX].map(RunNumber::drawn);
        assert_eq!(drawn[..3], [one, RunNumber::LAST, one]);
        assert!(!drawn[3].is_zero());
    }

    #[test]
    fn greater_numbers_are_refused_whoever_brings_them() {
        assert_eq!(RunNumber::try_from(32_767), Ok(RunNumber::LAST));
        let told = RunNumber::try_from(32_768).unwrap_err().to_string();
        assert_eq!(told, "there is no run 32768: the last one is 32767");
        assert!(codec::decode::<RunNumber>(&codec::encode(&32_767_u16)).is_ok());
        assert!(codec::decode::<RunNumber>(&codec::encode(&32_768_u16)).is_err());
    }
}
