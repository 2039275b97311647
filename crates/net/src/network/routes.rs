//! From what tables say of routes to the route between each two sites.
//!
//! Invariant: the most special table counts, and no pair of sites is left out or described twice.

use super::Route;
use super::quantities::{LONGEST, bandwidth, share, time};
use crate::file::{Given, Problems, Section};
use std::collections::BTreeSet;
use std::time::Duration;

/// Linux gives up waiting this long after a round trip at the earliest.
const LEAST_TIMEOUT: Duration = Duration::from_millis(200);

/// The most bytes that may be under way on one connection: bandwidth times delay.
const MOST_UNDER_WAY: u128 = 256 << 20;

/// What a table says of routes; what it leaves out a more general one says.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties {
    latency: Option<Duration>,
    jitter: Option<Duration>,
    bandwidth: Option<u64>,
    loss: Option<f64>,
    retransmission_timeout: Option<Duration>,
}

impl Properties {
    /// These, and for what they leave out the others.
    fn or(self, other: &Self) -> Self {
        Self {
            latency: self.latency.or(other.latency),
            jitter: self.jitter.or(other.jitter),
            bandwidth: self.bandwidth.or(other.bandwidth),
            loss: self.loss.or(other.loss),
            retransmission_timeout: self.retransmission_timeout.or(other.retransmission_timeout),
        }
    }
}

/// A table, and where it is.
pub(super) struct Table {
    pub(super) place: Given<()>,
    pub(super) properties: Properties,
}

impl Table {
    /// What a table says, apart from the keys that were taken from it before.
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let mut span = |key| section.parsed_by(key, time).map(|it| it.value);
        let properties = Properties {
            latency: span("latency"),
            jitter: span("jitter"),
            retransmission_timeout: span("retransmission_timeout"),
            bandwidth: section.parsed_by("bandwidth", bandwidth).map(|it| it.value),
            loss: section.parsed_by("loss", share).map(|it| it.value),
        };
        let place = section.place();
        section.end();
        Self { place, properties }
    }
}

/// A table of a route.
pub(super) struct Stretch {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) table: Table,
}

/// What was said of all routes.
pub(super) struct Routes<'n> {
    pub(super) sites: &'n [String],
    pub(super) within: Table,
    pub(super) between: Table,
    pub(super) stretches: Vec<Stretch>,
}

impl Routes<'_> {
    /// The routes between all sites.
    pub(super) fn all(&self, problems: &Problems<'_>) -> Option<Vec<Route>> {
        self.note_repeated(problems);
        let count = self.sites.len();
        let every = (0..count * count).map(|pair| (pair / count, pair % count));
        let said: Vec<_> = every.map(|pair| self.said(pair)).collect();
        let mut routes = Vec::new();
        for (pair, (place, properties)) in said.iter().enumerate() {
            let (from, to) = (pair / count, pair % count);
            let (_, back) = &said[to * count + from];
            let Some(latency) = properties.latency else {
                let [from, to] = [from, to].map(|site| &self.sites[site]);
                let what = format!("the latency from {from} to {to} is missing");
                problems.at(place, what);
                continue;
            };
            let round_trip = latency + back.latency.unwrap_or(latency);
            let route = Route {
                latency,
                jitter: properties.jitter.unwrap_or_default(),
                bandwidth: properties.bandwidth,
                loss: properties.loss.unwrap_or_default(),
                retransmission_timeout: properties
                    .retransmission_timeout
                    .unwrap_or((round_trip + LEAST_TIMEOUT).min(LONGEST)),
            };
            if route.under_way() > MOST_UNDER_WAY {
                let mebibytes = route.under_way() >> 20;
                let what = format!(
                    "bandwidth times delay is {mebibytes} MiB: 256 may be. Without a bandwidth \
                     there is no limit"
                );
                problems.at(place, what);
            }
            routes.push(route);
        }
        (routes.len() == said.len()).then_some(routes)
    }

    /// What was said of one pair, and the most special place where.
    fn said(&self, (from, to): (usize, usize)) -> (&Given<()>, Properties) {
        let own = self
            .stretches
            .iter()
            .find(|it| it.pairs.contains(&(from, to)));
        // Machines at one site are as near as can be, unless somebody says otherwise.
        let near = Properties {
            latency: Some(Duration::ZERO),
            ..Properties::default()
        };
        let (table, general) = match from == to {
            true => (&self.within, self.within.properties.clone().or(&near)),
            false => (&self.between, self.between.properties.clone()),
        };
        match own {
            Some(Stretch { table, .. }) => (&table.place, table.properties.clone().or(&general)),
            None => (&table.place, general),
        }
    }

    /// Notes each route that two tables describe.
    fn note_repeated(&self, problems: &Problems<'_>) {
        let mut seen = BTreeSet::new();
        for stretch in &self.stretches {
            let mut pairs = stretch.pairs.clone();
            pairs.dedup();
            for (from, to) in pairs {
                if !seen.insert((from, to)) {
                    let [from, to] = [from, to].map(|site| &self.sites[site]);
                    let what = format!("the way from {from} to {to} is described twice");
                    problems.at(&stretch.table.place, what);
                }
            }
        }
    }
}
