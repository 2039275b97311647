//! Reading a cluster file.

use super::{ClusterFile, Experiment, KnownNames, Place};
use crate::config::{ClusterConfig, Incarnation};
use crate::endpoint::Endpoint;
use crate::file::{FileProblems, Given, Problems, Section};
use crate::limits::ConnectionLimits;
use crate::network::{self, BuiltIn, Network};
use ssmr_core::{GroupId, PartitionId, ReplicaId, Topology};
use ssmr_storage::Durability;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The service times that can be emulated, in microseconds.
const SERVICE_TIME_US: RangeInclusive<u64> = 10..=1_000_000;

pub(super) fn parse(
    text: &str,
    path: &Path,
    known: KnownNames<'_>,
) -> Result<ClusterFile, FileProblems> {
    let problems = Problems::with(text);
    let folder = path.parent().unwrap_or(Path::new(""));
    let file = Section::parse(&problems).and_then(|top| {
        let reader = Reader {
            problems: &problems,
            folder,
            known,
        };
        reader.cluster(top)
    });
    problems.result(path, file)
}

struct Reader<'p, 't, 'k> {
    problems: &'p Problems<'t>,
    /// Where paths begin that are not absolute.
    folder: &'p Path,
    known: KnownNames<'k>,
}

impl<'p, 't> Reader<'p, 't, '_> {
    /// `None` if something that it cannot be without is missing or wrong, which is noted.
    fn cluster(&self, mut top: Section<'t, 'p>) -> Option<ClusterFile> {
        let incarnation = top.required("incarnation", |top| {
            top.parsed::<Incarnation>("incarnation")
        });
        let strategy = top.required("strategy", |top| top.text("strategy"));
        if let Some(strategy) = &strategy {
            self.is_known(strategy, self.known.strategies);
        }
        let service = top.text("service");
        if let Some(service) = &service {
            self.is_known(service, self.known.services);
        }
        let durability = top.text("durability");
        let data = top.text("data").map(|data| self.path(data));
        let log_bytes = top.integer::<usize>("log_bytes");
        if let Some(bytes) = log_bytes.as_ref().filter(|bytes| bytes.value == 0) {
            self.problems.at(bytes, "it must be positive");
        }
        let listen = top.parsed::<Endpoint>("listen").map(|it| it.value);
        let metrics = top.parsed::<Endpoint>("metrics").map(|it| it.value);
        let secret = top.text("secret").map(|secret| self.path(secret));
        let tls = top.text("tls").map(|tls| self.path(tls));
        let insecure = top.flag("insecure").is_some_and(|it| it.value);
        let memcached = top.list::<Endpoint>("memcached").map(|it| it.value);
        let network = self.network(&mut top);
        let replicas = top.required("replicas", |top| top.section("replicas"));
        let replicas = replicas.and_then(|section| self.replicas(section));
        let limits = top.section("limits").map(|section| self.limits(section));
        let experiment = top.section("experiment");
        let experiment = experiment.map(|section| self.experiment(section));
        top.end();

        let replicas = replicas?;
        self.apart(&replicas, listen.as_ref());
        let durability = self.durability(durability.as_ref(), data, &replicas);
        let topology = self.topology(&replicas)?;
        let places = replicas.iter().filter_map(|(id, replica)| {
            let place = replica.value.place.clone();
            (place != Place::default()).then_some((*id, place))
        });
        let places = places.collect();
        let addresses = replicas
            .into_iter()
            .map(|(id, replica)| (id, replica.value.at));
        let servers = memcached.unwrap_or_default();
        let servers = servers.iter().map(|server| server.value.to_string());
        let mut config = ClusterConfig::new(topology, incarnation?.value.0, addresses)
            .with_cache_servers(servers.collect())
            .with_network(network);
        config.tls = tls;
        let placed = config.network.iter().flat_map(Network::placed_by_name);
        for stranger in placed.filter(|id| !config.addresses.contains_key(id)) {
            let key = format!("network.replicas.{stranger}");
            let problem = "the cluster has no such replica";
            self.problems.about(key, problem);
        }
        Some(ClusterFile {
            config,
            strategy: strategy?.value,
            service: service.map(|it| it.value),
            durability: durability?,
            log_bytes: log_bytes.map_or(ssmr_multicast::LOG_BYTES, |it| it.value),
            listen,
            metrics,
            secret,
            insecure,
            places,
            limits: limits.unwrap_or_default(),
            experiment: experiment.unwrap_or_default(),
        })
    }

    /// The emulated network, if there is one that can be read.
    fn network(&self, top: &mut Section<'t, 'p>) -> Option<Network> {
        match top.text_or_section::<BuiltIn>("network")? {
            Ok(built_in) => Some(built_in.value.0),
            Err(section) => network::read(section, self.problems),
        }
    }

    fn is_known(&self, name: &Given<String>, known: &[&str]) {
        if !known.is_empty() && !known.contains(&&*name.value) {
            let problem = format!("{:?} is not one of {}", name.value, known.join(", "));
            self.problems.at(name, problem);
        }
    }

    fn path(&self, given: Given<String>) -> PathBuf {
        self.folder.join(given.value)
    }

    /// Where replicas keep their logs: all of them somewhere, or none.
    fn durability(
        &self,
        wanted: Option<&Given<String>>,
        data: Option<PathBuf>,
        replicas: &BTreeMap<ReplicaId, Given<Replica>>,
    ) -> Option<Durability> {
        let own = |replica: &&Given<Replica>| replica.value.place.data.is_some();
        let with_folder = replicas.values().filter(own).count();
        let (any, all) = (with_folder > 0, with_folder == replicas.len());
        let refused = |problem: String| {
            match wanted {
                Some(wanted) => self.problems.at(wanted, problem),
                None => self.problems.about("data", problem),
            }
            None
        };
        let kind = match wanted.map(|wanted| &*wanted.value) {
            None if data.is_none() && !any => return Some(Durability::Memory),
            None | Some("sync") => Durability::Sync,
            Some("async") => Durability::Async,
            Some("memory") if data.is_none() && !any => return Some(Durability::Memory),
            Some("memory") => {
                let problem = "with \"memory\" nothing is kept, and there is a folder for it: data";
                return refused(problem.to_owned());
            }
            Some(other) => {
                return refused(format!("{other:?} is not one of memory, async, sync"));
            }
        };
        if data.is_none() && !all {
            return refused("a folder is needed for what is kept: data".to_owned());
        }
        Some(kind(data.unwrap_or_default()))
    }

    /// Two replicas cannot be at the same place.
    fn apart(&self, replicas: &BTreeMap<ReplicaId, Given<Replica>>, listen: Option<&Endpoint>) {
        let mut reached = BTreeMap::new();
        let mut listening = BTreeMap::new();
        for (id, replica) in replicas {
            let Replica { at, place } = &replica.value;
            let listens = place.listen.as_ref().or(listen).unwrap_or(at);
            if let Some(other) = reached.insert(at, id) {
                self.problems.at(replica, format!("{other} is there, too"));
            } else if let Some(other) = listening.insert((at.host(), listens.port()), id) {
                let problem = format!("{other} is on the same host and listens at the same port");
                self.problems.at(replica, problem);
            }
        }
    }

    /// All replicas; `None` if one of them is not described as it should be.
    fn replicas(
        &self,
        mut section: Section<'t, 'p>,
    ) -> Option<BTreeMap<ReplicaId, Given<Replica>>> {
        let problems_before = self.problems.count();
        let mut replicas = BTreeMap::new();
        for (id, entry) in section.entries::<ReplicaId>() {
            let replica = match entry.text_or_table::<Endpoint>() {
                None => continue,
                Some(Ok(at)) => at.map(|at| Replica {
                    at,
                    place: Place::default(),
                }),
                Some(Err(mut table)) => {
                    let at = table.required("at", |table| table.parsed::<Endpoint>("at"));
                    let place = Place {
                        listen: table.parsed("listen").map(|it| it.value),
                        metrics: table.parsed("metrics").map(|it| it.value),
                        data: table.text("data").map(|data| self.path(data)),
                    };
                    table.end();
                    let Some(at) = at else { continue };
                    at.map(|at| Replica { at, place })
                }
            };
            replicas.insert(id, replica);
        }
        (self.problems.count() == problems_before).then_some(replicas)
    }

    /// The groups of which these are the replicas.
    fn topology(&self, replicas: &BTreeMap<ReplicaId, Given<Replica>>) -> Option<Topology> {
        let mut counts: BTreeMap<GroupId, u8> = BTreeMap::new();
        for (id, replica) in replicas {
            let count = counts.entry(id.group).or_default();
            if *count != id.index {
                let missing = ReplicaId {
                    group: id.group,
                    index: *count,
                };
                let problem = format!("it is there, and {missing} is missing");
                self.problems.at(replica, problem);
                return None;
            }
            let Some(next) = count.checked_add(1) else {
                self.problems
                    .at(replica, "a group has at most 255 replicas");
                return None;
            };
            *count = next;
        }
        let oracle = counts.remove(&GroupId::ORACLE);
        let Ok(partitions) = u8::try_from(counts.len()) else {
            unreachable!("names of partitions go to p254")
        };
        let each = counts.values().copied().max().unwrap_or(0);
        for place in 0..partitions {
            let group = GroupId::from(PartitionId(place));
            let count = counts.get(&group).copied().unwrap_or(0);
            if count != each {
                let index = count;
                let problem = format!(
                    "{} is missing: another partition has {each} replicas",
                    ReplicaId { group, index }
                );
                self.problems.about("replicas", problem);
                return None;
            }
        }
        let topology = Topology::new(partitions, each).and_then(|topology| match oracle {
            Some(count) => topology.with_oracle(count),
            None => Ok(topology),
        });
        match topology {
            Ok(topology) => Some(topology),
            Err(problem) => {
                self.problems.about("replicas", problem);
                None
            }
        }
    }

    fn limits(&self, mut section: Section<'t, 'p>) -> ConnectionLimits {
        let mut limits = ConnectionLimits::default();
        let mut count = |key, limit: &mut usize| {
            let Some(given) = section.integer::<usize>(key) else {
                return;
            };
            if given.value == 0 {
                self.problems.at(&given, "it must be positive");
            }
            *limit = given.value;
        };
        count("clients", &mut limits.clients);
        count("ungreeted", &mut limits.ungreeted);
        count("operators", &mut limits.operators);
        count("per_replica", &mut limits.per_replica);
        count("unread", &mut limits.unread);
        count("unread_together", &mut limits.unread_together);
        count("waiting", &mut limits.waiting);
        count("requests_together", &mut limits.requests_together);
        let mut time = |key, limit: &mut Duration| {
            let Some(given) = section.integer::<u64>(key) else {
                return;
            };
            if given.value == 0 {
                self.problems.at(&given, "it must be positive");
            }
            *limit = Duration::from_millis(given.value);
        };
        time("stall_ms", &mut limits.stall);
        time("request_time_ms", &mut limits.request_time);
        section.end();
        limits
    }

    fn experiment(&self, mut section: Section<'t, 'p>) -> Experiment {
        let experiment = Experiment {
            seed: section.integer("seed").map(|it| it.value),
            service_time: section.integer::<u64>("service_time_us").map(|it| {
                if !SERVICE_TIME_US.contains(&it.value) {
                    let (from, to) = (SERVICE_TIME_US.start(), SERVICE_TIME_US.end());
                    self.problems
                        .at(&it, format!("it must be from {from} to {to}"));
                }
                Duration::from_micros(it.value)
            }),
            stages: section.flag("stages").is_some_and(|it| it.value),
        };
        section.end();
        experiment
    }
}

/// A replica, as one entry describes it.
struct Replica {
    at: Endpoint,
    place: Place,
}
