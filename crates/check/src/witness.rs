//! The witnessed check: believes the revisions and timestamps in the answers, and verifies that
//! they fit together.
//!
//! 1. Each answer fits its request ([`answers`]).
//! 2. Each object has one line of states, as the revisions found and left say ([`states`]); what
//!    only tells of existence is placed between creates and deletes by final timestamps
//!    ([`existence`]).
//! 3. These orders and real time together have no cycle ([`order`]).
//! 4. Replayed one after the other in such an order, all operations have the outcomes they had
//!    ([`replay`]).
//!
//! 3 and 4 are the definition of linearizability; 1 and 2 find the order, and make it cheap: O(n
//! log n) in all. Timestamps alone are no witness (clocks of groups that never talk drift apart)
//! and are compared for existence only.
//!
//! **Unanswered operations.** One that was attributed counts like an answered one that may take
//! effect at any time after its invocation. Of the others this is checked: a transition that no
//! answered operation made has one that could have made it, each counting once for an object. Where
//! it is the only one that could, and made the only such transition of its kind on that object, it
//! takes part in order and replay, together with what it writes to other objects, seen or not. Left
//! open are: which of several made what, and so the values of the object until it is created anew;
//! the values that such a one wrote if it also read what it is not known to have written; what it
//! creates and deletes elsewhere unseen; existence and values of objects that one of them may have
//! created or deleted, from its invocation on: what was over before, by its own answer or by that
//! of something that it precedes, is judged. [`Summary::unjudged`] counts the answered operations
//! that depend on these.
//!
//! An epoch that changes while the version stays is a move, and needs no operation: the moves that
//! `gather` makes are in no history, and change nothing that a client can see.

mod answers;
mod existence;
mod graph;
mod index;
mod order;
mod replay;
mod states;
pub(crate) mod timelines;
mod unanswered;

use crate::history::History;
use crate::summary::Summary;
use crate::violation::{Violation, ViolationKind};
use graph::Graph;
use index::{Index, Revisions};
use order::OrderEdge;
use ssmr_core::{Application, Micros};
use std::collections::BTreeSet;
use timelines::Timelines;
use unanswered::Suspects;

/// Runs the witnessed check.
pub(crate) fn check<A: Application>(history: &History<A>) -> Result<Summary, Violation> {
    replay_with(history, &mut Timelines::default())
}

/// Runs the witnessed check, and notes what became of the objects that have timelines.
fn replay_with<A: Application>(
    history: &History<A>,
    timelines: &mut Timelines,
) -> Result<Summary, Violation> {
    answers::check(history)?;
    let suspects = Suspects::of(history);
    let mut graph = Graph::new(history.len());
    let index = Index::of(history);
    let revisions = Revisions::of(history);
    let mut ends = unanswered::Ends::new();
    for object in 0..history.objects.values().len() as u32 {
        let places = index.of_object(object);
        existence::check(history, &suspects, object, places, &mut graph)?;
        let line = states::StateLine::of(history, &revisions, object, places)?;
        let end = line.connect(&suspects, &mut graph)?;
        if suspects.of_object(object).is_some() {
            ends.insert(object, end);
        }
    }
    unanswered::settle(history, &suspects, &ends, &mut graph)?;
    let mut intervals: Vec<(Micros, Micros)> = (0..history.len())
        .map(|operation| {
            (
                history.operations[operation].invoked,
                history.answered_at(operation),
            )
        })
        .collect();
    intervals.resize(graph.node_count(), (0, Micros::MAX));
    let order = order::sort(&intervals, &graph.edges)
        .map_err(|cycle| contradiction(history, &graph, &cycle))?;
    let bounds = order::bounds(&intervals, &graph.edges, &order);
    replay::check(history, &suspects, &graph, &order, &bounds, timelines)
}

/// Explains a cycle.
fn contradiction<A: Application>(
    history: &History<A>,
    graph: &Graph,
    cycle: &[OrderEdge],
) -> Violation {
    let name = |node| match graph.as_gap(node) {
        None => format!("#{node}"),
        Some(gap) => {
            let object = history.objects.values()[gap.object as usize];
            let what = if gap.opaque {
                "unanswered operations on"
            } else {
                "moves of"
            };
            format!("({what} {object})")
        }
    };
    let steps = cycle.iter().map(|link| {
        let (from, to) = (name(link.from), name(link.to));
        match link.object {
            Some(object) => {
                let object = history.objects.values()[object as usize];
                format!("{from} takes effect before {to} on {object}")
            }
            None => format!("{from} was answered before {to} was invoked"),
        }
    });
    let explanation = format!("{}: a cycle", steps.collect::<Vec<_>>().join(", "));
    let objects: BTreeSet<u32> = cycle.iter().filter_map(|link| link.object).collect();
    let nodes = cycle
        .iter()
        .map(|link| link.from)
        .filter(|&node| graph.as_gap(node).is_none());
    let objects: Vec<u32> = objects.into_iter().collect();
    Violation::new(history, ViolationKind::Cycle, &objects, nodes, explanation)
}
