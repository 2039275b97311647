//! How many of the commands create, delete or move besides those of the workload: `--create`,
//! `--delete`, `--move`.

use serde::Serialize;
use ssmr_core::{codec, id};

/// Percentages of all commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Churn {
    pub(crate) create: u32,
    pub(crate) delete: u32,
    pub(crate) relocate: u32,
}

impl Churn {
    /// With the kinds of operations as they are called in the files.
    pub(crate) fn shares(self) -> [(&'static str, u32); 3] {
        [
            ("create", self.create),
            ("delete", self.delete),
            ("move", self.relocate),
        ]
    }

    /// Whether there is nothing to mix in.
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The kinds of operations there are then.
    pub(crate) fn kinds(self, own: &[&'static str]) -> Vec<&'static str> {
        let mut kinds = own.to_vec();
        for (kind, share) in self.shares() {
            if share > 0 && !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    /// The digest of the workload with these.
    pub(crate) fn digest(self, workload: u64) -> u64 {
        match self.is_none() {
            true => workload,
            false => id::digest(&codec::encode(&(workload, self))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_the_workload_has_are_not_doubled_and_digests_tell() {
        let churn = Churn {
            create: 1,
            delete: 0,
            relocate: 1,
        };
        assert_eq!(churn.kinds(&["read", "move"]), ["read", "move", "create"]);
        assert_eq!(Churn::default().kinds(&["read"]), ["read"]);
        assert_eq!(Churn::default().digest(5), 5);
        assert_ne!(churn.digest(5), 5);
    }
}
