//! What must take effect before what, as the objects' states show. It knows nothing of real time.

use super::order::Edge;
use std::collections::BTreeSet;

/// Operations, numbered as in the history, the gaps between states that none of them explains, and
/// what precedes what.
pub(super) struct Graph {
    operation_count: usize,
    gaps: Vec<Gap>,
    pub(super) edges: Vec<Edge>,
    /// Unanswered operations that must have taken effect on an object, and are placed in its order.
    pub(super) pinned: BTreeSet<(u32, u32)>,
}

/// Something unseen happened to an object.
pub(super) struct Gap {
    pub(super) object: u32,
    /// Its value or existence changed; else it only moved.
    pub(super) opaque: bool,
}

impl Graph {
    pub(super) fn new(operation_count: usize) -> Self {
        let (gaps, edges, pinned) = Default::default();
        Self {
            operation_count,
            gaps,
            edges,
            pinned,
        }
    }

    pub(super) fn node_count(&self) -> usize {
        self.operation_count + self.gaps.len()
    }

    pub(super) fn gap(&mut self, object: u32, opaque: bool) -> u32 {
        self.gaps.push(Gap { object, opaque });
        self.node_count() as u32 - 1
    }

    pub(super) fn as_gap(&self, node: u32) -> Option<&Gap> {
        self.gaps
            .get((node as usize).checked_sub(self.operation_count)?)
    }

    pub(super) fn edges(&mut self, from: &[u32], to: u32, object: u32) {
        let sources = from.iter().filter(|&&from| from != to);
        self.edges
            .extend(sources.map(|&from| Edge { from, to, object }));
    }
}
