//! What a leader does with a shared cache that lies, fails or forgets, call by call.

use bytes::Bytes;
use ssmr_core::hooks::CacheCounts;
use ssmr_core::id::digest;
use ssmr_core::published::INTEREST_US;
use ssmr_core::{
    CacheCall, CacheReply, Change, Found, LeaderHooks, LocalTime, ObjectEvent, ObjectId, Published,
    Revision, Secret, Unpacked, ValueCodec, ValueReference,
};
use ssmr_strategy_cache::CacheHooks;

const X: ObjectId = ObjectId::new(0, 1);
const NOW: LocalTime = LocalTime::ZERO;

fn revision(version: u64) -> Revision {
    Revision {
        version,
        ..Revision::default()
    }
}

fn hooks() -> CacheHooks {
    CacheHooks::new(&Secret::new([7; 32]))
}

fn reference(value: &[u8]) -> ValueReference {
    Secret::new([7; 32]).reference(value)
}

/// The values that are to be stored, in order.
fn stored(hooks: &mut CacheHooks) -> Vec<(Bytes, Bytes)> {
    let calls = std::iter::from_fn(|| hooks.poll_cache_call());
    let sets = calls.filter_map(|call| match call {
        CacheCall::Set { key, value } => Some((key, value)),
        CacheCall::Get { .. } | CacheCall::Renew { .. } | CacheCall::Publish { .. } => None,
    });
    sets.collect()
}

/// What becomes of a reference if the cache answers so.
fn answered(hooks: &mut CacheHooks, reference: ValueReference, found: Found) -> Unpacked {
    let asked = hooks.unpack(NOW, X, revision(1), reference);
    assert_eq!(asked, Unpacked::Waiting);
    let Some(CacheCall::Get { key }) = hooks.poll_cache_call() else {
        panic!("the cache is asked");
    };
    hooks.on_cache_reply(NOW, CacheReply { key, found });
    hooks.unpack(NOW, X, revision(1), reference)
}

/// Two values that XXH3 maps to the same 64 bits, as anybody can make them up: for 9 to 16 bytes
/// it multiplies the first eight with the last eight, each XORed with a constant, so whatever is
/// multiplied with zero does not count.
fn colliding() -> [Bytes; 2] {
    const FIRST: u64 = 0x1f67_b3b7_a4a4_4072 ^ 0x78e5_c0cc_4ee6_79cb;
    const LAST: u64 = 0x2172_ffcc_7dd0_5a82 ^ 0x8e24_43f7_7446_08b8;
    let value = |first: u64, last: u64| {
        let halves = [(first ^ FIRST).to_le_bytes(), (last ^ LAST).to_le_bytes()];
        Bytes::from(halves.concat())
    };
    let seed = 0x0123_4567_89ab_cdef_u64;
    [value(0, seed), value(seed.swap_bytes(), 0)]
}

#[test]
fn forged_values_are_misses() {
    let [meant, collides] = colliding();
    assert_eq!(digest(&meant), digest(&collides), "or this proves less");
    assert_ne!(meant, collides);
    let mut longer = meant.to_vec();
    longer.push(0);
    let forged = [
        collides,
        Bytes::new(),
        meant.slice(1..),
        longer.into(),
        Bytes::from_static(b"another value of the cluster"),
    ];
    let mut hooks = hooks();
    let misses = forged.len() as u64;
    for value in forged {
        let came = answered(&mut hooks, reference(&meant), Found::Hit(value));
        assert_eq!(came, Unpacked::Missing);
    }
    assert_eq!(hooks.cache_counts(), CacheCounts { hits: 0, misses });
    let came = answered(&mut hooks, reference(&meant), Found::Hit(meant.clone()));
    assert_eq!(came, Unpacked::Ready(meant));
}

/// A copy is believed for the reference under which it came, and no other.
#[test]
fn copies_are_told_apart_by_their_digests() {
    let mut hooks = hooks();
    let (one, other) = (Bytes::from_static(b"one"), Bytes::from_static(b"other"));
    answered(&mut hooks, reference(&one), Found::Hit(one.clone()));
    let again = hooks.unpack(NOW, X, revision(1), reference(&one));
    assert_eq!(again, Unpacked::Ready(one));
    assert_eq!(hooks.poll_cache_call(), None, "it has a copy");
    let came = answered(&mut hooks, reference(&other), Found::Miss);
    assert_eq!(came, Unpacked::Missing);
}

/// Replicas with different secrets do not understand each other's references.
#[test]
fn another_secret_believes_nothing() {
    let value = Bytes::from_static(b"value");
    let sent = CacheHooks::new(&Secret::new([8; 32])).pack(NOW, X, revision(1), &value);
    let came = answered(&mut hooks(), sent.unwrap(), Found::Hit(value));
    assert_eq!(came, Unpacked::Missing);
}

#[test]
fn what_could_not_be_stored_is_sent_in_full_and_tried_again() {
    let mut hooks = hooks();
    let value = Bytes::from_static(b"value");
    let written = ObjectEvent {
        object: X,
        revision: revision(1),
        change: Change::Written(value.clone()),
        here: true,
        left: false,
    };
    hooks.on_change(NOW, &written);
    let [(key, bytes)] = &stored(&mut hooks)[..] else {
        panic!("it is stored");
    };
    assert_eq!(bytes, &value);
    let sent = Some(reference(&value));
    assert_eq!(hooks.pack(NOW, X, revision(1), &value), sent);
    let (key, found) = (key.clone(), Found::Down);
    hooks.on_cache_reply(NOW, CacheReply { key, found });
    assert_eq!(hooks.pack(NOW, X, revision(1), &value), None);
    assert_eq!(hooks.pack(NOW, X, revision(2), &value), sent, "another key");
    let later = NOW + 2_000_000;
    assert_eq!(hooks.pack(later, X, revision(1), &value), None);
    assert_eq!(stored(&mut hooks).len(), 1);
    assert_eq!(hooks.pack(later, X, revision(1), &value), sent);
}

/// What readers that may be told what is past are told of X: revisions, and values if it exists.
fn published(hooks: &mut CacheHooks) -> Vec<(Revision, Option<Bytes>)> {
    let calls = std::iter::from_fn(|| hooks.poll_cache_call());
    let renewals = calls.filter_map(|call| match call {
        CacheCall::Renew { key, value } if key == Published::key(X) => {
            let key = Secret::new([7; 32]).reader_key();
            let opened = Published::open(&value, &key, X).unwrap();
            Some((opened.revision, opened.value))
        }
        _ => None,
    });
    renewals.collect()
}

#[test]
fn values_are_published_for_a_while_after_somebody_has_asked_for_it() {
    let mut hooks = hooks();
    let [one, two] = [Bytes::from_static(b"one"), Bytes::from_static(b"two")];
    let changed = |version, change, here| ObjectEvent {
        object: X,
        revision: revision(version),
        change,
        here,
        left: false,
    };
    let written = changed(1, Change::Written(one.clone()), true);
    hooks.on_change(NOW, &written);
    assert_eq!(published(&mut hooks), [], "nobody has asked for it");
    hooks.on_wanted(NOW, X, Some((revision(1), one.clone())));
    assert_eq!(published(&mut hooks), [(revision(1), Some(one.clone()))]);
    hooks.on_change(NOW, &changed(2, Change::Written(two.clone()), true));
    hooks.on_change(NOW, &changed(3, Change::Written(two.clone()), false));
    hooks.on_change(NOW, &changed(2, Change::Deleted, true));
    let expected = [(revision(2), Some(two)), (revision(2), None)];
    assert_eq!(published(&mut hooks), expected, "what is elsewhere is not");
    let over = NOW + INTEREST_US;
    hooks.on_change(over, &changed(3, Change::Written(one.clone()), true));
    assert_eq!(published(&mut hooks), [], "nobody asks any more");
    hooks.on_wanted(over, X, None);
    assert_eq!(published(&mut hooks), [], "it is elsewhere");
    hooks.on_change(over, &changed(4, Change::Written(one.clone()), true));
    assert_eq!(published(&mut hooks), [(revision(4), Some(one))]);
}

#[test]
fn what_somebody_missed_is_stored_again() {
    let mut hooks = hooks();
    let value = Bytes::from_static(b"value");
    hooks.on_missed(NOW, X, revision(1), &value);
    let again = stored(&mut hooks);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].1, value);
    let (key, found) = (again[0].0.clone(), Found::Down);
    hooks.on_cache_reply(NOW, CacheReply { key, found });
    hooks.on_missed(NOW, X, revision(1), &value);
    assert!(stored(&mut hooks).is_empty(), "it was in vain a moment ago");
}
