//! The service of workload `linkbench`: nodes, links, and a list of links for each node.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::{Access, Application, ObjectId, Objects};

/// How many links a list holds; it counts all.
const NEWEST: usize = 50;

/// The social graph store.
#[derive(Debug)]
pub(crate) struct GraphStore;

/// An object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Item {
    /// A node, or a link: bytes that nobody looks into.
    Data(Bytes),
    /// The links of a node.
    List(List),
}

/// The links of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct List {
    /// How many there are.
    count: u64,
    /// The newest of them, the oldest first. One that was pushed out does not come back.
    newest: Vec<Entry>,
}

/// A link in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    to: u64,
    data: Bytes,
}

/// What can be done with objects that exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Read anything whole.
    Read(ObjectId),
    /// Read how many links there are.
    Count(ObjectId),
    /// Overwrite a node unseen.
    Update(ObjectId, Bytes),
    /// Add a link to this node to a list.
    Link(ObjectId, u64, Bytes),
    /// Take the link to this node off a list.
    Unlink(ObjectId, u64),
    /// Overwrite a link, also in its list.
    Relink {
        list: ObjectId,
        link: ObjectId,
        to: u64,
        data: Bytes,
    },
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Nothing,
    Item(Item),
    Count(u64),
}

impl Application for GraphStore {
    const NAME: &'static str = "linkbench";
    type Object = Item;
    type Op = Op;
    type Reply = Reply;

    fn access(op: &Op) -> Access {
        let (reads, writes) = match op {
            Op::Read(object) | Op::Count(object) => (vec![*object], Vec::new()),
            Op::Update(object, _) | Op::Link(object, ..) | Op::Unlink(object, _) => {
                (Vec::new(), vec![*object])
            }
            Op::Relink { list, link, .. } => (Vec::new(), vec![*list, *link]),
        };
        Access { reads, writes }
    }

    fn execute(op: &Op, objects: &mut Objects<Item>) -> Reply {
        match op {
            Op::Read(object) => {
                let item = objects.get(*object).cloned();
                return item.map_or(Reply::Nothing, Reply::Item);
            }
            Op::Count(list) => {
                if let Some(Item::List(list)) = objects.get(*list) {
                    return Reply::Count(list.count);
                }
            }
            Op::Update(node, data) => overwrite(objects, *node, data),
            Op::Link(list, to, data) => change(objects, *list, |list| list.add(*to, data)),
            Op::Unlink(list, to) => change(objects, *list, |list| list.remove(*to)),
            Op::Relink {
                list,
                link,
                to,
                data,
            } => {
                overwrite(objects, *link, data);
                change(objects, *list, |list| list.update(*to, data));
            }
        }
        Reply::Nothing
    }
}

fn overwrite(objects: &mut Objects<Item>, object: ObjectId, data: &Bytes) {
    objects.update(object, |item| *item = Item::Data(data.clone()));
}

fn change(objects: &mut Objects<Item>, list: ObjectId, how: impl FnOnce(&mut List)) {
    objects.update(list, |item| {
        if let Item::List(list) = item {
            how(list);
        }
    });
}

impl List {
    /// Adds the newest link.
    pub(super) fn add(&mut self, to: u64, data: &Bytes) {
        self.count += 1;
        if self.newest.len() == NEWEST {
            self.newest.remove(0);
        }
        let data = data.clone();
        self.newest.push(Entry { to, data });
    }

    fn remove(&mut self, to: u64) {
        self.count = self.count.saturating_sub(1);
        self.newest.retain(|entry| entry.to != to);
    }

    fn update(&mut self, to: u64, data: &Bytes) {
        let entry = self.newest.iter_mut().find(|entry| entry.to == to);
        if let Some(entry) = entry {
            entry.data = data.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_check::check_application;

    #[test]
    fn it_keeps_the_rules_of_an_application() {
        let [node, list, link] = [0, 1, 2].map(|key| ObjectId::new(7, key));
        let data = Bytes::from_static(b"new");
        let operations = [
            Op::Read(node),
            Op::Read(list),
            Op::Count(list),
            Op::Update(node, data.clone()),
            Op::Link(list, 5, data.clone()),
            Op::Unlink(list, 5),
            Op::Relink {
                list,
                link,
                to: 5,
                data,
            },
        ];
        let value = |object: ObjectId, number: u64| {
            let data = |number: u64| Bytes::copy_from_slice(&number.to_le_bytes());
            if object != list {
                return Item::Data(data(number));
            }
            let mut list = List::default();
            (0..number % 60).for_each(|to| list.add(to, &data(number)));
            Item::List(list)
        };
        let summary = check_application::<GraphStore>(operations, value).unwrap();
        assert_eq!((summary.with_changes, summary.with_unread), (4, 4));
    }

    #[test]
    fn a_list_counts_all_links_and_holds_the_newest() {
        let (mut list, data) = (List::default(), Bytes::from_static(b"old"));
        (0..60).for_each(|to| list.add(to, &data));
        assert_eq!(
            (list.count, list.newest.len(), list.newest[0].to),
            (60, 50, 10)
        );
        list.remove(3);
        list.remove(10);
        assert_eq!(
            (list.count, list.newest.len(), list.newest[0].to),
            (58, 49, 11)
        );
        list.update(11, &Bytes::from_static(b"new"));
        assert_eq!(
            (&list.newest[0].data[..], &list.newest[1].data[..]),
            (&b"new"[..], &b"old"[..])
        );
    }
}
