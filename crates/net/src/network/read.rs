//! Reads a network from TOML that people write: its sites, who is where, and the tables of its
//! routes. What these come to is `routes.rs`' to say.

use super::routes::{Properties, Routes, Stretch, Table};
use super::{Network, Placement, SEED};
use crate::file::{FileProblems, Given, Problems, Section};
use ssmr_core::ReplicaId;
use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

/// Reads the text of the file at `path`.
pub(super) fn parse(text: &str, path: &Path) -> Result<Network, FileProblems> {
    let problems = Problems::with(text);
    let network = Section::parse(&problems).and_then(|top| read(top, &problems));
    problems.result(path, network)
}

/// The network that a table describes; `None` if it describes none, which is noted.
pub(crate) fn read<'t>(mut top: Section<'t, '_>, problems: &Problems<'t>) -> Option<Network> {
    let problems_before = problems.count();
    let sites = top.required("sites", |top| top.list::<String>("sites"));
    let sites = sites.map_or_else(Vec::new, |sites| names(problems, sites));
    let names = Names {
        sites: &sites,
        problems,
    };
    let placement = top.parsed::<Placement>("placement").map(|it| it.value);
    let clients = top.list::<String>("clients").map(|it| names.clients(&it));
    let caches = top.text("caches").and_then(|name| names.site(&name));
    let seed = top.integer::<u64>("seed").map(|it| it.value);
    let replicas = top.section("replicas").map(|it| names.replicas(it));
    let mut general = |key| match top.section(key) {
        Some(section) => Table::read(section),
        None => Table {
            place: top.place_of_missing(key),
            properties: Properties::default(),
        },
    };
    let (within, between) = (general("within"), general("between"));
    let stretches = top.sections("route").into_iter();
    let stretches = stretches.filter_map(|it| names.stretch(it)).collect();
    top.end();

    if sites.is_empty() {
        return None;
    }
    let routes = Routes {
        sites: &sites,
        within,
        between,
        stretches,
    };
    let routes = routes.all(problems);
    (problems.count() == problems_before).then_some(())?;
    Some(Network {
        seed: seed.unwrap_or(SEED),
        routes: routes?,
        placement: placement.unwrap_or(Placement::Spread),
        replicas: replicas.unwrap_or_default(),
        clients: clients.unwrap_or_else(|| (0..sites.len()).collect()),
        caches: caches.unwrap_or(0),
        sites,
    })
}

/// The name of a network that comes with the program.
pub(crate) struct BuiltIn(pub(crate) Network);

impl FromStr for BuiltIn {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Network::built_in_names().collect::<Vec<_>>().join(", ");
        let network = Network::built_in(name).map(Self);
        network.ok_or_else(|| format!("{name:?} is not one of {}, nor a table", known()))
    }
}

impl FromStr for Placement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "spread" => Ok(Self::Spread),
            "by-group" => Ok(Self::ByGroup),
            _ => Err(format!("{text:?} is neither spread nor by-group")),
        }
    }
}

/// The names of the sites, each once; those that are none are noted and left out.
fn names(problems: &Problems<'_>, given: Given<Vec<Given<String>>>) -> Vec<String> {
    if given.value.is_empty() {
        problems.at(&given, "one site is needed at least");
    }
    let mut names = Vec::new();
    for name in given.value {
        let is_good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let text = &name.value;
        if names.contains(text) {
            problems.at(&name, format!("{text:?} is named twice"));
        } else if text.is_empty() || !text.chars().all(is_good) {
            let problem = format!("{text:?} is no name of letters, digits, - and _");
            problems.at(&name, problem);
        } else {
            names.push(name.value);
        }
    }
    names
}

/// Finds sites by their names.
struct Names<'n, 'p, 't> {
    sites: &'n [String],
    problems: &'p Problems<'t>,
}

impl<'t> Names<'_, '_, 't> {
    fn site(&self, name: &Given<String>) -> Option<usize> {
        let place = self.sites.iter().position(|site| *site == name.value);
        // Where there are no sites, that is what is wrong.
        if place.is_none() && !self.sites.is_empty() {
            let problem = format!("{:?} is not one of {}", name.value, self.sites.join(", "));
            self.problems.at(name, problem);
        }
        place
    }

    fn clients(&self, given: &Given<Vec<Given<String>>>) -> Vec<usize> {
        if given.value.is_empty() {
            self.problems.at(given, "one site is needed at least");
        }
        let names = given.value.iter();
        names.filter_map(|name| self.site(name)).collect()
    }

    fn replicas(&self, mut section: Section<'t, '_>) -> BTreeMap<ReplicaId, usize> {
        let entries = section.entries::<ReplicaId>().into_iter();
        let placed = entries.filter_map(|(id, entry)| Some((id, self.site(&entry.text()?)?)));
        placed.collect()
    }

    /// One table of a route: its ends and properties.
    fn stretch(&self, mut section: Section<'t, '_>) -> Option<Stretch> {
        let place = section.place();
        let between = section.list::<String>("between");
        let [from, to] = ["from", "to"].map(|key| section.text(key));
        let table = Table::read(section);
        let pairs = match (between, from, to) {
            (Some(ends), None, None) => match &ends.value[..] {
                [one, other] => {
                    let (one, other) = (self.site(one), self.site(other));
                    let (one, other) = (one?, other?);
                    vec![(one, other), (other, one)]
                }
                _ => {
                    self.problems.at(&ends, "two sites are needed");
                    return None;
                }
            },
            (None, Some(from), Some(to)) => {
                let (from, to) = (self.site(&from), self.site(&to));
                vec![(from?, to?)]
            }
            _ => {
                let problem = "its ends are needed: between = [\"one\", \"other\"] for both \
                               directions, or from and to for one";
                self.problems.at(&place, problem);
                return None;
            }
        };
        Some(Stretch { pairs, table })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_a_route_leaves_out_the_general_tables_say() {
        let text = "sites = ['a', 'b']\n[between]\njitter = '1ms'\nbandwidth = '1mbit'\n\
                    [[route]]\nfrom = 'a'\nto = 'b'\nlatency = '10ms'\nloss = '1%'\n\
                    [[route]]\nfrom = 'b'\nto = 'a'\nlatency = '30ms'\njitter = '2ms'\n";
        let network: Network = text.parse().unwrap();
        let [within, there, back, _] = &network.routes[..] else {
            panic!("{network}")
        };
        let ms = Duration::from_millis;
        assert_eq!((within.latency, within.bandwidth), (ms(0), None));
        assert_eq!((there.jitter, there.loss), (ms(1), 0.01));
        assert_eq!((back.jitter, back.loss), (ms(2), 0.0));
        assert_eq!(there.bandwidth, Some(1_000_000));
        // A round trip and what Linux adds to it at least.
        assert_eq!(there.retransmission_timeout, ms(240));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_line_and_key() {
        let text = "sites = ['a', 'b', 'a']\n\
                    plaecment = 'spread'\n\
                    clients = ['c']\n\
                    seed = -1\n\
                    [between]\n\
                    latency = '40'\n\
                    [replicas]\n\
                    p0 = 'a'\n\
                    p0r1 = 'd'\n\
                    [[route]]\n\
                    between = ['a']\n\
                    [[route]]\n\
                    from = 'a'\n\
                    loss = 0.5\n";
        let error = text.parse::<Network>().unwrap_err();
        let problems = error.problems().iter();
        let found: Vec<_> = problems.map(|it| (it.line.unwrap(), &it.key[..])).collect();
        let expected = [
            (1, "sites"),
            (2, "plaecment"),
            (3, "clients"),
            (4, "seed"),
            (5, "between"),
            (5, "between"),
            (6, "between.latency"),
            (8, "replicas.p0"),
            (9, "replicas.p0r1"),
            (11, "route.between"),
            (12, "route"),
            (14, "route.loss"),
        ];
        assert_eq!(found, expected, "{error}");
        let told = error.to_string();
        assert!(
            told.contains("network:9: replicas.p0r1: \"d\" is not one of a, b"),
            "{told}"
        );
    }

    #[test]
    fn routes_are_complete_and_said_once_and_hold_what_memory_can() {
        let told = |text: &str| text.parse::<Network>().unwrap_err().to_string();
        assert_eq!(
            told("sites = ['a', 'b']\n").matches("is missing").count(),
            2
        );
        assert!(told("").contains("sites: it is missing"));
        assert!(told("sites = []").contains("network:1: sites: one site is needed"));
        assert!(told("sites = ['a'").starts_with("network:1: "));
        let twice = "sites = ['a', 'b']\n[between]\nlatency = '1ms'\n[[route]]\n\
                     between = ['a', 'b']\n[[route]]\nfrom = 'b'\nto = 'a'\n";
        assert!(told(twice).contains("network:6: route: the way from b to a is described twice"));
        let wide = "sites = ['a']\n[within]\nlatency = '1s'\nbandwidth = '10gbit'\n";
        assert!(
            told(wide).contains("bandwidth times delay is 1192 MiB"),
            "{}",
            told(wide)
        );
    }
}
