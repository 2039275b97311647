//! From flags to what a run is made of: topologies, workloads, servers that must be there.
//!
//! It starts nothing. Invariant: what it hands out can be run on this machine; what cannot is refused by its flag.

use crate::cli::{Directory, RunArgs, UsageError};
use crate::machine;
use crate::registry::{self, Parts, Visitor};
use crate::workload::chirper::{Chirper, MAX_FOLLOWERS};
use crate::workload::graph::Graph;
use crate::workload::kv::Kv;
use crate::workload::{OF_NO_CLIENT, stream};
use ssmr_core::topology::TopologyError;
use ssmr_core::{Oracle, Topology};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// The size of the made-up graph: that of SNAP's ego-Facebook.
const GRAPH: (u64, u64) = (4_039, 88_234);

/// How long a memcached server may take to accept a connection before the run starts.
const CACHE_PATIENCE: Duration = Duration::from_secs(2);

/// The topology that a strategy's clusters have.
struct TheLayout;

impl Visitor for TheLayout {
    type Output = Topology;

    fn visit<O: Oracle>(self, _oracle: O, topology: Topology) -> Topology {
        topology
    }
}

/// What strategies are made from, if this machine carries the clusters of those that were asked for.
pub(crate) fn parts(args: &RunArgs) -> Result<Parts, UsageError> {
    let usage = |flag| move |error: TopologyError| UsageError::new(flag, error.to_string());
    let topology = Topology::new(args.partitions, args.replicas).map_err(usage("--partitions"))?;
    let with_oracle = topology
        .with_oracle(args.oracle_replicas)
        .map_err(usage("--oracle-replicas"))?;
    let parts = Parts {
        topology,
        with_oracle,
        directory: args.directory == Directory::Home,
        incarnation: 0,
    };
    for strategy in args.strategies() {
        machine::carries(&registry::with(strategy, &parts, TheLayout), args.clients)?;
    }
    Ok(parts)
}

/// Workload kv as the flags say.
pub(crate) fn kv(args: &RunArgs) -> Kv {
    Kv {
        seed: args.seed,
        clients: args.clients,
        partitions: args.partitions,
        keys: args.kv.keys,
        distribution: args.kv.distribution,
        object_size: args.kv.object_size as usize,
        multi_objects: args.kv.multi_objects,
        percentages: args.percentages(),
    }
}

/// Workload chirper as the flags say.
pub(crate) fn chirper(args: &RunArgs) -> Result<Chirper, UsageError> {
    let graph = match &args.chirper.graph {
        None => Graph::scale_free(GRAPH.0, GRAPH.1, &mut stream(args.seed, OF_NO_CLIENT)),
        Some(file) => {
            let problem = |problem: &dyn std::fmt::Display| {
                UsageError::new("--graph", format!("{}: {problem}", file.display()))
            };
            let graph = Graph::read(file).map_err(|error| problem(&error))?;
            if graph.greatest_degree() > MAX_FOLLOWERS {
                let most = format!(
                    "a vertex has {} neighbours, the limit is {MAX_FOLLOWERS}",
                    graph.greatest_degree()
                );
                return Err(problem(&most));
            }
            graph
        }
    };
    if args.clients > graph.vertex_count() {
        let problem = format!(
            "{} clients for {} users: each needs one to post for",
            args.clients,
            graph.vertex_count()
        );
        return Err(UsageError::new("--clients", problem));
    }
    Ok(Chirper {
        seed: args.seed,
        clients: args.clients,
        mix: args.chirper.mix,
        graph: Arc::new(graph),
    })
}

/// A server that is not there would cost time in every lookup and prove nothing.
pub(crate) fn check_memcached(args: &RunArgs) -> Result<(), UsageError> {
    for server in &args.memcached {
        let there = server.to_socket_addrs().and_then(|mut addresses| {
            let address = addresses.next().ok_or(std::io::ErrorKind::NotFound)?;
            TcpStream::connect_timeout(&address, CACHE_PATIENCE)
        });
        there.map_err(|error| {
            UsageError::new("--memcached", format!("cannot reach {server}: {error}"))
        })?;
    }
    Ok(())
}
