//! Workload `append` as the harness sees it: its kinds, and the requests that its commands make.

use super::service::{self, Lists, Transaction};
use super::settings::Append;
use super::steps::{Step, Steps};
use crate::workload::contract::Workload;
use ssmr_check::Terms;
use ssmr_core::{ObjectId, Request};

impl Workload for Append {
    const KINDS: &'static [&'static str] = &["create", "read", "append"];
    type App = Lists;
    type Step = Step;
    type Steps = Steps;

    fn name(&self) -> &'static str {
        "append"
    }

    fn preload_count(&self) -> u64 {
        self.lists
    }

    fn preload(&self, number: u64) -> Request {
        let (list, element) = (number, number);
        self.request(Step::Create { list, element })
    }

    fn client_count(&self) -> u64 {
        self.clients
    }

    fn steps(&self, client: u64) -> Steps {
        Steps::new(self, client)
    }

    fn kind(step: &Step) -> usize {
        match step {
            Step::Create { .. } => 0,
            Step::Transact { appends, .. } if appends.is_empty() => 1,
            Step::Transact { .. } => 2,
        }
    }

    fn read(object: ObjectId) -> Request {
        Request::access::<Lists>(&Transaction {
            reads: vec![object],
            appends: Vec::new(),
        })
    }

    fn terms() -> Terms<Lists> {
        service::terms()
    }

    fn request(&self, step: Step) -> Request {
        match step {
            Step::Create { list, element } => {
                Request::create::<Lists>(self.object(list), &vec![element], None)
            }
            Step::Transact { reads, appends } => {
                let appends = appends.into_iter();
                Request::access::<Lists>(&Transaction {
                    reads: reads.into_iter().map(|list| self.object(list)).collect(),
                    appends: appends
                        .map(|(list, new)| (self.object(list), new))
                        .collect(),
                })
            }
        }
    }
}

impl Append {
    /// The object of a list.
    fn object(&self, list: u64) -> ObjectId {
        self.run.object(list, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::run_number::RunNumber;
    use std::collections::{BTreeMap, BTreeSet};

    const APPEND: Append = Append {
        seed: 1,
        clients: 4,
        run: RunNumber::ZERO,
        lists: 10,
        share: 5,
        most_lists: 3,
    };

    #[test]
    fn elements_are_different_and_lists_stay_short() {
        let mut elements: BTreeSet<u64> = (0..APPEND.lists).collect();
        let mut lengths: BTreeMap<u64, u64> = BTreeMap::new();
        let mut kinds = [0; 3];
        for client in 0..APPEND.clients {
            for step in APPEND.steps(client).take(2_000) {
                kinds[Append::kind(&step)] += 1;
                let appends = match step {
                    Step::Create { list, element } => {
                        assert!(list >= APPEND.lists, "loaded lists are there");
                        vec![(list, element)]
                    }
                    Step::Transact { appends, .. } => appends,
                };
                for (list, element) in appends {
                    assert!(elements.insert(element), "{element} twice");
                    *lengths.entry(list).or_default() += 1;
                }
            }
        }
        let longest = lengths.values().max();
        assert!(longest <= Some(&(APPEND.share * APPEND.clients)));
        assert!(lengths.len() > 300, "{} lists", lengths.len());
        assert!(kinds.iter().all(|&count| count > 500), "{kinds:?}");
    }

    #[test]
    fn a_client_appends_to_a_fresh_list_after_it_has_created_it() {
        let mut created: BTreeSet<u64> = (0..APPEND.lists).collect();
        for step in APPEND.steps(2).take(2_000) {
            match step {
                Step::Create { list, .. } => assert!(created.insert(list)),
                Step::Transact { reads, appends } => {
                    let named = reads.iter().chain(appends.iter().map(|(list, _)| list));
                    named.for_each(|list| assert!(created.contains(list), "{list}"));
                }
            }
        }
    }

    #[test]
    fn commands_are_a_pure_function_of_settings_seed_and_client() {
        let first = |settings: Append, client| {
            let steps = settings.steps(client);
            steps.take(1000).collect::<Vec<_>>()
        };
        assert_eq!(first(APPEND, 2), first(APPEND, 2));
        assert_ne!(first(APPEND, 2), first(APPEND, 3));
        assert_ne!(first(APPEND, 2), first(Append { seed: 2, ..APPEND }, 2));
    }
}
