//! A bounded number of connections of one kind, the oldest of which gives way to a new one.
//!
//! For connections that anybody can open and that do no harm to lose: whoever has something to say
//! says it soon, or dials again. A stranger that opens many can therefore not keep others out by
//! holding on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A bounded number of places.
#[derive(Debug)]
pub(super) struct Places {
    limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    /// By age. Dropping the sender tells its holder that the place is lost.
    holders: BTreeMap<u64, oneshot::Sender<()>>,
}

/// A place that is held until it is dropped, or lost to a newer one.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    lost: oneshot::Receiver<()>,
}

impl Places {
    /// So many places, one at least.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit: limit.max(1),
            taken: Mutex::default(),
        })
    }

    /// Takes a place: from whoever has had one for longest, if none is free.
    pub(super) fn take(self: &Arc<Self>) -> Place {
        let (holder, lost) = oneshot::channel();
        let mut taken = self.taken();
        if taken.holders.len() >= self.limit {
            taken.holders.pop_first();
        }
        let number = taken.next;
        taken.next += 1;
        taken.holders.insert(number, holder);
        drop(taken);
        Place {
            places: self.clone(),
            number,
            lost,
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the place is lost to a newer one.
    pub(super) async fn lost(&mut self) {
        // Nothing is ever sent.
        let _ = (&mut self.lost).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().holders.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_lost(place: &mut Place) -> bool {
        place.lost.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_oldest_gives_way_and_who_leaves_makes_room() {
        let places = Places::new(2);
        let (mut first, mut second) = (places.take(), places.take());
        assert!(!is_lost(&mut first) && !is_lost(&mut second));
        let mut third = places.take();
        assert!(is_lost(&mut first) && !is_lost(&mut second) && !is_lost(&mut third));
        drop(second);
        let mut fourth = places.take();
        assert!(!is_lost(&mut third) && !is_lost(&mut fourth));
        drop(first);
        assert_eq!(places.taken().holders.len(), 2);
    }
}
