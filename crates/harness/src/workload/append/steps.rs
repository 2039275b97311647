//! The commands of one client of workload `append`.

use super::settings::Append;
use crate::workload::random::{draw, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// What a transaction does with one of its lists, and how often of ten: read it, append to it
/// unseen, or both.
const DEEDS: [u32; 3] = [4, 4, 2];

/// One command. Lists are told by their numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Step {
    /// A fresh list, with its first element.
    Create { list: u64, element: u64 },
    /// Reads, then appends.
    Transact {
        reads: Vec<u64>,
        appends: Vec<(u64, u64)>,
    },
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    settings: Append,
    client: u64,
    rng: ChaCha8Rng,
    /// How many elements this client has made up.
    element_count: u64,
    /// How often it has appended in each place, over all lists that were there one after the other.
    appended: Vec<u64>,
}

impl Steps {
    /// The commands of this client.
    pub(super) fn new(settings: &Append, client: u64) -> Self {
        Self {
            settings: settings.clone(),
            client,
            rng: stream(settings.seed, client),
            element_count: 0,
            appended: vec![0; settings.lists as usize],
        }
    }

    /// A number that nobody appends otherwise. Those below the number of lists were loaded.
    fn element(&mut self) -> u64 {
        self.element_count += 1;
        let Append { lists, clients, .. } = self.settings;
        lists + (self.element_count - 1) * clients + self.client
    }

    /// The list that this client has in a place: each takes the same ones, one after the other.
    fn list(&self, place: usize) -> u64 {
        let Append { lists, share, .. } = self.settings;
        self.appended[place] / share * lists + place as u64
    }

    /// Different places. One that was drawn already gives way to its neighbour, so that this ends.
    fn places(&mut self) -> Vec<usize> {
        let count = self.rng.random_range(1..=self.settings.most_lists);
        let mut places = Vec::new();
        for _ in 0..count {
            let mut place = self.rng.random_range(0..self.appended.len());
            while places.contains(&place) {
                place = (place + 1) % self.appended.len();
            }
            places.push(place);
        }
        places
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let places = self.places();
        // The first element of a client in a fresh list goes with its creation: others may have
        // been faster, but then the list is there.
        let share = self.settings.share;
        let fresh = |place: &&usize| {
            let appended = self.appended[**place];
            appended > 0 && appended.is_multiple_of(share)
        };
        if let Some(&place) = places.iter().find(fresh) {
            let list = self.list(place);
            self.appended[place] += 1;
            let element = self.element();
            return Some(Step::Create { list, element });
        }
        let (mut reads, mut appends) = (Vec::new(), Vec::new());
        for place in places {
            let list = self.list(place);
            let deed = draw(&mut self.rng, &DEEDS);
            if deed != 1 {
                reads.push(list);
            }
            if deed != 0 {
                self.appended[place] += 1;
                appends.push((list, self.element()));
            }
        }
        Some(Step::Transact { reads, appends })
    }
}
