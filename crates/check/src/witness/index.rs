//! Look-up tables over a history: where each object is named, and revisions as plain numbers.

use crate::history::History;
use crate::operation::Observed;
use ssmr_core::{Application, Revision};

/// Where each object is named: by which operation, as which of its items.
pub(super) struct Index {
    starts: Vec<usize>,
    places: Vec<Place>,
}

/// One mention of an object.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) operation: u32,
    /// Which of its items.
    pub(super) item: u32,
}

impl Index {
    pub(super) fn of<A: Application>(history: &History<A>) -> Self {
        let operations = 0..history.len() as u32;
        let all = || {
            operations.clone().flat_map(|operation| {
                let items = history.items(operation as usize).iter().zip(0..);
                items.map(move |(named, item)| (named.object as usize, Place { operation, item }))
            })
        };
        let mut starts = vec![0; history.objects.values().len() + 1];
        all().for_each(|(object, _)| starts[object + 1] += 1);
        (1..starts.len()).for_each(|object| starts[object] += starts[object - 1]);
        let mut next = starts.clone();
        let mut places = vec![Place::default(); starts[starts.len() - 1]];
        for (object, place) in all() {
            places[next[object]] = place;
            next[object] += 1;
        }
        Self { starts, places }
    }

    pub(super) fn of_object(&self, object: u32) -> &[Place] {
        &self.places[self.starts[object as usize]..self.starts[object as usize + 1]]
    }
}

/// Revisions as integers of the same order.
pub(super) struct Revisions {
    /// The rank of each epoch.
    ranks: Vec<u32>,
    /// The epoch of each rank.
    sorted: Vec<u32>,
}

impl Revisions {
    pub(super) fn of<A: Application>(history: &History<A>) -> Self {
        let epochs = history.epochs.values();
        let mut sorted: Vec<u32> = (0..epochs.len() as u32).collect();
        sorted.sort_unstable_by_key(|&epoch| epochs[epoch as usize]);
        let mut ranks = vec![0; sorted.len()];
        (0..)
            .zip(&sorted)
            .for_each(|(rank, &epoch)| ranks[epoch as usize] = rank);
        Self { ranks, sorted }
    }

    pub(super) fn key(&self, seen: Observed) -> Option<u64> {
        match seen {
            Observed::At { epoch, version } => {
                Some(u64::from(self.ranks[epoch as usize]) << 32 | u64::from(version))
            }
            Observed::Untold | Observed::Absent => None,
        }
    }

    pub(super) fn revision<A: Application>(&self, history: &History<A>, key: u64) -> Revision {
        let epoch = self.sorted[(key >> 32) as usize];
        Revision {
            epoch: history.epochs.values()[epoch as usize],
            version: version(key),
        }
    }
}

/// The version in a key of [`Revisions`].
pub(super) fn version(key: u64) -> u64 {
    key & u64::from(u32::MAX)
}
