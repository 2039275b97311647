//! Graphs that are made up.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// The edges of a scale-free graph of exactly these sizes, by preferential attachment (Barabasi and
/// Albert, 1999): a new vertex prefers neighbours that have many. Vertices are numbered from 0.
pub(crate) fn scale_free(vertices: u64, edges: u64, rng: &mut ChaCha8Rng) -> Vec<(u64, u64)> {
    let mut list: Vec<(u64, u64)> = Vec::new();
    for vertex in 1..vertices {
        // So many edges there should be by now; the first vertices find too few others, the next
        // ones catch up.
        let due = edges * (vertex + 1) / vertices - list.len() as u64;
        let mut chosen = BTreeSet::new();
        if due >= vertex {
            chosen.extend(0..vertex);
        }
        let old = list.len();
        while (chosen.len() as u64) < due.min(vertex) {
            // An end of a random edge is a vertex with a chance in proportion to its degree.
            let (a, b) = list[rng.random_range(0..old)];
            chosen.insert(if rng.random() { a } else { b });
        }
        list.extend(chosen.into_iter().map(|other| (other, vertex)));
    }
    list
}
