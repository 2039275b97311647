//! Workload `linkbench`: Facebook's social graph store (Armstrong, Ponnekanti, Borthakur,
//! Callaghan: LinkBench, a database benchmark based on the Facebook social graph, SIGMOD 2013).
//!
//! Published are, in the paper and in `config/FBWorkload.properties` of
//! `github.com/facebookarchive/linkbench`: the ten operations and their shares; 128 bytes for a
//! node and 8 for a link (medians, here the sizes of all); and that nodes are chosen by Zipf
//! distributions, of exponent 0.625 to be read and 0.606 to be updated, 0.8 to have their links
//! read and 0.741 to have one added.
//!
//! Ours is how it becomes objects. A node is one; so is its association list, with the number of
//! its links and the newest of them; and each link is one. All three have the node as their static
//! attribute and are created at its home, so they lie together under every strategy. What changes a
//! link changes the list in the same atomic command; `getlinklist` and `count` read the list alone.
//! Also ours: links have one type, and `getlink` reads one; every node is loaded with as many
//! links, whatever its popularity; a client deletes and updates links that it knows of (loaded ones
//! of its share of the nodes, and its own), and deletes nodes that it has added, so that the
//! popular ones live, for which LinkBench has deletes spread evenly; one time in eight a node is a
//! young one of any client, which may not be there yet, or no more. So `NotFound` and
//! `AlreadyExists` are ordinary outcomes. Links stay behind when their node is deleted, as
//! published.

pub(crate) mod flags;
mod service;
mod settings;
mod steps;
mod workload;
