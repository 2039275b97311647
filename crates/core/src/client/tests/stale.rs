//! Reads that the shared cache may answer alone.

use crate::answer::{ClientMessage, Outcome, Verdict};
use crate::application::{Access, Application, Objects};
use crate::client::testing::{AskFirst, Bench, P1, X, Y, hint, revision};
use crate::client::{ClientSettings, StaleReads};
use crate::codec;
use crate::hooks::{CacheCall, CacheReply, Found};
use crate::id::ObjectId;
use crate::published::Published;
use crate::request::{Intent, Request};
use crate::secret::{ReaderKey, Secret};
use bytes::Bytes;

/// Numbers that are read.
struct Numbers;

impl Application for Numbers {
    const NAME: &'static str = "numbers";
    type Object = u64;
    type Op = ObjectId;
    type Reply = Option<u64>;

    fn access(&object: &ObjectId) -> Access {
        Access {
            reads: vec![object],
            writes: Vec::new(),
        }
    }

    fn execute(&object: &ObjectId, objects: &mut Objects<u64>) -> Option<u64> {
        objects.get(object).copied()
    }
}

fn key() -> ReaderKey {
    Secret::new([7; 32]).reader_key()
}

/// A client that knows where X is, of a strategy with or without a cache.
fn bench(shared_cache: bool) -> Bench {
    let oracle = AskFirst {
        movable: true,
        shared_cache,
    };
    let mut bench = Bench::ungreeted(oracle, ClientSettings::default());
    bench.client = bench
        .client
        .with_stale_reads(StaleReads::of::<Numbers>(key()));
    bench.pass(1);
    bench.tell_time();
    bench.tell(&[hint(X, P1, 1)]);
    bench.sent();
    bench
}

fn read(bench: &mut Bench, request: Request) -> Option<Bytes> {
    bench
        .client
        .submit_stale(bench.now, request, &mut bench.out);
    match bench.out.cache.pop() {
        Some(CacheCall::Get { key }) => Some(key),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn read_x() -> Request {
    Request::access::<Numbers>(&X)
}

fn say(bench: &mut Bench, found: Found) {
    let key = Published::key(X);
    let reply = CacheReply { key, found };
    bench.client.on_cache(bench.now, reply, &mut bench.out);
}

fn sealed(object: ObjectId, value: Option<u64>) -> Found {
    let published = Published {
        object,
        revision: revision(5),
        value: value.map(|value| codec::encode(&value)),
    };
    Found::Hit(published.seal(&key()))
}

#[test]
fn what_an_owner_published_is_the_answer_and_says_that_it_is_stale() {
    let mut bench = bench(true);
    assert_eq!(read(&mut bench, read_x()), Some(Published::key(X)));
    assert_eq!(read(&mut bench, read_x()), None, "it is asked for once");
    say(&mut bench, sealed(X, Some(9)));
    for _ in 0..2 {
        let completion = bench.completed().unwrap();
        assert_eq!(
            completion.outcome,
            Outcome::Done(codec::encode(&Some(9_u64)))
        );
        assert_eq!((completion.timestamp, completion.cost.groups), (None, 0));
        assert!(completion.cost.stale);
        assert_eq!(completion.touched[0].after, Some(revision(5)));
    }
    assert_eq!(told_to_publish(&mut bench), 3);
}

/// How many were told to publish X; nothing else was sent.
fn told_to_publish(bench: &mut Bench) -> usize {
    let sent = bench.sent();
    let told = |(_, message): &(_, ClientMessage)| *message == ClientMessage::Publish(X);
    assert!(sent.iter().all(told), "{sent:?}");
    sent.len()
}

#[test]
fn leaders_are_told_now_and_then_that_somebody_reads_what_they_publish() {
    let mut bench = bench(true);
    for (passed, told) in [(0, 3), (9_000_000, 0), (1_000_000, 3), (0, 0)] {
        bench.pass(passed);
        bench.sent();
        read(&mut bench, read_x());
        say(&mut bench, sealed(X, Some(9)));
        assert!(bench.completed().unwrap().cost.stale);
        assert_eq!(told_to_publish(&mut bench), told, "after {passed} us");
    }
}

#[test]
fn whatever_else_the_cache_says_the_owner_is_asked() {
    let forged = Published {
        object: X,
        revision: revision(5),
        value: Some(codec::encode(&9_u64)),
    };
    let forged = Found::Hit(forged.seal(&Secret::new([8; 32]).reader_key()));
    for (found, is_wanted) in [
        (Found::Miss, true),
        (forged, true),
        (sealed(Y, Some(9)), true),
        (sealed(X, None), false),
        (Found::Down, false),
    ] {
        let mut bench = bench(true);
        read(&mut bench, read_x());
        say(&mut bench, found.clone());
        let sent = bench.sent();
        let wanted = ClientMessage::Publish(X);
        let told = sent.iter().any(|(_, message)| *message == wanted);
        assert_eq!(told, is_wanted, "{found:?}: {sent:?}");
        let Some((_, ClientMessage::Submit(attempt))) = sent.first() else {
            panic!("{found:?}: {sent:?}");
        };
        bench.answer(attempt, Verdict::Done, &[]);
        let cost = bench.completed().unwrap().cost;
        assert_eq!((cost.stale, cost.stale_misses), (false, 1), "{found:?}");
    }
}

#[test]
fn a_cache_that_says_nothing_is_waited_for_once() {
    let mut bench = bench(true);
    read(&mut bench, read_x());
    bench.pass(250_000);
    let attempt = bench.attempt();
    say(&mut bench, sealed(X, Some(9)));
    assert!(bench.completed().is_none(), "the answer comes too late");
    bench.answer(&attempt, Verdict::Done, &[]);
    assert!(!bench.completed().unwrap().cost.stale);
}

#[test]
fn only_reads_of_one_object_may_be_stale_and_only_where_there_is_a_cache() {
    let two = Request::access::<Numbers>(&X).and(Y, Intent::Read);
    let expecting = read_x().expecting(X, revision(5));
    for request in [two, read_x().and(X, Intent::Write), expecting] {
        let mut bench = bench(true);
        let asked = read(&mut bench, request);
        assert!(asked.is_none_or(|key| Published::object_of(&key).is_none()));
    }
    let mut bench = bench(false);
    assert_eq!(read(&mut bench, read_x()), None);
    bench.attempt();
}
