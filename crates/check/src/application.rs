//! The check of a service by itself, without any cluster: does it keep the rules of
//! [`Application`]?
//!
//! Each operation runs several times on values made from numbers, as different partitions would run
//! it. It finds only what these operations and values show, and does not catch panics.

mod fault;
mod trial;

pub use fault::{ApplicationFault, Effect, EncodedPart};

use ssmr_core::{Application, ObjectId};
use trial::Trial;

/// On how many sets of values each operation runs.
const ROUNDS: usize = 8;

/// What [`check_application`] looked at, to show that it was not vacuous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplicationSummary {
    /// Operations that the caller supplied.
    pub operations: usize,
    /// How often operations ran.
    pub runs: usize,
    /// Operations that write an object which they do not read.
    pub with_unread: usize,
    /// Operations that changed something in at least one run.
    pub with_changes: usize,
}

/// Checks that a service keeps the rules of [`Application`], on these operations.
///
/// `value` makes a value for an object from a number. It must be a pure function whose values vary
/// with the number: what does not vary cannot show a dependency. Values need not be likely.
///
/// ```
/// use ssmr_check::{ApplicationFault, Effect, check_application};
/// use ssmr_core::{Access, Application, ObjectId, Objects};
///
/// /// Counters that one sets without reading them; still, each tells the old number.
/// struct Counters;
///
/// impl Application for Counters {
///     const NAME: &'static str = "counters";
///     type Object = u64;
///     type Op = (ObjectId, u64);
///     type Reply = u64;
///
///     fn access(&(counter, _): &Self::Op) -> Access {
///         Access { reads: vec![], writes: vec![counter] }
///     }
///
///     fn execute(&(counter, new): &Self::Op, objects: &mut Objects<u64>) -> u64 {
///         let mut old = 0;
///         objects.update(counter, |value| old = std::mem::replace(value, new));
///         old
///     }
/// }
///
/// let counter = ObjectId::from("visits");
/// let fault = check_application::<Counters>([(counter, 7)], |_, number| number).unwrap_err();
/// let ApplicationFault::DependsOnUnread { object, effect, .. } = &fault else {
///     panic!("{fault}")
/// };
/// assert_eq!((*object, *effect), (counter, Effect::Reply));
/// ```
///
/// # Errors
/// The first fault found.
pub fn check_application<A: Application>(
    operations: impl IntoIterator<Item = A::Op>,
    mut value: impl FnMut(ObjectId, u64) -> A::Object,
) -> Result<ApplicationSummary, ApplicationFault> {
    let mut summary = ApplicationSummary::default();
    let mut number = 0;
    // No number is used twice, so that values vary over operations, too.
    let mut make = |object| {
        number += 1;
        value(object, number)
    };
    for op in operations {
        let mut trial = Trial::<A>::new(&op)?;
        let mut changed = false;
        for _ in 0..ROUNDS {
            changed |= trial.round(&mut make)?;
        }
        summary.operations += 1;
        summary.runs += trial.run_count();
        summary.with_unread += usize::from(trial.has_unread());
        summary.with_changes += usize::from(changed);
    }
    Ok(summary)
}
