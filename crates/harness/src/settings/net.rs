//! The network that is emulated, and what `run.json` says of it.

use serde::{Serialize, Serializer};
use ssmr_core::{ClientId, Topology};
use ssmr_net::{Network, Party};
use std::collections::BTreeMap;
use std::path::Path;

/// The name of no network.
const NONE: &str = "none";

/// The network that everybody emulates, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Net {
    /// As it was given: `none`, `lan`, `wan`, or a file.
    name: String,
    network: Option<Network>,
}

impl Net {
    /// The network of this name, or that of this file.
    ///
    /// # Errors
    /// If there is none, or everything that is wrong with the file.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let network = match (name, Network::built_in(name)) {
            (NONE, _) => None,
            (_, Some(network)) => Some(network),
            _ => Some(read(name)?),
        };
        let name = name.to_owned();
        Ok(Self { name, network })
    }

    /// The network of a cluster whose file this is. Its name is that of the network, if it has
    /// one, else the file's.
    pub(crate) fn of_cluster(network: Option<Network>, file: &Path) -> Self {
        let Some(network) = network else {
            return Self {
                name: NONE.to_owned(),
                network,
            };
        };
        let name = network.name_as_built_in();
        Self {
            name: name.map_or_else(|| file.display().to_string(), str::to_owned),
            network: Some(network),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// It, drawing by this seed.
    pub(crate) fn with_seed(&self, seed: u64) -> Option<Network> {
        let network = self.network.clone();
        network.map(|network| network.with_seed(seed))
    }

    /// The first replica that its file names and that these clusters do not have.
    pub(crate) fn stranger(&self, topology: &Topology) -> Option<String> {
        let mut placed = self.network.iter().flat_map(Network::placed_by_name);
        let is_there = |id| topology.replicas().any(|known| known == id);
        let stranger = placed.find(|id| !is_there(*id));
        stranger.map(|id| id.to_string())
    }

    /// What `run.json` says of it, for clusters like this one with so many clients.
    pub(crate) fn described(&self, topology: &Topology, clients: u64) -> Option<Described> {
        let network = self.network.as_ref()?;
        let mut sites: BTreeMap<&str, Site> = BTreeMap::new();
        for name in network.sites() {
            sites.insert(name, Site::default());
        }
        let parties = topology.replicas().map(Party::Replica);
        let clients = (0..clients).map(|client| Party::Client(ClientId(client)));
        for party in parties.chain(clients).chain([Party::Caches]) {
            if let Some(site) = sites.get_mut(network.site(party)) {
                match party {
                    Party::Replica(id) => site.replicas.push(id.to_string()),
                    Party::Client(_) => site.clients += 1,
                    Party::Caches => site.caches = true,
                }
            }
        }
        let sites = sites.into_iter();
        Some(Described {
            sites: sites.map(|(name, site)| (name.to_owned(), site)).collect(),
            longest_round_trip_us: network.longest_round_trip().as_micros() as u64,
            file: network.to_string(),
        })
    }
}

fn read(path: &str) -> Result<Network, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let built_in: Vec<&str> = Network::built_in_names().collect();
        format!(
            "it is neither {NONE}, {}, nor a file that can be read: {error}",
            built_in.join(", ")
        )
    })?;
    Network::parse(&text, path).map_err(|problems| problems.to_string())
}

/// By name: that is how the user gave it.
impl Serialize for Net {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.name)
    }
}

/// A network with who is where.
#[derive(Debug, Serialize)]
pub(crate) struct Described {
    sites: BTreeMap<String, Site>,
    longest_round_trip_us: u64,
    /// All of it, as a file that `--net` takes.
    file: String,
}

/// Who is at one site.
#[derive(Debug, Default, Serialize)]
struct Site {
    replicas: Vec<String>,
    clients: u64,
    caches: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_known_by_name_or_read_from_a_file() {
        assert_eq!(Net::named("none").unwrap().with_seed(7), None);
        let wan = Net::named("wan").unwrap();
        assert_eq!(
            wan.with_seed(7),
            Network::built_in("wan").map(|it| it.with_seed(7))
        );
        assert_eq!(wan.name(), "wan");
        let told = Net::named("man").unwrap_err();
        assert!(
            told.contains("neither none, lan, wan, nor a file"),
            "{told}"
        );

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        std::fs::write(&path, "sites = ['a', 'b']\nhops = 3\n").unwrap();
        let told = Net::named(path.to_str().unwrap()).unwrap_err();
        assert!(
            told.contains("own.toml:2: hops: there is no such key"),
            "{told}"
        );
        // Both directions lack a latency.
        assert_eq!(told.matches("own.toml: between: ").count(), 2, "{told}");
    }

    #[test]
    fn that_of_a_cluster_has_its_own_name_or_the_files() {
        let file = Path::new("cluster.toml");
        let named = |network| Net::of_cluster(network, file).name().to_owned();
        assert_eq!(named(None), "none");
        let lan = Network::built_in("lan");
        assert_eq!(named(lan.map(|it| it.with_seed(7))), "lan");
        let own: Network = "sites = ['a']".parse().unwrap();
        assert_eq!(named(Some(own)), "cluster.toml");
    }

    #[test]
    fn run_json_says_who_is_where() {
        let topology = Topology::new(2, 3).unwrap();
        let described = Net::named("wan").unwrap().described(&topology, 4).unwrap();
        let site = |name: &str| {
            let site = &described.sites[name];
            (site.replicas.join(" "), site.clients, site.caches)
        };
        assert_eq!(site("virginia"), ("p0r0 p1r0".into(), 2, true));
        assert_eq!(site("oregon"), ("p0r1 p1r1".into(), 1, false));
        assert_eq!(site("ireland"), ("p0r2 p1r2".into(), 1, false));
        let again: Network = described.file.parse().unwrap();
        assert_eq!(Some(again), Network::built_in("wan"));
    }
}
