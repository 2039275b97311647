//! One order of all operations that fits the objects' orders and real time, or the shortest cycle
//! that forbids it.
//!
//! Kahn's algorithm. The real-time edges, from every answer to every later invocation, are
//! quadratically many and never built: an operation may be taken only if it was invoked before the
//! earliest answer among those not yet taken, and of the candidates the one that was invoked first
//! is tried, so that if it may not be taken no other may. O(n log n).
//!
//! It knows nothing of what the operations do.

use rustc_hash::{FxHashMap, FxHashSet};
use ssmr_core::Micros;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// `from` takes effect before `to`, as `object` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) object: u32,
}

/// A step of a cycle; without an object it is real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrderEdge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) object: Option<u32>,
}

/// From when to when each node may take effect.
pub(super) type Intervals = [(Micros, Micros)];

/// Orders the nodes, or returns a cycle.
pub(super) fn sort(intervals: &Intervals, edges: &[Edge]) -> Result<Vec<u32>, Vec<OrderEdge>> {
    let (starts, targets) = successors(intervals.len(), edges);
    let mut missing = vec![0u32; intervals.len()];
    targets.iter().for_each(|&to| missing[to as usize] += 1);
    let all = 0..intervals.len() as u32;
    let mut ends: Vec<u32> = all
        .clone()
        .filter(|&n| at(intervals, n).1 < Micros::MAX)
        .collect();
    ends.sort_unstable_by_key(|&node| at(intervals, node).1);
    let mut ends = ends.into_iter().peekable();
    let first = all.filter(|&node| missing[node as usize] == 0);
    let mut ready: BinaryHeap<_> = first
        .map(|node| Reverse((at(intervals, node).0, node)))
        .collect();
    let mut taken = vec![false; intervals.len()];
    let mut order = Vec::with_capacity(intervals.len());
    while let Some(Reverse((invoked, node))) = ready.pop() {
        while ends.next_if(|&end| taken[end as usize]).is_some() {}
        if ends
            .peek()
            .is_some_and(|&end| at(intervals, end).1 < invoked)
        {
            break;
        }
        taken[node as usize] = true;
        order.push(node);
        for &to in &targets[starts[node as usize]..starts[node as usize + 1]] {
            missing[to as usize] -= 1;
            if missing[to as usize] == 0 {
                ready.push(Reverse((at(intervals, to).0, to)));
            }
        }
    }
    if order.len() == intervals.len() {
        Ok(order)
    } else {
        let earliest = ends.find(|&end| !taken[end as usize]);
        Err(Stuck::new(intervals, edges, &taken).cycle(earliest))
    }
}

/// By when each node has taken effect, in such an order: when it was answered, or something was
/// that it precedes.
pub(super) fn bounds(intervals: &Intervals, edges: &[Edge], order: &[u32]) -> Vec<Micros> {
    let (starts, targets) = successors(intervals.len(), edges);
    let mut bounds: Vec<Micros> = intervals.iter().map(|(_, answered)| *answered).collect();
    for &node in order.iter().rev() {
        let node = node as usize;
        let after = targets[starts[node]..starts[node + 1]].iter();
        let first = after.map(|&to| bounds[to as usize]).min();
        bounds[node] = bounds[node].min(first.unwrap_or(Micros::MAX));
    }
    bounds
}

fn at(intervals: &Intervals, node: u32) -> (Micros, Micros) {
    intervals[node as usize]
}

/// The targets of each node's edges, in one vector: those of `n` are at `starts[n]..starts[n + 1]`.
fn successors(count: usize, edges: &[Edge]) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0; count + 1];
    edges
        .iter()
        .for_each(|edge| starts[edge.from as usize + 1] += 1);
    (0..count).for_each(|node| starts[node + 1] += starts[node]);
    let (mut next, mut targets) = (starts.clone(), vec![0; edges.len()]);
    for edge in edges {
        targets[next[edge.from as usize]] = edge.to;
        next[edge.from as usize] += 1;
    }
    (starts, targets)
}

/// The nodes that could not be taken, and why.
struct Stuck<'a> {
    intervals: &'a Intervals,
    /// The edges into each node from others that were not taken.
    incoming: FxHashMap<u32, Vec<Edge>>,
    /// Some node that has such an edge.
    some: u32,
}

impl<'a> Stuck<'a> {
    fn new(intervals: &'a Intervals, edges: &[Edge], taken: &[bool]) -> Self {
        let mut incoming: FxHashMap<u32, Vec<Edge>> = FxHashMap::default();
        let mut some = 0;
        for edge in edges.iter().filter(|edge| !taken[edge.from as usize]) {
            incoming.entry(edge.to).or_default().push(*edge);
            some = edge.to;
        }
        Self {
            intervals,
            incoming,
            some,
        }
    }

    /// A short cycle. `earliest` is the node answered first: real time holds it back from nothing,
    /// so another object's order does. If one of those that must precede it was invoked after its
    /// answer, one real-time edge closes the cycle; if none was, real time holds none of them back,
    /// and they have a cycle without it.
    fn cycle(&self, earliest: Option<u32>) -> Vec<OrderEdge> {
        let start = earliest.unwrap_or(self.some);
        let answered = at(self.intervals, start).1;
        let late = |node| at(self.intervals, node).0 > answered;
        if let Some(mut path) = self.search(start, late) {
            let to = path[0].from;
            path.insert(
                0,
                OrderEdge {
                    from: start,
                    to,
                    object: None,
                },
            );
            return path;
        }
        let mut node = start;
        let (mut walked, mut seen) = (Vec::new(), FxHashSet::default());
        while seen.insert(node) {
            walked.push(node);
            node = self.incoming[&node][0].from;
        }
        let round = walked.iter().rev().take(64);
        let cycles = round.filter_map(|&node| self.search(node, |other| other == node));
        cycles.min_by_key(Vec::len).unwrap_or_default()
    }

    /// The shortest path along edges from a node that is wanted to `to`, found backwards.
    fn search(&self, to: u32, wanted: impl Fn(u32) -> bool) -> Option<Vec<OrderEdge>> {
        let mut next: FxHashMap<u32, Edge> = FxHashMap::default();
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            for edge in self.incoming.get(&node).into_iter().flatten() {
                if next.contains_key(&edge.from) {
                    continue;
                }
                next.insert(edge.from, *edge);
                if wanted(edge.from) {
                    return Some(trace(&next, edge.from, to));
                }
                queue.push_back(edge.from);
            }
        }
        None
    }
}

/// Follows edges from `from` until `to`.
fn trace(next: &FxHashMap<u32, Edge>, from: u32, to: u32) -> Vec<OrderEdge> {
    let mut node = from;
    let mut path = Vec::new();
    while path.is_empty() || node != to {
        let Edge { from, to, object } = next[&node];
        path.push(OrderEdge {
            from,
            to,
            object: Some(object),
        });
        node = to;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: u32, to: u32) -> Edge {
        Edge {
            from,
            to,
            object: 7,
        }
    }

    #[test]
    fn edges_and_real_time_are_obeyed() {
        let intervals = [(0, 10), (0, 10), (11, 20), (5, Micros::MAX)];
        let order = sort(&intervals, &[edge(1, 0), edge(2, 3)]).unwrap();
        assert_eq!(order, [1, 0, 2, 3]);
    }

    #[test]
    fn what_precedes_something_answered_is_over_by_then() {
        let intervals = [(0, Micros::MAX), (0, 90), (5, 10), (0, 20)];
        let edges = [edge(0, 1), edge(1, 2)];
        let order = sort(&intervals, &edges).unwrap();
        assert_eq!(bounds(&intervals, &edges, &order), [10, 10, 10, 20]);
    }

    #[test]
    fn an_answer_at_the_moment_of_an_invocation_is_concurrent() {
        assert_eq!(sort(&[(0, 10), (10, 20)], &[edge(1, 0)]), Ok(vec![1, 0]));
    }

    #[test]
    fn a_cycle_through_real_time_is_found_and_short() {
        // 0 is answered before 3 is invoked, yet 3 precedes 0 by way of 2, and also by way of 1 and
        // 2.
        let intervals = [(0, 10), (0, 40), (0, 40), (20, 30), (0, 5)];
        let edges = [edge(3, 1), edge(1, 2), edge(3, 2), edge(2, 0), edge(4, 0)];
        let cycle = sort(&intervals, &edges).unwrap_err();
        let steps: Vec<_> = cycle
            .iter()
            .map(|link| (link.from, link.to, link.object))
            .collect();
        assert_eq!(steps, [(0, 3, None), (3, 2, Some(7)), (2, 0, Some(7))]);
    }

    #[test]
    fn a_cycle_without_real_time_is_found() {
        let edges = [edge(0, 1), edge(1, 2), edge(2, 1), edge(2, 0)];
        let cycle = sort(&[(0, 9); 3], &edges).unwrap_err();
        assert_eq!(cycle.len(), 2, "{cycle:?}");
        let endless = sort(&[(0, Micros::MAX); 3], &edges).unwrap_err();
        assert_eq!(endless.len(), 2, "{endless:?}");
    }
}
