//! Social graphs: read from an edge list, or made up with the shape that such graphs have.
//!
//! Edges have no direction; doubled ones and those from a vertex to itself count for nothing.
//! Vertices are renumbered from 0 in the order of their names, so that any integers will do.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// Who knows whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Graph {
    /// The neighbours of each vertex, ascending.
    neighbours: Vec<Vec<u64>>,
}

/// Why an edge list cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GraphError {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
    /// A line is not an edge.
    #[error("line {line}: expected two integers, found {found:?}")]
    Malformed {
        /// Which line, from 1.
        line: usize,
        /// What is there.
        found: String,
    },
    /// There is nothing in it.
    #[error("it contains no edge")]
    Empty,
}

impl Graph {
    /// Reads an edge list: two integers a line, `#` comments, as SNAP has them.
    pub(crate) fn read(path: &Path) -> Result<Self, GraphError> {
        Self::parse(BufReader::new(File::open(path)?))
    }

    pub(crate) fn parse(text: impl BufRead) -> Result<Self, GraphError> {
        let mut edges = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let malformed = |found: &str| GraphError::Malformed {
                line: index + 1,
                found: found.chars().take(40).collect(),
            };
            let line = match line {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(malformed("bytes that are not text"));
                }
                line => line?,
            };
            let edge = line.split('#').next().unwrap_or_default().trim();
            if !edge.is_empty() {
                edges.push(parse_edge(edge).ok_or_else(|| malformed(edge))?);
            }
        }
        let graph = Self::from_edges(&edges);
        if graph.neighbours.is_empty() {
            return Err(GraphError::Empty);
        }
        Ok(graph)
    }

    /// A scale-free graph of exactly these sizes, by preferential attachment (Barabasi and Albert,
    /// 1999): a new vertex prefers neighbours that have many.
    pub(crate) fn scale_free(vertices: u64, edges: u64, rng: &mut ChaCha8Rng) -> Self {
        let mut list: Vec<(u64, u64)> = Vec::new();
        for vertex in 1..vertices {
            // So many edges there should be by now; the first vertices find too few others, the
            // next ones catch up.
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
        Self::from_edges(&list)
    }

    fn from_edges(edges: &[(u64, u64)]) -> Self {
        let edges = edges.iter().filter(|(a, b)| a != b);
        let names: BTreeSet<u64> = edges.clone().flat_map(|&(a, b)| [a, b]).collect();
        let numbers: BTreeMap<u64, u64> = names.into_iter().zip(0..).collect();
        let mut neighbours = vec![Vec::new(); numbers.len()];
        for (a, b) in edges.map(|(a, b)| (numbers[a], numbers[b])) {
            neighbours[a as usize].push(b);
            neighbours[b as usize].push(a);
        }
        for of_vertex in &mut neighbours {
            of_vertex.sort_unstable();
            of_vertex.dedup();
        }
        Self { neighbours }
    }

    /// How many vertices there are. Each has a neighbour.
    pub(crate) fn vertex_count(&self) -> u64 {
        self.neighbours.len() as u64
    }

    /// The neighbours of a vertex, ascending.
    pub(crate) fn neighbours(&self, vertex: u64) -> &[u64] {
        &self.neighbours[vertex as usize]
    }

    /// The most neighbours that a vertex has.
    pub(crate) fn greatest_degree(&self) -> usize {
        self.neighbours.iter().map(Vec::len).max().unwrap_or(0)
    }
}

fn parse_edge(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_whitespace();
    let edge = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(edge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::random::stream;

    #[test]
    fn an_edge_list_is_read() {
        let graph =
            Graph::parse("# SNAP\n10\t30\n\n30 20 # a comment\r\n10 30\n30 10\n20 20\n".as_bytes());
        let graph = graph.unwrap();
        assert_eq!(graph.neighbours, [vec![2], vec![2], vec![0, 1]]);
        assert_eq!((graph.vertex_count(), graph.greatest_degree()), (3, 2));
    }

    #[test]
    fn what_is_no_edge_list_is_refused_with_its_line() {
        for bad in [
            "1 2\n3\n",
            "1 2\na b\n",
            "1 2\n1 2 3\n",
            "1 2\n-1 2\n",
            "1 2\n\u{fffd}",
        ] {
            let error = Graph::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(
                error.starts_with("line 2: expected two integers"),
                "{error}"
            );
        }
        let error = Graph::parse(&b"1 2\n\xff\xfe\n"[..])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("line 2"), "{error}");
        for empty in ["", "# nothing\n\n", "7 7\n"] {
            assert!(matches!(
                Graph::parse(empty.as_bytes()),
                Err(GraphError::Empty)
            ));
        }
        assert!(matches!(
            Graph::read(Path::new("/nowhere")),
            Err(GraphError::Read(_))
        ));
    }

    #[test]
    fn a_scale_free_graph_has_its_size_and_hubs() {
        let made = |seed| Graph::scale_free(4_039, 88_234, &mut stream(seed, 0));
        let graph = made(1);
        let ends: usize = graph.neighbours.iter().map(Vec::len).sum();
        assert_eq!((graph.vertex_count(), ends), (4_039, 2 * 88_234));
        assert!(graph.greatest_degree() > 200, "{}", graph.greatest_degree());
        assert_eq!(graph, made(1));
        assert_ne!(graph, made(2));
    }
}
