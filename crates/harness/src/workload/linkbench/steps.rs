//! The commands of one client of workload `linkbench`.

use super::settings::{LinkBench, OPERATIONS};
use crate::workload::popularity::Picker;
use crate::workload::random::{draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::VecDeque;

/// How many of a client's newest nodes count as young.
const YOUNG: u64 = 16;

/// One command. Data follow from their stamps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Step {
    AddNode { node: u64, stamp: u64 },
    DeleteNode { node: u64 },
    UpdateNode { node: u64, stamp: u64 },
    GetNode { node: u64 },
    AddLink { link: Link, stamp: u64 },
    DeleteLink { link: Link },
    UpdateLink { link: Link, stamp: u64 },
    GetLink { link: Link },
    Count { node: u64 },
    GetLinkList { node: u64 },
}

/// A link by its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Link {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    settings: LinkBench,
    client: u64,
    rng: ChaCha8Rng,
    /// To read nodes, to update them, to read their links, to add links to them.
    node_reads: Picker,
    node_updates: Picker,
    link_reads: Picker,
    link_writes: Picker,
    /// How many nodes this client has added.
    added: u64,
    /// Those of them that it has not deleted, the oldest first.
    own: VecDeque<u64>,
    /// The links that it knows of.
    links: Vec<Link>,
}

impl Steps {
    /// The commands of this client.
    pub(super) fn new(settings: &LinkBench, client: u64) -> Self {
        let nodes = (client..settings.nodes).step_by(settings.clients as usize);
        let links = nodes.flat_map(|from| {
            let to = move |link| settings.target(from, link);
            (0..settings.links).map(move |link| Link { from, to: to(link) })
        });
        let popularity = settings.popularity;
        Self {
            client,
            rng: stream(settings.seed, client),
            node_reads: popularity.node_reads.among(settings.nodes),
            node_updates: popularity.node_updates.among(settings.nodes),
            link_reads: popularity.link_reads.among(settings.nodes),
            link_writes: popularity.link_writes.among(settings.nodes),
            added: 0,
            own: VecDeque::new(),
            links: links.collect(),
            settings: settings.clone(),
        }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let weights = OPERATIONS.map(|(_, weight)| weight);
        Some(match draw(&mut self.rng, &weights) {
            0 => self.add_node(),
            1 => Step::DeleteNode {
                node: self.doomed(),
            },
            2 => Step::UpdateNode {
                node: self.node(self.node_updates),
                stamp: self.rng.random(),
            },
            3 => Step::GetNode {
                node: self.node(self.node_reads),
            },
            4 => self.add_link(),
            5 => Step::DeleteLink {
                link: self.known(Vec::swap_remove),
            },
            6 => Step::UpdateLink {
                link: self.known(|links, place| links[place]),
                stamp: self.rng.random(),
            },
            7 => Step::GetLink {
                link: self.loaded_link(),
            },
            8 => Step::Count {
                node: self.node(self.link_reads),
            },
            _ => Step::GetLinkList {
                node: self.node(self.link_reads),
            },
        })
    }
}

impl Steps {
    fn add_node(&mut self) -> Step {
        let node = self.fresh(self.client, self.added);
        self.added += 1;
        self.own.push_back(node);
        let stamp = self.rng.random();
        Step::AddNode { node, stamp }
    }

    /// The oldest node that this client has added; a loaded one only if there is none.
    fn doomed(&mut self) -> u64 {
        let own = self.own.pop_front();
        own.unwrap_or_else(|| self.rng.random_range(0..self.settings.nodes))
    }

    /// To any other loaded node.
    fn add_link(&mut self) -> Step {
        let from = self.node(self.link_writes);
        let offset = self.rng.random_range(1..self.settings.nodes);
        let to = (from + offset) % self.settings.nodes;
        let link = Link { from, to };
        self.links.push(link);
        let stamp = self.rng.random();
        Step::AddLink { link, stamp }
    }

    /// A link that this client knows of; if there is none, a loaded one.
    fn known(&mut self, take: impl FnOnce(&mut Vec<Link>, usize) -> Link) -> Link {
        if self.links.is_empty() {
            return self.loaded_link();
        }
        let place = self.rng.random_range(0..self.links.len());
        take(&mut self.links, place)
    }

    /// A link that was loaded with a node whose links are read often: its client may have deleted
    /// it.
    fn loaded_link(&mut self) -> Link {
        let from = self.link_reads.draw(&mut self.rng, 0);
        let link = self.rng.random_range(0..self.settings.links);
        let to = self.settings.target(from, link);
        Link { from, to }
    }

    /// A node: one time in eight a young one of any client, which may not be there yet, or no more.
    fn node(&mut self, among: Picker) -> u64 {
        if self.added > 0 && self.rng.random_ratio(1, 8) {
            let age = self.rng.random_range(0..self.added.min(YOUNG));
            let maker = self.rng.random_range(0..self.settings.clients);
            return self.fresh(maker, self.added - 1 - age);
        }
        among.draw(&mut self.rng, self.added * self.settings.clients)
    }

    /// The `number`-th node that a client adds. Everybody can tell.
    fn fresh(&self, client: u64, number: u64) -> u64 {
        self.settings.nodes + number * self.settings.clients + client
    }
}
