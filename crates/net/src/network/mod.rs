//! An emulated network: sites, what it is like to get from one to another, and who is where.
//!
//! It says; it delays nothing itself (see [`delay_line`](crate::delay_line)). Every process of a
//! cluster must have the same one: each end of a connection emulates what it sends.
//!
//! Invariant: a network that was read has a route between each two of its sites, and everybody is
//! at one of them.

mod display;
mod quantities;
mod read;
mod route;
mod routes;

pub(crate) use read::{BuiltIn, read};
pub use route::Route;

use crate::file::FileProblems;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ssmr_core::{ClientId, ReplicaId};
use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// Names of the networks that come with the program, and their files.
const BUILT_IN: [(&str, &str); 2] = [
    ("lan", include_str!("lan.toml")),
    ("wan", include_str!("wan.toml")),
];

/// What draws begin from unless somebody says otherwise.
pub(crate) const SEED: u64 = 1;

/// Sites, the routes between them, and who is at which.
///
/// As text it is TOML, and so it is serialised: see `docs/network.md`.
/// ```
/// use ssmr_net::Network;
/// use std::time::Duration;
///
/// let network: Network = r#"
/// sites = ["here", "there"]
/// [between]
/// latency = "20ms"
/// "#.parse().unwrap();
/// assert_eq!(network.longest_round_trip(), Duration::from_millis(40));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// For its draws.
    seed: u64,
    sites: Vec<String>,
    /// From the first site to each, then from the second one, and so on.
    routes: Vec<Route>,
    placement: Placement,
    /// The replicas that are elsewhere than the placement says.
    replicas: BTreeMap<ReplicaId, usize>,
    /// Clients are at these in turn.
    clients: Vec<usize>,
    caches: usize,
}

/// Where replicas are that are not placed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placement {
    /// Replica `i` of each group is at site `i`, modulo the number of sites: a group outlives a
    /// site.
    Spread,
    /// All replicas of partition `i` are at site `i`, modulo the number of sites; those of the
    /// oracle at the first one.
    ByGroup,
}

/// Who sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A replica.
    Replica(ReplicaId),
    /// A client.
    Client(ClientId),
    /// The shared cache: all its servers.
    Caches,
}

impl Network {
    /// The network of this name that comes with the program: `lan` or `wan`.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        let parsed = text.parse();
        Some(parsed.unwrap_or_else(|error| unreachable!("{name}.toml is good: {error}")))
    }

    /// The names of those that come with the program.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Its name, if it comes with the program, whatever its seed is.
    #[must_use]
    pub fn name_as_built_in(&self) -> Option<&'static str> {
        let is_same = |name: &&str| {
            let known = Self::built_in(name).map(|known| known.with_seed(self.seed));
            known.as_ref() == Some(self)
        };
        Self::built_in_names().find(is_same)
    }

    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// All that is wrong with it, with lines and keys.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, FileProblems> {
        read::parse(text, path.as_ref())
    }

    /// This network with another seed. Each direction of each connection draws from a stream of its
    /// own, which this seed and both ends determine.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// What draws begin from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The names of the sites.
    #[must_use]
    pub fn sites(&self) -> &[String] {
        &self.sites
    }

    /// The name of the site where somebody is.
    #[must_use]
    pub fn site(&self, party: Party) -> &str {
        &self.sites[self.place(party)]
    }

    /// What it is like to get from one to the other.
    #[must_use]
    pub fn route(&self, from: Party, to: Party) -> &Route {
        self.between(self.place(from), self.place(to))
    }

    /// The longest time that a small frame takes to get anywhere and an answer back, if neither is
    /// lost. Timers of replicas and clients allow for it.
    #[must_use]
    pub fn longest_round_trip(&self) -> Duration {
        let count = self.sites.len();
        let pairs = (0..count * count).map(|pair| (pair / count, pair % count));
        let round_trip = |(from, to)| {
            let (there, back) = (self.between(from, to), self.between(to, from));
            there.longest() + back.longest()
        };
        pairs.map(round_trip).max().unwrap_or_default()
    }

    /// How long a connection takes to be set up: TCP's handshake and the greetings, a round trip
    /// each.
    pub(crate) fn handshake(&self, from: Party, to: Party) -> Duration {
        2 * (self.route(from, to).latency + self.route(to, from).latency)
    }

    /// The replicas that are placed by name. Those that a cluster does not have are left alone.
    pub fn placed_by_name(&self) -> impl Iterator<Item = ReplicaId> {
        self.replicas.keys().copied()
    }

    fn between(&self, from: usize, to: usize) -> &Route {
        &self.routes[from * self.sites.len() + to]
    }

    fn place(&self, party: Party) -> usize {
        match party {
            Party::Replica(id) => {
                let by_rule = match self.placement {
                    Placement::Spread => usize::from(id.index),
                    Placement::ByGroup => id.group.partition().map_or(0, |it| usize::from(it.0)),
                };
                let by_name = self.replicas.get(&id).copied();
                by_name.unwrap_or(by_rule % self.sites.len())
            }
            Party::Client(id) => self.clients[(id.0 % self.clients.len() as u64) as usize],
            Party::Caches => self.caches,
        }
    }
}

/// What is wrong is told as that of a file named `network`.
impl FromStr for Network {
    type Err = FileProblems;

    fn from_str(text: &str) -> Result<Self, FileProblems> {
        Self::parse(text, "network")
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(name: &str) -> Party {
        Party::Replica(name.parse().unwrap())
    }

    fn network(more: &str) -> Network {
        let sites = "sites = ['a', 'b', 'c']\n";
        let between = "\n[between]\nlatency = '10ms'\njitter = '1ms'\n";
        format!("{sites}{more}{between}").parse().unwrap()
    }

    #[test]
    fn replicas_of_a_group_are_spread_and_clients_take_turns() {
        let network = network("");
        for (name, site) in [
            ("p0r0", "a"),
            ("p7r1", "b"),
            ("oracler2", "c"),
            ("p0r3", "a"),
        ] {
            assert_eq!(network.site(replica(name)), site, "{name}");
        }
        for (client, site) in [(0, "a"), (4, "b"), (u64::MAX, "a")] {
            assert_eq!(network.site(Party::Client(ClientId(client))), site);
        }
        assert_eq!(network.site(Party::Caches), "a");
    }

    #[test]
    fn a_file_may_place_them_otherwise() {
        let network = network(
            "placement = 'by-group'\nclients = ['c', 'c', 'b']\ncaches = 'b'\n\
             [replicas]\np1r2 = 'c'\n",
        );
        for (name, site) in [
            ("p1r0", "b"),
            ("p1r2", "c"),
            ("p3r2", "a"),
            ("oracler1", "a"),
        ] {
            assert_eq!(network.site(replica(name)), site, "{name}");
        }
        let of_clients = (0..4).map(|client| network.site(Party::Client(ClientId(client))));
        assert_eq!(of_clients.collect::<String>(), "ccbc");
        assert_eq!(network.site(Party::Caches), "b");
        let placed: Vec<_> = network.placed_by_name().collect();
        assert_eq!(placed, ["p1r2".parse().unwrap()]);
    }

    #[test]
    fn a_round_trip_is_both_ways_with_their_jitter() {
        let network = network("[[route]]\nfrom = 'b'\nto = 'c'\nlatency = '70ms'\n");
        let (b, c) = (replica("p0r1"), replica("p0r2"));
        assert_eq!(network.route(b, c).latency, Duration::from_millis(70));
        assert_eq!(network.route(c, b).latency, Duration::from_millis(10));
        assert_eq!(network.longest_round_trip(), Duration::from_millis(82));
        assert_eq!(network.handshake(b, c), Duration::from_millis(160));
        assert_eq!(network.route(b, b).latency, Duration::ZERO);
    }

    #[test]
    fn what_was_written_is_read() {
        let names: Vec<_> = Network::built_in_names().collect();
        assert_eq!(names, ["lan", "wan"]);
        let own = network("placement = 'by-group'\n[replicas]\np1r2 = 'c'\n");
        let built_in = names.iter().filter_map(|name| Network::built_in(name));
        for network in built_in.chain([own]) {
            let network = network.with_seed(7);
            let read: Network = network.to_string().parse().unwrap();
            assert_eq!(read, network, "{network}");
        }
        assert_eq!(Network::built_in("man"), None);
    }
}
