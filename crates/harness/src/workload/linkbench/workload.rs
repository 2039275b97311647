//! Workload `linkbench` as the harness sees it: its kinds, and the requests that its commands make.

use super::service::{GraphStore, Item, List, Op};
use super::settings::{LINK, LinkBench, OPERATIONS};
use super::steps::{Link, Step, Steps};
use crate::workload::contract::Workload;
use crate::workload::home::home;
use crate::workload::random::payload;
use bytes::Bytes;
use ssmr_core::topology::mix;
use ssmr_core::{Intent, ObjectId, Request, codec};

impl Workload for LinkBench {
    const KINDS: &'static [&'static str] = &{
        let mut kinds = [""; OPERATIONS.len()];
        let mut place = 0;
        while place < kinds.len() {
            kinds[place] = OPERATIONS[place].0;
            place += 1;
        }
        kinds
    };
    type App = GraphStore;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        "linkbench"
    }

    fn preload_count(&self) -> u64 {
        self.nodes
    }

    /// A node, its list and its links in one command.
    fn preload(&self, node: u64) -> Request {
        let mut list = List::default();
        let links = (0..self.links).map(|link| (self.target(node, link), mix(node ^ mix(link))));
        for (to, stamp) in links.clone() {
            list.add(to, &data(stamp));
        }
        links.fold(self.add_node(node, node, list), |request, (to, stamp)| {
            let link = Link { from: node, to };
            let object = self.link_of(link);
            request.and(object, self.create(object, data(stamp)))
        })
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        Steps::new(self, client)
    }

    fn kind(step: &Step) -> usize {
        match step {
            Step::AddNode { .. } => 0,
            Step::DeleteNode { .. } => 1,
            Step::UpdateNode { .. } => 2,
            Step::GetNode { .. } => 3,
            Step::AddLink { .. } => 4,
            Step::DeleteLink { .. } => 5,
            Step::UpdateLink { .. } => 6,
            Step::GetLink { .. } => 7,
            Step::Count { .. } => 8,
            Step::GetLinkList { .. } => 9,
        }
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<GraphStore>(&Op::Read(object))
    }

    fn request(&self, step: Step) -> Request {
        let access = |op| Request::access::<GraphStore>(&op);
        match step {
            Step::AddNode { node, stamp } => self.add_node(node, stamp, List::default()),
            Step::DeleteNode { node } => {
                Request::delete(self.node_of(node)).and(self.list_of(node), Intent::Delete)
            }
            Step::UpdateNode { node, stamp } => {
                access(Op::Update(self.node_of(node), self.node(stamp)))
            }
            Step::GetNode { node } => access(Op::Read(self.node_of(node))),
            Step::AddLink { link, stamp } => {
                let added = access(Op::Link(self.list_of(link.from), link.to, data(stamp)));
                let object = self.link_of(link);
                added.and(object, self.create(object, data(stamp)))
            }
            Step::DeleteLink { link } => {
                let removed = access(Op::Unlink(self.list_of(link.from), link.to));
                removed.and(self.link_of(link), Intent::Delete)
            }
            Step::UpdateLink { link, stamp } => access(Op::Relink {
                list: self.list_of(link.from),
                link: self.link_of(link),
                to: link.to,
                data: data(stamp),
            }),
            Step::GetLink { link } => access(Op::Read(self.link_of(link))),
            Step::Count { node } => access(Op::Count(self.list_of(node))),
            Step::GetLinkList { node } => access(Op::Read(self.list_of(node))),
        }
    }
}

impl LinkBench {
    /// Creates a node and its list.
    fn add_node(&self, node: u64, stamp: u64, list: List) -> Request {
        let (node, list_of) = (self.node_of(node), self.list_of(node));
        let list = Intent::Create {
            at: Some(home(self.partitions, list_of)),
            value: codec::encode(&Item::List(list)),
        };
        let request = Request::default().and(node, self.create(node, self.node(stamp)));
        request.and(list_of, list)
    }

    /// Creates a node or link where its attribute is at home.
    fn create(&self, object: ObjectId, data: Bytes) -> Intent {
        Intent::Create {
            at: Some(home(self.partitions, object)),
            value: codec::encode(&Item::Data(data)),
        }
    }

    fn node(&self, stamp: u64) -> Bytes {
        payload(stamp, self.node_size.of(stamp))
    }

    /// The object of a node.
    fn node_of(&self, node: u64) -> ObjectId {
        self.run.object(node, 0)
    }

    /// The object of its association list.
    fn list_of(&self, node: u64) -> ObjectId {
        self.run.object(node, 1)
    }

    /// The object of a link: with the node that it comes from.
    fn link_of(&self, link: Link) -> ObjectId {
        self.run.object(link.from, 2 + link.to)
    }
}

/// The data of a link.
fn data(stamp: u64) -> Bytes {
    payload(stamp, LINK)
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Choice, NODE};
    use super::*;
    use crate::workload::run_number::RunNumber;
    use std::collections::{BTreeMap, BTreeSet};

    fn linkbench() -> LinkBench {
        LinkBench {
            seed: 1,
            clients: 4,
            run: RunNumber::ZERO,
            partitions: 3,
            nodes: 1_000,
            links: 5,
            popularity: Choice::PUBLISHED,
            node_size: NODE,
        }
    }

    #[test]
    fn the_mix_is_as_published() {
        let total: u32 = OPERATIONS.iter().map(|(_, weight)| weight).sum();
        assert_eq!(total, 10_000);
        let mut counts = [0_u32; 10];
        for step in linkbench().steps(0).take(100_000) {
            counts[LinkBench::kind(&step)] += 1;
        }
        for (count, (name, weight)) in counts.iter().zip(OPERATIONS) {
            let near = count.abs_diff(weight * 10) <= weight + 40;
            assert!(near, "{name}: {count} for {weight}");
        }
    }

    #[test]
    fn commands_are_a_pure_function_of_settings_seed_and_client() {
        let first = |seed, client| {
            let linkbench = LinkBench {
                seed,
                ..linkbench()
            };
            linkbench.steps(client).take(1000).collect::<Vec<_>>()
        };
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    #[test]
    fn a_few_nodes_are_read_more_often() {
        let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
        for step in linkbench().steps(0).take(40_000) {
            if let Step::GetLinkList { node } = step {
                *counts.entry(node).or_default() += 1;
            }
        }
        let young: u32 = counts.range(1_000..).map(|(_, count)| count).sum();
        let loaded: u32 = counts.range(..1_000).map(|(_, count)| count).sum();
        assert!((6..10).contains(&(loaded / young)), "{loaded} and {young}");
        // By the exponent of 0.8 the first tenth has 52.6 %.
        let first: u32 = counts.range(..100).map(|(_, count)| count).sum();
        let share = first * 100 / loaded;
        assert!((50..56).contains(&share), "{share} %");
    }

    #[test]
    fn clients_delete_links_that_they_know_of_once() {
        let linkbench = linkbench();
        let loaded = |from: u64| (0..5).map(move |link| (from, link));
        for client in 0..linkbench.clients {
            let nodes = (client..linkbench.nodes).step_by(4);
            let links = nodes.flat_map(loaded).map(|(from, link)| Link {
                from,
                to: linkbench.target(from, link),
            });
            let mut known: Vec<Link> = links.collect();
            assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len());
            for step in linkbench.steps(client).take(20_000) {
                match step {
                    Step::AddLink { link, .. } => {
                        assert_ne!(link.from, link.to);
                        known.push(link);
                    }
                    Step::UpdateLink { link, .. } => assert!(known.contains(&link)),
                    Step::DeleteLink { link } => {
                        let place = known.iter().position(|other| *other == link);
                        known.swap_remove(place.unwrap());
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn the_popular_nodes_live() {
        let linkbench = linkbench();
        let steps = linkbench.steps(1).take(50_000);
        let deleted = steps.filter_map(|step| match step {
            Step::DeleteNode { node } => Some(node),
            _ => None,
        });
        let deleted: Vec<u64> = deleted.collect();
        let loaded = deleted.iter().filter(|node| **node < 1_000).count();
        assert!(
            deleted.len() > 400 && loaded < 10,
            "{loaded} of {}",
            deleted.len()
        );
    }

    #[test]
    fn a_node_its_list_and_its_links_lie_together_and_change_together() {
        let linkbench = linkbench();
        let preload = linkbench.preload(7);
        assert_eq!(preload.intents().len(), 7);
        let link = Link { from: 7, to: 9 };
        let added = linkbench.request(Step::AddLink { link, stamp: 1 });
        let places: BTreeSet<_> = preload
            .intents()
            .iter()
            .chain(added.intents())
            .filter_map(|(_, intent)| match intent {
                Intent::Create { at, .. } => Some(*at),
                _ => None,
            })
            .collect();
        assert_eq!(places, [Some(home(3, ObjectId::new(7, 0)))].into());
        assert!(matches!(
            added.intent(linkbench.list_of(7)),
            Some(Intent::Write)
        ));
        let deleted = linkbench.request(Step::DeleteLink { link });
        assert_eq!(
            deleted.intent(linkbench.link_of(link)),
            Some(&Intent::Delete)
        );
        assert!(matches!(
            deleted.intent(linkbench.list_of(7)),
            Some(Intent::Write)
        ));
        let gone = linkbench.request(Step::DeleteNode { node: 7 });
        assert!(
            gone.intents()
                .iter()
                .all(|(_, intent)| *intent == Intent::Delete)
        );
        assert_eq!(gone.intents().len(), 2);
    }
}
