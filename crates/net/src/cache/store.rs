//! What the embedded cache holds: items, bounded by bytes; the least useful ones go first.
//!
//! Pure but for the eviction policy, which is `quick_cache`'s. Invariant: each change of an item
//! gives it a new, greater CAS number.

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use ssmr_core::Micros;

/// One item.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub(super) value: Bytes,
    /// The client's own flags.
    pub(super) flags: u32,
    /// Names this state of the item.
    pub(super) cas: u64,
    /// When it is gone, if ever.
    pub(super) expires: Option<Micros>,
    /// It was invalidated, and waits to be replaced.
    pub(super) stale: bool,
    /// Somebody was told to replace it.
    pub(super) promised: bool,
    /// It was read before.
    pub(super) read: bool,
}

/// Items by key.
#[derive(Debug)]
pub(super) struct Store {
    items: Cache<Bytes, Item, ByBytes>,
    cas: u64,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Bytes, Item> for ByBytes {
    fn weight(&self, key: &Bytes, item: &Item) -> u64 {
        (key.len() + item.value.len() + super::ITEM_OVERHEAD) as u64
    }
}

impl Store {
    /// A store for so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let expected = (bytes / 1024).clamp(16, 1 << 16) as usize;
        Self {
            items: Cache::with_weighter(expected, bytes, ByBytes),
            cas: 0,
        }
    }

    /// The item under `key`, if there is one that has not expired.
    pub(super) fn get(&mut self, key: &[u8], now: Micros) -> Option<Item> {
        let item = self.items.get(key)?;
        if item.expires.is_none_or(|expires| now < expires) {
            return Some(item.clone());
        }
        self.items.remove(key);
        None
    }

    /// Stores an item with a new CAS number, or with `cas`. Returns the number.
    pub(super) fn put(&mut self, key: Bytes, item: Item, cas: Option<u64>) -> u64 {
        self.cas += 1;
        let cas = cas.unwrap_or(self.cas);
        // A client may have forced a number that lies ahead; ours must stay greater.
        self.cas = self.cas.max(cas);
        self.items.insert(key, Item { cas, ..item });
        cas
    }

    /// Changes what is no new state of the item: its expiry, and who was told what.
    pub(super) fn amend(&mut self, key: Bytes, item: Item) {
        self.items.insert(key, item);
    }

    /// Forgets an item.
    pub(super) fn remove(&mut self, key: &[u8]) {
        self.items.remove(key);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.items.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bytes() {
        let mut store = Store::new(1 << 20);
        for key in 0..10_000u32 {
            let value = Bytes::from(vec![1; 1000]);
            let item = Item {
                value,
                ..Item::default()
            };
            store.put(Bytes::copy_from_slice(&key.to_le_bytes()), item, None);
        }
        assert!(store.items.weight() <= 1 << 20);
        assert!(store.items.len() > 500);
        assert!(store.get(&9_999u32.to_le_bytes(), 0).is_some());
    }

    #[test]
    fn items_expire() {
        let mut store = Store::new(1 << 20);
        let item = Item {
            expires: Some(10),
            ..Item::default()
        };
        store.put(Bytes::from_static(b"k"), item, None);
        assert!(store.get(b"k", 9).is_some());
        assert!(store.get(b"k", 10).is_none());
        assert!(store.get(b"k", 9).is_none());
    }
}
