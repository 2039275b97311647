//! The service of workload `append`: lists of numbers.

use serde::{Deserialize, Serialize};
use ssmr_check::{Act, Shown, Terms};
use ssmr_core::{Access, Application, ObjectId, Objects};

/// Lists of numbers.
#[derive(Debug)]
pub(crate) struct Lists;

/// Reads some lists, then appends to some, unseen unless it reads them, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(super) reads: Vec<ObjectId>,
    pub(super) appends: Vec<(ObjectId, u64)>,
}

impl Application for Lists {
    const NAME: &'static str = "lists";
    type Object = Vec<u64>;
    type Op = Transaction;
    /// The lists that were read, as they were before.
    type Reply = Vec<Vec<u64>>;

    fn access(transaction: &Transaction) -> Access {
        let appends = transaction.appends.iter();
        Access {
            reads: transaction.reads.clone(),
            writes: appends.map(|(list, _)| *list).collect(),
        }
    }

    fn execute(transaction: &Transaction, lists: &mut Objects<Vec<u64>>) -> Vec<Vec<u64>> {
        let reads = transaction.reads.iter();
        let read = reads.filter_map(|list| lists.get(*list).cloned()).collect();
        for &(list, element) in &transaction.appends {
            lists.update(list, |list| list.push(element));
        }
        read
    }
}

/// How the service is told to judges from outside: whole lists.
pub(super) fn terms() -> Terms<Lists> {
    Terms {
        value: |list| Shown::List(list.clone()),
        acts: |transaction, reply| {
            let read = |(place, list): (usize, &ObjectId)| {
                let read = reply.and_then(|lists| lists.get(place)).cloned();
                Act::read(*list, read.map_or(Shown::Nothing, Shown::List))
            };
            let append = |&(object, element): &(ObjectId, u64)| Act {
                verb: "append",
                object,
                value: Shown::Number(element),
            };
            let reads = transaction.reads.iter().enumerate().map(read);
            reads
                .chain(transaction.appends.iter().map(append))
                .collect()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_check::check_application;

    #[test]
    fn it_keeps_the_rules_of_an_application() {
        let (x, y) = (ObjectId::new(1, 0), ObjectId::new(2, 0));
        let operations = [
            Transaction {
                reads: vec![x, y],
                appends: vec![],
            },
            Transaction {
                reads: vec![x],
                appends: vec![(x, 1), (y, 2)],
            },
        ];
        let summary = check_application::<Lists>(operations, |_, number| vec![number]).unwrap();
        assert_eq!((summary.with_changes, summary.with_unread), (1, 1));
    }
}
