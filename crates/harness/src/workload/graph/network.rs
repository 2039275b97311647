//! Who follows whom.
//!
//! Where follows have no direction, an edge makes its ends follow each other; else the first end
//! follows the second. Doubled edges and those from a vertex to itself count for nothing. Vertices
//! are renumbered from 0 in the order of their names, so that any integers will do.

use super::edge_list::{EdgeList, GraphError};
use super::made_up::scale_free;
use crate::numbers::grouped;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Who follows whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Graph {
    /// The vertices by their names in the file, ascending.
    names: Vec<u64>,
    /// Who follows each vertex, ascending.
    followers: Vec<Vec<u64>>,
    /// How many each vertex follows.
    following: Vec<u64>,
    facts: GraphFacts,
}

/// What is to be known of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GraphFacts {
    /// The BLAKE3 digest of the file, in hexadecimal; none if the graph is made up.
    blake3: Option<String>,
    /// Whether the first end of an edge follows the second, and not both each other.
    directed: bool,
    /// Vertices with an edge.
    vertices: u64,
    /// Different edges between two vertices.
    edges: u64,
    /// Lines that repeat an edge; without direction the reverse is one, too.
    doubles: u64,
    /// Lines with an edge from a vertex to itself.
    self_loops: u64,
    /// Follows that were left out, because somebody has too many followers.
    dropped_follows: u64,
}

/// Vertices with more followers than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hubs {
    /// How many there are.
    pub(crate) count: usize,
    /// The name of the one with the most.
    pub(crate) greatest: u64,
    /// How many followers that one has.
    pub(crate) degree: usize,
}

impl Graph {
    /// The graph of a file.
    ///
    /// # Errors
    /// If there is no edge between two vertices.
    pub(crate) fn of_file(list: EdgeList, directed: bool) -> Result<Self, GraphError> {
        match Self::new(list.edges, directed, Some(list.blake3)) {
            graph if graph.names.is_empty() => Err(GraphError::Empty),
            graph => Ok(graph),
        }
    }

    /// A scale-free graph of these sizes.
    pub(crate) fn made_up(vertices: u64, edges: u64, directed: bool, rng: &mut ChaCha8Rng) -> Self {
        Self::new(scale_free(vertices, edges, rng), directed, None)
    }

    fn new(mut list: Vec<(u64, u64)>, directed: bool, blake3: Option<String>) -> Self {
        let lines = list.len();
        list.retain(|(a, b)| a != b);
        let mut names: Vec<u64> = list.iter().flat_map(|&(a, b)| [a, b]).collect();
        names.sort_unstable();
        names.dedup();
        let number = |name: u64| names.partition_point(|&other| other < name);
        let mut followers = vec![Vec::new(); names.len()];
        for (a, b) in list.iter().map(|&(a, b)| (number(a), number(b))) {
            followers[b].push(a as u64);
            if !directed {
                followers[a].push(b as u64);
            }
        }
        for of_vertex in &mut followers {
            of_vertex.sort_unstable();
            of_vertex.dedup();
        }
        let follows: usize = followers.iter().map(Vec::len).sum();
        let edges = if directed { follows } else { follows / 2 };
        let facts = GraphFacts {
            blake3,
            directed,
            vertices: names.len() as u64,
            edges: edges as u64,
            doubles: (list.len() - edges) as u64,
            self_loops: (lines - list.len()) as u64,
            dropped_follows: 0,
        };
        let following = count_following(&followers);
        Self {
            names,
            followers,
            following,
            facts,
        }
    }

    /// What is to be known of it.
    pub(crate) fn facts(&self) -> &GraphFacts {
        &self.facts
    }

    /// How many vertices there are. Each has an edge.
    pub(crate) fn vertex_count(&self) -> u64 {
        self.followers.len() as u64
    }

    /// Who follows a vertex, ascending.
    pub(crate) fn followers(&self, vertex: u64) -> &[u64] {
        &self.followers[vertex as usize]
    }

    /// How many a vertex follows.
    pub(crate) fn following_count(&self, vertex: u64) -> u64 {
        self.following[vertex as usize]
    }

    /// The vertices with more than so many followers, if there are any.
    pub(crate) fn hubs(&self, most: usize) -> Option<Hubs> {
        let degrees = self.followers.iter().map(Vec::len);
        let hubs = degrees
            .zip(&self.names)
            .filter(|(degree, _)| *degree > most);
        let count = hubs.clone().count();
        hubs.max().map(|(degree, name)| Hubs {
            count,
            greatest: *name,
            degree,
        })
    }

    /// Leaves each vertex so many followers at most, drawn at random.
    pub(crate) fn sample_followers(&mut self, most: usize, rng: &mut ChaCha8Rng) {
        let before: usize = self.followers.iter().map(Vec::len).sum();
        for of_vertex in self.followers.iter_mut().filter(|all| all.len() > most) {
            for place in 0..most {
                let drawn = rng.random_range(place..of_vertex.len());
                of_vertex.swap(place, drawn);
            }
            of_vertex.truncate(most);
            of_vertex.sort_unstable();
        }
        let after: usize = self.followers.iter().map(Vec::len).sum();
        self.facts.dropped_follows += (before - after) as u64;
        self.following = count_following(&self.followers);
    }
}

impl std::fmt::Display for GraphFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let meaning = match self.directed {
            true => "directed (the first end of an edge follows the second)",
            false => "undirected (the ends of an edge follow each other)",
        };
        let (vertices, edges) = (grouped(self.vertices), grouped(self.edges));
        write!(
            f,
            "its graph has {vertices} vertices, {edges} edges, {meaning}"
        )?;
        for (count, what) in [
            (self.doubles, "doubled edges left out"),
            (self.self_loops, "self-loops left out"),
            (self.dropped_follows, "follows left out by --max-degree"),
        ] {
            if count > 0 {
                write!(f, ", {what}: {}", grouped(count))?;
            }
        }
        Ok(())
    }
}

fn count_following(followers: &[Vec<u64>]) -> Vec<u64> {
    let mut counts = vec![0; followers.len()];
    for &follower in followers.iter().flatten() {
        counts[follower as usize] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::random::stream;

    fn read(text: &str, directed: bool) -> Result<Graph, GraphError> {
        Graph::of_file(EdgeList::parse(text.as_bytes())?, directed)
    }

    const TEXT: &str = "10 30\n30 20\n10 30\n30 10\n20 20\n";

    #[test]
    fn without_direction_both_ends_follow_each_other() {
        let graph = read(TEXT, false).unwrap();
        assert_eq!(graph.followers, [vec![2], vec![2], vec![0, 1]]);
        assert_eq!(graph.following, [1, 1, 2]);
        let told = graph.facts().to_string();
        assert!(told.contains("3 vertices, 2 edges, undirected"), "{told}");
        let counts = "follow each other), doubled edges left out: 2, self-loops left out: 1";
        assert!(told.ends_with(counts), "{told}");
    }

    #[test]
    fn with_direction_the_first_end_follows_the_second() {
        let graph = read(TEXT, true).unwrap();
        // 10 follows 30, 30 follows 20 and 10.
        assert_eq!(graph.followers, [vec![2], vec![2], vec![0]]);
        assert_eq!(graph.following, [1, 0, 2]);
        let facts = graph.facts();
        assert_eq!((facts.edges, facts.doubles, facts.self_loops), (3, 1, 1));
        assert!(facts.directed && facts.blake3.is_some());
    }

    #[test]
    fn a_graph_without_edges_is_refused() {
        for empty in ["", "# nothing\n\n", "source,target\n", "7 7\n"] {
            let graph = read(empty, false);
            assert!(matches!(graph, Err(GraphError::Empty)), "{empty}");
        }
    }

    #[test]
    fn hubs_are_named_and_their_followers_sampled() {
        let star: String = (1..=20).map(|other| format!("{other} 700\n")).collect();
        let text = format!("{star}1 2\n3 2\n4 2\n");
        let graph = read(&text, true).unwrap();
        let hubs = |most| graph.hubs(most);
        assert_eq!(hubs(20), None);
        let hub = Hubs {
            count: 1,
            greatest: 700,
            degree: 20,
        };
        assert_eq!(hubs(19), Some(hub));
        assert_eq!(hubs(2), Some(Hubs { count: 2, ..hub }));
        let sampled = |seed| {
            let mut graph = graph.clone();
            graph.sample_followers(5, &mut stream(seed, 0));
            graph
        };
        let (one, hub) = (sampled(1), graph.vertex_count() - 1);
        assert_eq!((one.hubs(5), one.followers(hub).len()), (None, 5));
        assert!(one.followers(hub).is_sorted_by(|a, b| a < b));
        let all = graph.followers(hub);
        assert!(
            one.followers(hub)
                .iter()
                .all(|follower| all.contains(follower))
        );
        let follows: u64 = one.following.iter().sum();
        assert_eq!((follows, one.facts().dropped_follows), (8, 15));
        assert_eq!(one, sampled(1));
        assert_ne!(one, sampled(2));
    }

    #[test]
    fn a_scale_free_graph_has_its_size_and_hubs() {
        let made = |seed| Graph::made_up(4_039, 88_234, false, &mut stream(seed, 0));
        let graph = made(1);
        let facts = graph.facts();
        assert_eq!((facts.vertices, facts.edges), (4_039, 88_234));
        assert_eq!((facts.doubles, &facts.blake3), (0, &None));
        assert!(graph.hubs(200).is_some());
        assert_eq!(graph, made(1));
        assert_ne!(graph, made(2));
    }
}
