//! The shared cache as it is from one's own site: calls and answers take their time on an emulated
//! network.
//!
//! The servers know nothing of it, nor does the client that talks to them: its time-outs are for
//! real connections. Without an emulated network it is that client and nothing else. Invariant:
//! what is under way is bounded in calls and in bytes.

use super::client::CacheClient;
use crate::delay_line::{DelayLine, Pipe};
use crate::location::Location;
use crate::network::Party;
use crate::timer::Timer;
use bytes::Bytes;
use ssmr_core::{CacheCall, CacheReply, Found, LocalTime};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::sync::mpsc;

/// How many calls and answers may be under way before calls are refused.
const CALLS: usize = 16 << 10;

/// How many bytes of values may be under way, there and back.
const BYTES: usize = 16 << 20;

/// The least bytes of a call or an answer.
const HEADER: usize = 32;

/// A way to the shared cache. What it has begun in the background ends with it.
#[derive(Debug)]
pub(crate) enum FarCache {
    /// No network is emulated.
    Near(CacheClient),
    /// One is.
    Far {
        calls: mpsc::Sender<CacheCall>,
        under_way: Arc<UnderWay>,
    },
}

/// What is between here and the caches: in both directions, without what the client has.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    calls: AtomicUsize,
    bytes: AtomicUsize,
}

impl FarCache {
    /// As [`CacheClient::start`], from where the caller is.
    pub(crate) fn start<I>(
        servers: Vec<String>,
        incarnation: u64,
        location: &Location,
        replies: &mpsc::Sender<I>,
    ) -> Self
    where
        I: From<CacheReply> + Send + 'static,
    {
        let there = location.way_to(Party::Caches, 0, &Pipe::default());
        let ways = there.zip(location.way_from(Party::Caches));
        let Some((there, back)) = ways.filter(|_| !servers.is_empty()) else {
            return Self::Near(CacheClient::start(servers, incarnation, replies));
        };
        let now = location.clock.now();
        let (calls, called) = mpsc::channel(CALLS);
        let under_way = Arc::new(UnderWay::default());
        let (sender, answers) = mpsc::channel(CALLS);
        let carrier = Carrier {
            timer: Timer::new(location.clock),
            there: Line::new(there, now),
            back: Line::new(back, now),
            client: CacheClient::start(servers, incarnation, &sender),
            under_way: under_way.clone(),
        };
        tokio::spawn(carrier.run(called, answers, replies.clone()));
        Self::Far { calls, under_way }
    }

    /// As [`CacheClient::call`].
    pub(crate) fn call(&self, call: CacheCall) -> Option<CacheReply> {
        let (calls, under_way) = match self {
            Self::Near(client) => return client.call(call),
            Self::Far { calls, under_way } => (calls, under_way),
        };
        let is_full = under_way.calls.load(Relaxed) >= CALLS
            || under_way.bytes.load(Relaxed) + value_bytes(&call) > BYTES;
        if is_full {
            return refused(call);
        }
        under_way.calls.fetch_add(1, Relaxed);
        under_way.bytes.fetch_add(value_bytes(&call), Relaxed);
        // There is room for as many as may be under way; who carries them ends with this.
        let _ = calls.try_send(call);
        None
    }
}

/// Things on their way in one direction.
struct Line<T> {
    delays: DelayLine,
    things: VecDeque<(T, usize)>,
}

impl<T> Line<T> {
    fn new(mut delays: DelayLine, now: LocalTime) -> Self {
        delays.connected(now);
        let things = VecDeque::new();
        Self { delays, things }
    }

    fn push(&mut self, now: LocalTime, thing: T, bytes: usize) {
        self.delays.push(now, bytes);
        self.things.push_back((thing, bytes));
    }

    /// What has come.
    fn take_due(&mut self, now: LocalTime) -> Vec<T> {
        let mut due = self.delays.take_due(now);
        let mut taken = Vec::new();
        while due > 0
            && let Some((thing, bytes)) = self.things.pop_front()
        {
            due -= bytes;
            taken.push(thing);
        }
        taken
    }
}

/// Carries calls to the client and answers back.
struct Carrier {
    timer: Timer,
    there: Line<CacheCall>,
    back: Line<CacheReply>,
    client: CacheClient,
    under_way: Arc<UnderWay>,
}

impl Carrier {
    /// Works until nobody can call any more, or wants an answer.
    async fn run<I: From<CacheReply>>(
        mut self,
        mut calls: mpsc::Receiver<CacheCall>,
        mut answers: mpsc::Receiver<CacheReply>,
        replies: mpsc::Sender<I>,
    ) {
        loop {
            let now = self.timer.now();
            let looks = [
                self.there.delays.next_look(now),
                self.back.delays.next_look(now),
            ];
            tokio::select! {
                call = calls.recv() => match call {
                    Some(call) => self.sent(call),
                    None => return,
                },
                Some(answer) = answers.recv() => self.answered(answer),
                () = self.timer.reaches(looks.into_iter().flatten().min()) => {}
            }
            for reply in self.carry() {
                if replies.send(reply.into()).await.is_err() {
                    return;
                }
            }
        }
    }

    fn sent(&mut self, call: CacheCall) {
        let bytes = HEADER + key_bytes(&call) + value_bytes(&call);
        self.there.push(self.timer.now(), call, bytes);
    }

    fn answered(&mut self, answer: CacheReply) {
        let bytes = found_bytes(&answer);
        let is_full = self.under_way.bytes.load(Relaxed) + bytes > BYTES;
        let answer = match is_full {
            true => down(answer.key),
            false => answer,
        };
        let bytes = found_bytes(&answer);
        self.under_way.calls.fetch_add(1, Relaxed);
        self.under_way.bytes.fetch_add(bytes, Relaxed);
        let bytes = HEADER + answer.key.len() + bytes;
        self.back.push(self.timer.now(), answer, bytes);
    }

    /// Hands on what has come to the caches. Returns what has come back.
    fn carry(&mut self) -> Vec<CacheReply> {
        let now = self.timer.now();
        for call in self.there.take_due(now) {
            self.under_way.bytes.fetch_sub(value_bytes(&call), Relaxed);
            self.under_way.calls.fetch_sub(1, Relaxed);
            if let Some(refused) = self.client.call(call) {
                self.answered(refused);
            }
        }
        let came = self.back.take_due(now);
        for reply in &came {
            self.under_way.calls.fetch_sub(1, Relaxed);
            self.under_way.bytes.fetch_sub(found_bytes(reply), Relaxed);
        }
        came
    }
}

/// The answer to a call that cannot be taken, if it waits for one.
fn refused(call: CacheCall) -> Option<CacheReply> {
    match call {
        CacheCall::Get { key } | CacheCall::Set { key, .. } => Some(down(key)),
        CacheCall::Renew { .. } | CacheCall::Publish { .. } => None,
    }
}

fn down(key: Bytes) -> CacheReply {
    let found = Found::Down;
    CacheReply { key, found }
}

fn key_bytes(call: &CacheCall) -> usize {
    let (CacheCall::Get { key }
    | CacheCall::Set { key, .. }
    | CacheCall::Renew { key, .. }
    | CacheCall::Publish { key, .. }) = call;
    key.len()
}

/// The bytes of a call that count against the bound.
fn value_bytes(call: &CacheCall) -> usize {
    match call {
        CacheCall::Set { value, .. } | CacheCall::Renew { value, .. } => value.len(),
        _ => 0,
    }
}

fn found_bytes(reply: &CacheReply) -> usize {
    match &reply.found {
        Found::Hit(value) => value.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::CacheServer;
    use crate::clock::Clock;
    use ssmr_core::ClientId;

    struct Setting {
        _server: CacheServer,
        cache: FarCache,
        replies: mpsc::Receiver<CacheReply>,
        clock: Clock,
    }

    fn setting(network: &str) -> Setting {
        let clock = Clock::start();
        let location = Location {
            own: Party::Client(ClientId(0)),
            network: Some(network.parse().unwrap()),
            clock,
        };
        let server = CacheServer::start("127.0.0.1:0".parse().unwrap(), 64 << 20).unwrap();
        let (sender, replies) = mpsc::channel(8);
        let servers = vec![server.address().to_string()];
        Setting {
            cache: FarCache::start(servers, 7, &location, &sender),
            _server: server,
            replies,
            clock,
        }
    }

    fn get(key: &'static str) -> CacheCall {
        let key = Bytes::from_static(key.as_bytes());
        CacheCall::Get { key }
    }

    /// The client's own time-out is shorter than that.
    const FAR: &str = "sites = ['a', 'b']\ncaches = 'b'\n[between]\nlatency = '60ms'\n";

    /// Stores a value and asks for it a hundred times at once; `None` if the client lost patience
    /// with the server meanwhile, as it may on a busy machine.
    async fn stored_and_read() -> Option<()> {
        let Setting {
            cache,
            mut replies,
            clock,
            _server,
        } = setting(FAR);
        let value = Bytes::from_static(b"1");
        let key = Bytes::from_static(b"x");
        assert_eq!(cache.call(CacheCall::Set { key, value }), None);
        // By then it is there; a get of the same batch might overtake it.
        assert_eq!(cache.call(get("y")), None);
        let reply = replies.recv().await?;
        (reply.found == Found::Miss).then_some(())?;
        let begun = clock.now();
        (0..100).for_each(|_| assert_eq!(cache.call(get("x")), None));
        for _ in 0..100 {
            let reply = replies.recv().await?;
            assert!(clock.now().since(begun) >= 120_000);
            (reply.found != Found::Down).then_some(())?;
            assert_eq!(reply.found, Found::Hit("1".into()));
        }
        let FarCache::Far { under_way, .. } = &cache else {
            panic!("{cache:?}")
        };
        assert_eq!(under_way.calls.load(Relaxed), 0);
        assert_eq!(under_way.bytes.load(Relaxed), 0);
        Some(())
    }

    #[tokio::test]
    async fn calls_take_both_ways_and_all_are_answered() {
        for _ in 0..50 {
            if stored_and_read().await.is_some() {
                return;
            }
        }
        panic!("the client lost patience with the server fifty times");
    }

    #[tokio::test]
    async fn what_is_under_way_is_bounded() {
        let Setting { cache, _server, .. } = setting(FAR);
        let calls = (0..CALLS).filter_map(|_| cache.call(get("x")));
        assert_eq!(calls.count(), 0);
        let refused = cache.call(get("x")).unwrap();
        assert_eq!(refused.found, Found::Down);

        let Setting { cache, _server, .. } = setting(FAR);
        let value = Bytes::from(vec![0; 1 << 20]);
        let key = Bytes::from_static(b"x");
        for _ in 0..20 {
            let (key, value) = (key.clone(), value.clone());
            cache.call(CacheCall::Set { key, value });
        }
        let FarCache::Far { under_way, .. } = &cache else {
            panic!("{cache:?}")
        };
        assert_eq!(under_way.bytes.load(Relaxed), BYTES);
    }
}
