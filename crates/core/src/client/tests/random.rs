//! Requests, answers in any order, late, lost or repeated, and time, all at random: what is
//! promised to the groups and to the user is judged from the messages alone.

use crate::answer::Verdict;
use crate::client::testing::{Bench, P0, P1, P2, hint};
use crate::client::{ClientSettings, Execution};
use crate::command::{Command, CommandId, SessionId};
use crate::id::{GroupId, Groups, ObjectId};
use crate::request::{Intent, Request};
use crate::topology::mix;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const RESEND: u64 = 250_000;

/// A client, and all that it sent and told.
struct Play {
    bench: Bench,
    dice: u64,
    /// Requests, numbered so that their attempts can be told apart.
    requests: u64,
    sent: Vec<Arc<Command>>,
    /// Attempts at requests, by what they run, that were answered with a retry.
    retried: BTreeSet<(Bytes, u32)>,
    attempts: BTreeMap<CommandId, Groups>,
    answered: BTreeSet<CommandId>,
    /// The greatest low watermark that each group was sent in each session.
    forgets_below: BTreeMap<(GroupId, SessionId), u64>,
    /// The last attempts of requests whose outcome is unknown, as the user was told.
    unknown: BTreeMap<Bytes, Option<CommandId>>,
    tickets: BTreeMap<u64, Bytes>,
}

impl Play {
    fn new(settings: ClientSettings, seed: u64) -> Self {
        Self {
            bench: Bench::new(settings),
            dice: seed,
            requests: 0,
            sent: Vec::new(),
            retried: BTreeSet::new(),
            attempts: BTreeMap::new(),
            answered: BTreeSet::new(),
            forgets_below: BTreeMap::new(),
            unknown: BTreeMap::new(),
            tickets: BTreeMap::new(),
        }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = mix(self.dice);
        self.dice % sides
    }

    fn submit(&mut self) {
        self.requests += 1;
        let op = Bytes::from(self.requests.to_be_bytes().to_vec());
        let mut request = Request::default();
        request.op = op.clone();
        for _ in 0..=self.roll(2) {
            request = request.and(ObjectId::new(1, self.roll(3)), Intent::Update);
        }
        let ticket = self.bench.submit(request);
        self.tickets.insert(ticket, op);
    }

    fn tell(&mut self) {
        let place = [P0, P1, P2][self.roll(3) as usize];
        let hint = hint(ObjectId::new(1, self.roll(3)), place, self.roll(9));
        self.bench.tell(&[hint]);
    }

    /// An attempt that was sent at any time is answered; every time alike, for its outcome is
    /// recorded.
    fn answer(&mut self) {
        let place = self.roll(self.sent.len() as u64) as usize;
        let command = self.sent[place].clone();
        let coin = mix(command.id.number ^ u64::from(command.id.attempt));
        let verdict = if coin.is_multiple_of(2) {
            let attempt = command.id.attempt;
            self.retried.insert((command.request.op.clone(), attempt));
            Verdict::Retry
        } else {
            Verdict::Done
        };
        self.answered.insert(command.id);
        self.bench.answer(&command, verdict, &[]);
    }

    fn step(&mut self) {
        match self.roll(4) {
            0 => self.submit(),
            1 => {
                let time = self.roll(2 * RESEND);
                self.bench.pass(time);
            }
            2 => self.tell(),
            _ if !self.sent.is_empty() => self.answer(),
            _ => {}
        }
        self.judge();
    }

    /// Each attempt is always the same and follows a retry for the one before; nothing is sent of a
    /// request whose last attempt the user was told, but that one; and no group is told to forget
    /// what it may be asked about.
    fn judge(&mut self) {
        let fresh = self.bench.attempts();
        for command in &fresh {
            let groups = self.attempts.entry(command.id);
            let groups = groups.or_insert(command.destinations);
            assert_eq!(*groups, command.destinations);
            let before = (command.request.op.clone(), command.id.attempt - 1);
            assert!(before.1 == 0 || self.retried.contains(&before));
            if let Some(told) = self.unknown.get(&command.request.op) {
                assert_eq!(*told, Some(command.id));
            }
        }
        for command in &fresh {
            for group in command.destinations.iter() {
                let below = self.forgets_below.entry((group, command.id.session));
                let below = below.or_default();
                *below = command.low_watermark.max(*below);
            }
        }
        let open = self
            .attempts
            .iter()
            .filter(|(id, _)| !self.answered.contains(id));
        for (id, groups) in open {
            let forgets = |group| self.forgets_below[&(group, id.session)] > id.number;
            assert!(!groups.iter().any(forgets), "{id:?} may be forgotten");
        }
        self.sent.extend(fresh);
        while let Some(completion) = self.bench.completed() {
            let op = self.tickets.remove(&completion.ticket).unwrap();
            if !completion.outcome.is_definite() {
                self.unknown.insert(op, completion.last_attempt);
            }
        }
    }

    /// Everything is answered, and everything ends.
    fn finish(&mut self) {
        for _ in 0..10 {
            for command in self.sent.clone() {
                self.answered.insert(command.id);
                self.bench.answer(&command, Verdict::Done, &[]);
            }
            let everywhere = (0..3).map(|key| hint(ObjectId::new(1, key), P0, 99));
            let hints: Vec<_> = everywhere.collect();
            self.bench.tell(&hints);
            self.judge();
        }
        let describe = self.bench.client.describe();
        assert_eq!(self.bench.client.outstanding(), 0, "{describe}");
        assert!(self.tickets.is_empty(), "{describe}");
    }
}

#[test]
fn r5_holds_whatever_is_answered_late_twice_or_never() {
    let mut unknown = 0;
    for seed in 0..400 {
        let mut settings = ClientSettings::default();
        if seed % 2 == 1 {
            settings = settings.with_execution(Execution::Gather);
        }
        if seed % 4 > 1 {
            settings = settings.with_deadline(Duration::from_secs(1));
        }
        let mut play = Play::new(settings, seed);
        (0..100).for_each(|_| play.step());
        play.finish();
        unknown += play.unknown.len();
    }
    assert!(unknown > 100, "{unknown} requests were given up");
}
