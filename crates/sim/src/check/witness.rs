//! The witnessed check: believes the revisions and timestamps in the answers, and verifies that they fit together.
//!
//! 1. Each answer fits its request ([`answers`]).
//! 2. Each object has one line of states, as the revisions found and left say ([`states`]); what only tells of existence
//!    is placed between creates and deletes by final timestamps ([`existence`]).
//! 3. These orders and real time together have no cycle ([`order`]).
//! 4. Replayed one after the other in such an order, all operations have the outcomes they had ([`replay`]).
//!
//! 3 and 4 are the definition of linearizability; 1 and 2 find the order, and make it cheap: O(n log n) in all.
//! Timestamps alone are no witness (clocks of groups that never talk drift apart) and are compared for existence only.
//!
//! **Unanswered operations.** One that was attributed counts like an answered one that may take effect at any time
//! after its invocation. Of the others this is checked: a transition that no answered operation made has one that could
//! have made it, each counting once for an object. Where it is the only one that could, and made the only such
//! transition of its kind on that object, it takes part in order and replay, together with what it writes to other
//! objects, seen or not. Left open are: which of several made what, and so the values of the object until it is created
//! anew; the values that such a one wrote if it also read what it is not known to have written; what it creates and
//! deletes elsewhere unseen; existence and values of objects that one of them may have created or deleted.
//! [`Summary::unjudged`] counts the answered operations that depend on these.
//!
//! An epoch that changes while the version stays is a move, and needs no operation: the moves that `gather` makes are in
//! no history, and change nothing that a client can see.

mod answers;
mod existence;
mod order;
mod replay;
mod states;
mod unanswered;

use super::Summary;
use super::violation::{Fault, Violation};
use crate::history::{History, Seen};
use order::{Edge, OrderEdge};
use ssmr_core::{Application, Micros, Revision};
use std::collections::BTreeSet;
use unanswered::Suspects;

/// Runs the witnessed check.
pub(super) fn check<A: Application>(history: &History<A>) -> Result<Summary, Violation> {
    answers::check(history)?;
    let suspects = Suspects::of(history);
    let mut graph = Graph::new(history.len());
    let index = Index::of(history);
    let revisions = Revisions::of(history);
    let mut ends = unanswered::Ends::new();
    for object in 0..history.objects.things().len() as u32 {
        let places = index.of_object(object);
        existence::check(history, &suspects, object, places, &mut graph)?;
        let line = states::Line::of(history, &revisions, object, places)?;
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
    replay::check(history, &suspects, &graph, &order)
}

/// Operations, numbered as in the history, the gaps between states that none of them explains, and what precedes what.
struct Graph {
    operation_count: usize,
    gaps: Vec<Gap>,
    edges: Vec<Edge>,
    /// Unanswered operations that must have taken effect on an object, and are placed in its order.
    pinned: BTreeSet<(u32, u32)>,
}

/// Something unseen happened to an object.
struct Gap {
    object: u32,
    /// Its value or existence changed; else it only moved.
    opaque: bool,
}

impl Graph {
    fn new(operation_count: usize) -> Self {
        let (gaps, edges, pinned) = Default::default();
        Self {
            operation_count,
            gaps,
            edges,
            pinned,
        }
    }

    fn node_count(&self) -> usize {
        self.operation_count + self.gaps.len()
    }

    fn gap(&mut self, object: u32, opaque: bool) -> u32 {
        self.gaps.push(Gap { object, opaque });
        self.node_count() as u32 - 1
    }

    fn as_gap(&self, node: u32) -> Option<&Gap> {
        self.gaps
            .get((node as usize).checked_sub(self.operation_count)?)
    }

    fn edges(&mut self, from: &[u32], to: u32, object: u32) {
        let sources = from.iter().filter(|&&from| from != to);
        self.edges
            .extend(sources.map(|&from| Edge { from, to, object }));
    }
}

/// Where each object is named: by which operation, as which of its items.
struct Index {
    starts: Vec<usize>,
    places: Vec<(u32, u32)>,
}

impl Index {
    fn of<A: Application>(history: &History<A>) -> Self {
        let operations = 0..history.len() as u32;
        let all = || {
            operations.clone().flat_map(|operation| {
                let items = history.items(operation as usize).iter().zip(0..);
                items.map(move |(item, place)| (item.object as usize, (operation, place)))
            })
        };
        let mut starts = vec![0; history.objects.things().len() + 1];
        all().for_each(|(object, _)| starts[object + 1] += 1);
        (1..starts.len()).for_each(|object| starts[object] += starts[object - 1]);
        let mut next = starts.clone();
        let mut places = vec![(0, 0); starts[starts.len() - 1]];
        for (object, place) in all() {
            places[next[object]] = place;
            next[object] += 1;
        }
        Self { starts, places }
    }

    fn of_object(&self, object: u32) -> &[(u32, u32)] {
        &self.places[self.starts[object as usize]..self.starts[object as usize + 1]]
    }
}

/// Revisions as integers of the same order.
struct Revisions {
    /// The rank of each epoch.
    ranks: Vec<u32>,
    /// The epoch of each rank.
    sorted: Vec<u32>,
}

impl Revisions {
    fn of<A: Application>(history: &History<A>) -> Self {
        let epochs = history.epochs.things();
        let mut sorted: Vec<u32> = (0..epochs.len() as u32).collect();
        sorted.sort_unstable_by_key(|&epoch| epochs[epoch as usize]);
        let mut ranks = vec![0; sorted.len()];
        (0..)
            .zip(&sorted)
            .for_each(|(rank, &epoch)| ranks[epoch as usize] = rank);
        Self { ranks, sorted }
    }

    fn key(&self, seen: Seen) -> Option<u64> {
        match seen {
            Seen::At { epoch, version } => {
                Some(u64::from(self.ranks[epoch as usize]) << 32 | u64::from(version))
            }
            Seen::Untold | Seen::Absent => None,
        }
    }

    fn revision<A: Application>(&self, history: &History<A>, key: u64) -> Revision {
        let epoch = self.sorted[(key >> 32) as usize];
        Revision {
            epoch: history.epochs.things()[epoch as usize],
            version: version(key),
        }
    }
}

/// The version in a key of [`Revisions`].
fn version(key: u64) -> u64 {
    key & u64::from(u32::MAX)
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
            let object = history.objects.things()[gap.object as usize];
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
                let object = history.objects.things()[object as usize];
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
    Violation::new(history, Fault::Cycle, &objects, nodes, explanation)
}
