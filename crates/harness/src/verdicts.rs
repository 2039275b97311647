//! The answers of a run: the verdict on the history, whether replicas agree, how the cluster is,
//! and whether what the workload promises of its objects holds at the end.
//!
//! None follows from another. That a replica crashed is no violation; that a history is
//! linearizable says nothing of a follower that went astray. Invariant: whatever is not as it
//! should be is said in one plain sentence.

use crate::check::{Counts, Judgement};
use crate::ending::Ending;
use crate::health::{Health, Inspection};
use ssmr_check::StaleSummary;

/// What a run found out about one strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdicts {
    pub(crate) history: Judgement,
    pub(crate) cluster: Inspection,
    pub(crate) invariants: Consistency,
    /// What the shared cache answered alone, if it was allowed to.
    pub(crate) stale: Option<StaleSummary>,
}

/// Whether what must hold of all objects together does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// Nothing must, or not yet: what is there was not loaded completely.
    NotAsked,
    /// It does.
    Holds,
    /// It does not: one sentence each.
    Violated(Vec<String>),
    /// Not all objects could be read.
    Unchecked,
}

impl Consistency {
    /// What an audit found broken; `None` if not every object could be read.
    pub(crate) fn of(broken: Option<Vec<String>>) -> Self {
        match broken {
            None => Self::Unchecked,
            Some(broken) if broken.is_empty() => Self::Holds,
            Some(broken) => Self::Violated(broken),
        }
    }

    /// The word for it in the files, if there is something to say.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::NotAsked => None,
            Self::Holds => Some("ok"),
            Self::Violated(_) => Some("violated"),
            Self::Unchecked => Some("unchecked"),
        }
    }
}

/// How many violations of one kind are told.
const TOLD: usize = 10;

impl Verdicts {
    /// Whether replicas agree: the word for it in the files, if it can be said.
    pub(crate) fn replicas_agree(&self) -> Option<&'static str> {
        let word = |agree| if agree { "yes" } else { "no" };
        self.cluster.agree().map(word)
    }

    /// Whether all that the shared cache answered alone was true once: the word for it in the
    /// files.
    pub(crate) fn stale_values(&self) -> Option<&'static str> {
        self.stale
            .as_ref()
            .map(|stale| match &stale.never_held[..] {
                [_, ..] => "violated",
                [] if stale.unjudged * 100 > stale.judged.len() + stale.unjudged => "unchecked",
                [] => "ok",
            })
    }

    /// How a run with these verdicts ends.
    pub(crate) fn ending(&self) -> Ending {
        let consistent = self.invariants.name().is_none_or(|name| name == "ok");
        let consistent = consistent && self.stale_values().is_none_or(|word| word == "ok");
        let passed =
            self.history.name() == "ok" && self.cluster.agree() != Some(false) && consistent;
        match self.cluster.health {
            Health::Healthy if passed => Ending::Good,
            Health::Degraded if passed => Ending::Degraded,
            _ => Ending::Wrong,
        }
    }

    /// What is wrong, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match &self.history {
            Judgement::Violated(violation) => problems.push(format!("VIOLATION: {violation}")),
            Judgement::Passed(counts) if !counts.suffice() => {
                let why = counts.shortfall().unwrap_or_default();
                problems.push(format!("the history is unchecked: {why}"));
            }
            Judgement::Passed(_) => {}
        }
        let divergence = self.cluster.divergence;
        problems.extend(divergence.map(|divergence| format!("VIOLATION: {divergence}")));
        match &self.invariants {
            Consistency::NotAsked | Consistency::Holds => {}
            Consistency::Violated(broken) => {
                let told = broken.iter().take(TOLD);
                problems.extend(told.map(|broken| format!("VIOLATION: {broken}")));
                let others = broken.len().saturating_sub(TOLD);
                problems.extend((others > 0).then(|| format!("{others} more do not hold")));
            }
            Consistency::Unchecked => {
                let told = "what must hold of all objects is unchecked: not all could be read";
                problems.push(told.into());
            }
        }
        if let Some(stale) = &self.stale {
            let told = stale.never_held.iter().take(TOLD);
            problems.extend(told.map(|never| format!("VIOLATION: {never}")));
            let others = stale.never_held.len().saturating_sub(TOLD);
            problems.extend((others > 0).then(|| format!("{others} more were never true")));
            if self.stale_values() == Some("unchecked") {
                let unjudged = stale.unjudged;
                problems.push(format!("{unjudged} stale reads could not be judged"));
            }
        }
        if self.cluster.health != Health::Healthy {
            let (health, absent) = (self.cluster.health.name(), self.cluster.absent.join(", "));
            problems.push(format!("the cluster is {health}: {absent}"));
        }
        problems
    }

    /// What is to be known with verdicts that are good.
    pub(crate) fn notes(&self) -> Vec<String> {
        let counts = self.history.counts().filter(Counts::suffice);
        let shortfall = counts.and_then(|counts| counts.shortfall());
        let groups = &self.cluster.uncompared;
        let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let uncompared = (!names.is_empty()).then(|| {
            let names = names.join(", ");
            format!("no two replicas of {names} could be compared at the same entry")
        });
        let holds = (self.invariants == Consistency::Holds)
            .then(|| "what must hold of all objects together does".to_owned());
        (shortfall.into_iter().chain(uncompared).chain(holds)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(unanswered: usize, health: Health) -> Verdicts {
        let counts = Counts {
            judged: 1_000,
            unanswered,
            dependent: 0,
        };
        let absent = (health != Health::Healthy).then(|| "p0r1 does not run".to_owned());
        Verdicts {
            history: Judgement::Passed(counts),
            cluster: Inspection {
                health,
                absent: absent.into_iter().collect(),
                divergence: None,
                uncompared: Vec::new(),
                compared: true,
            },
            invariants: Consistency::NotAsked,
            stale: None,
        }
    }

    #[test]
    fn a_crash_is_not_a_violation() {
        let degraded = verdicts(0, Health::Degraded);
        assert_eq!(degraded.ending(), Ending::Degraded);
        assert_eq!(degraded.history.name(), "ok");
        assert_eq!(degraded.replicas_agree(), Some("yes"));
        let told = degraded.problems();
        assert_eq!(told, ["the cluster is degraded: p0r1 does not run"]);
        assert_eq!(verdicts(0, Health::Lost).ending(), Ending::Wrong);
    }

    #[test]
    fn what_is_little_is_noted_and_what_is_much_is_a_problem() {
        let good = verdicts(1, Health::Healthy);
        assert_eq!(good.ending(), Ending::Good);
        assert!(good.problems().is_empty());
        assert!(good.notes()[0].starts_with("1 of 1,001 operations"));
        let bad = verdicts(20, Health::Healthy);
        assert_eq!(bad.ending(), Ending::Wrong);
        assert!(bad.problems()[0].starts_with("the history is unchecked: 20 of 1,020"));
        assert!(bad.notes().is_empty());
        assert!(verdicts(0, Health::Healthy).notes().is_empty());
    }

    #[test]
    fn what_does_not_hold_is_told_and_is_wrong() {
        let with = |invariants| Verdicts {
            invariants,
            ..verdicts(0, Health::Healthy)
        };
        assert_eq!(with(Consistency::Holds).ending(), Ending::Good);
        assert!(with(Consistency::Holds).problems().is_empty());
        assert_eq!(with(Consistency::Unchecked).ending(), Ending::Wrong);
        let broken = with(Consistency::Violated(vec!["x".into(); 12]));
        assert_eq!(broken.ending(), Ending::Wrong);
        let told = broken.problems();
        assert_eq!((told.len(), &told[0][..]), (11, "VIOLATION: x"));
        assert_eq!(told[10], "2 more do not hold");
    }
}
