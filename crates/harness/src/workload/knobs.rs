//! What can be turned at more than one workload: one set of flags, which each workload takes as far
//! as it makes sense there.
//!
//! Invariant: a knob that was turned has an effect, or the run is refused.

use super::churn::Churn;
use super::popularity::Popularity;
use super::value_size::ValueSize;
use crate::error::UsageError;
use serde::Serialize;
use ssmr_core::Execution;

/// The shared flags as they were given; what was not given is the workload's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, clap::Args, Serialize)]
#[command(next_help_heading = "Several workloads (docs/workloads.md says which)")]
pub struct Knobs {
    /// How often each object is chosen: `uniform`, `zipf[:EXPONENT]` (few objects most of the
    /// time), `latest` (those created last), or `hotspot[:KEYS%:OPS%]` (some objects get a share of
    /// the commands)
    #[arg(long, value_name = "HOW")]
    pub popularity: Option<Popularity>,

    /// Size of what commands write, in bytes: `N`, `uniform:A-B`, `zipf:MAX`, or
    /// `lognormal:MEDIAN:SIGMA[:MAX]`
    #[arg(long, value_name = "SIZE")]
    pub value_size: Option<ValueSize>,

    /// Have accesses to several objects touch exactly so many partitions: every object is created
    /// at the home of its attribute, whatever the strategy, and stays there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub multi_partitions: Option<u8>,

    /// Percentage of creates; of kv 5 if not given. Other workloads have the like of what they
    /// load created besides their own commands
    #[arg(long, value_name = "%", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub create: Option<u32>,

    /// Percentage of deletes; of kv 5 if not given. Other workloads have deleted what --create has
    /// created
    #[arg(long, value_name = "%", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub delete: Option<u32>,

    /// Percentage of moves to another partition; of kv 5 if not given. Other workloads have moved
    /// what they load
    #[arg(long = "move", value_name = "%", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub relocate: Option<u32>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    /// [`Knobs::popularity`]
    Popularity,
    /// [`Knobs::value_size`]
    ValueSize,
    /// [`Knobs::multi_partitions`]
    MultiPartitions,
    /// [`Knobs::create`], [`Knobs::delete`] and [`Knobs::relocate`]. A workload that does not take
    /// them by itself has them mixed in.
    Churn,
}

impl Knob {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [
        Self::Popularity,
        Self::ValueSize,
        Self::MultiPartitions,
        Self::Churn,
    ];

    /// How it is written on the command line.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Popularity => "--popularity",
            Self::ValueSize => "--value-size",
            Self::MultiPartitions => "--multi-partitions",
            Self::Churn => "--create, --delete, --move",
        }
    }
}

impl Knobs {
    /// Checks that a workload takes what was given, and that it can have an effect.
    ///
    /// # Errors
    /// With the first flag that it does not take, or with one that the execution contradicts.
    pub(crate) fn check(
        &self,
        workload: &str,
        taken: &[Knob],
        execution: Execution,
    ) -> Result<(), UsageError> {
        let is_given = |knob: &Knob| match knob {
            Knob::Popularity => self.popularity.is_some(),
            Knob::ValueSize => self.value_size.is_some(),
            Knob::MultiPartitions => self.multi_partitions.is_some(),
            // It is mixed in.
            Knob::Churn => false,
        };
        let ignored = Knob::ALL.into_iter().filter(is_given);
        let mut ignored = ignored.filter(|knob| !taken.contains(knob));
        if let Some(knob) = ignored.next() {
            let problem = format!("workload {workload} does not take it");
            return Err(UsageError::new(knob.flag(), problem));
        }
        if self.multi_partitions.is_some() && execution == Execution::Gather {
            let problem = "--execution gather moves objects, which are then anywhere";
            return Err(UsageError::new(Knob::MultiPartitions.flag(), problem));
        }
        let churn = self.churn(taken);
        if churn.delete > churn.create {
            let problem = "only what was created besides is deleted: at most as many as --create";
            return Err(UsageError::new("--delete", problem));
        }
        if churn.create + churn.delete + churn.relocate > 100 {
            let problem = "are more than 100 % together";
            return Err(UsageError::new(Knob::Churn.flag(), problem));
        }
        if churn.relocate > 0 && self.multi_partitions.is_some() {
            let problem = "objects that move are anywhere (see --multi-partitions)";
            return Err(UsageError::new("--move", problem));
        }
        Ok(())
    }

    /// What is to be mixed in, with a workload that takes these.
    pub(crate) fn churn(&self, taken: &[Knob]) -> Churn {
        if taken.contains(&Knob::Churn) {
            return Churn::default();
        }
        Churn {
            create: self.create.unwrap_or(0),
            delete: self.delete.unwrap_or(0),
            relocate: self.relocate.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_workload_does_not_take_is_refused_with_both_names() {
        let knobs = Knobs {
            popularity: Some(Popularity::Latest),
            ..Knobs::default()
        };
        let exchange = Execution::Exchange;
        assert!(knobs.check("kv", &[Knob::Popularity], exchange).is_ok());
        assert!(Knobs::default().check("append", &[], exchange).is_ok());
        let error = knobs.check("append", &[Knob::ValueSize], exchange);
        let told = error.unwrap_err().to_string();
        assert_eq!(told, "--popularity: workload append does not take it");
        let partitions = Knobs {
            multi_partitions: Some(2),
            ..Knobs::default()
        };
        assert!(partitions.check("kv", &Knob::ALL, exchange).is_ok());
        assert!(
            partitions
                .check("kv", &Knob::ALL, Execution::Gather)
                .is_err()
        );
    }
}
