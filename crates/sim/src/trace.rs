//! What happens in a simulated world, written down: requests, deliveries, signals, verdicts,
//! answers; no consensus, no timers.
//!
//! All replicas of a group apply the same deliveries, so what a delivery leads to is written down
//! once per group, when the first of its replicas gets there. It can be read in three ways: as a
//! [`script`], for golden files, as a [`chronicle`], or as a [`timeline`] that browsers draw.
//!
//! Nothing here influences the world.

mod chronicle;
mod event;
mod group_view;
mod lanes;
mod lookups;
mod script;
mod text;
mod timeline;

use group_view::GroupView;
pub(crate) use lookups::Adviser;
use ssmr_core::replica::{Applied, Reply};
use ssmr_core::{
    Answer, ClientId, Command, CommandId, Completion, Delivery, GroupId, Hint, LocalTime,
    ObjectEvent, ObjectId, Query, Request, SessionId, Signal, Timestamp, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
pub use timeline::Timeline;

/// One delivery at one replica, and what it led to there; or an answer before the deliveries that
/// lead to it.
#[derive(Debug)]
pub(crate) struct Step {
    delivery: Option<Delivery>,
    signals: Vec<(GroupId, Signal)>,
    answers: Vec<(Arc<Answer>, Vec<Hint>)>,
    events: Vec<ObjectEvent>,
}

impl Step {
    /// A delivery that is about to be applied.
    pub(crate) fn new(delivery: &Delivery) -> Self {
        let (signals, answers, events) = Default::default();
        Self {
            delivery: Some(delivery.clone()),
            signals,
            answers,
            events,
        }
    }

    /// An early answer.
    pub(crate) fn early(reply: &Reply) -> Self {
        let (signals, events) = Default::default();
        Self {
            delivery: None,
            signals,
            answers: vec![(reply.answer.clone(), reply.hints.clone())],
            events,
        }
    }

    /// It has been applied, and this is all that it led to.
    pub(crate) fn led_to(&mut self, applied: &Applied) {
        let replies = applied.replies.iter();
        self.answers = replies
            .map(|reply| (reply.answer.clone(), reply.hints.clone()))
            .collect();
        self.signals.clone_from(&applied.signals);
        self.events.clone_from(&applied.events);
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
enum Happening {
    /// Somebody did something to the world.
    Note(String),
    /// Somebody was told hints, true or not.
    Hinted(String, Vec<Hint>),
    /// A client asked for something.
    Asked,
    /// A client asked where objects are.
    LookedUp(ClientId, Adviser, Vec<ObjectId>),
    /// A client was told where they are, as far as that is known.
    Advised(ClientId, Adviser, Vec<Hint>),
    /// A group told the cache where an object is.
    Published { at: GroupId, hint: Hint },
    /// A client asked the leader of a group to answer without ordering.
    Queried(GroupId),
    /// A client handed in an attempt.
    Sent(Arc<Command>),
    /// A group delivered an attempt.
    Delivered {
        at: GroupId,
        timestamp: Timestamp,
        expired: bool,
    },
    /// A group signalled another one.
    Signalled {
        from: GroupId,
        to: GroupId,
        signal: Signal,
    },
    /// A group delivered another one's signal.
    Heard { at: GroupId, from: GroupId },
    /// A group came to its verdict, and what it then did. The group that answers says its verdict;
    /// those of the others follow from the signals that have reached them (rule R4).
    Concluded {
        at: GroupId,
        verdict: Verdict,
        effects: Vec<ObjectEvent>,
        /// What the signals say, where it is something else.
        against: Option<Verdict>,
    },
    /// A group changed objects without a verdict: only mutants do.
    Acted {
        at: GroupId,
        effects: Vec<ObjectEvent>,
    },
    /// A group answered.
    Answered {
        at: GroupId,
        answer: Arc<Answer>,
        hints: Vec<Hint>,
    },
    /// The client learned how its request ended.
    Told(Completion),
}

/// When something happened, to which attempt of which request.
#[derive(Clone, Debug)]
struct Line {
    at: LocalTime,
    /// The request, as a number in the trace's list.
    request: Option<usize>,
    id: Option<CommandId>,
    what: Happening,
}

/// A request, as it was asked.
#[derive(Debug)]
struct Asked {
    client: ClientId,
    request: Request,
    /// How many numbers its session has given it.
    numbers: usize,
    /// Whether a script shows it.
    shown: bool,
}

/// Everything that happened in a world, if somebody listens.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    listens: bool,
    hushed: bool,
    shows_lookups: bool,
    lines: Vec<Line>,
    requests: Vec<Asked>,
    open: BTreeMap<(ClientId, u64), usize>,
    numbers: BTreeMap<(SessionId, u64), usize>,
    sent: BTreeSet<CommandId>,
    published: BTreeSet<(GroupId, ObjectId, Timestamp)>,
    group_views: BTreeMap<GroupId, GroupView>,
}

impl Trace {
    /// From now on, things are written down.
    pub(crate) fn listen(&mut self) {
        self.listens = true;
    }

    pub(crate) fn listens(&self) -> bool {
        self.listens
    }

    /// From now on, scripts do (not) show what is asked or noted.
    pub(crate) fn hush(&mut self, hushed: bool) {
        self.hushed = hushed;
    }

    /// Somebody does something to the world.
    pub(crate) fn note(&mut self, now: LocalTime, what: impl FnOnce() -> String) {
        if self.listens && !self.hushed {
            self.write(now, None, None, Happening::Note(what()));
        }
    }

    /// Somebody is told hints, true or not.
    pub(crate) fn hinted(&mut self, now: LocalTime, who: &str, hints: &[Hint]) {
        if self.listens && !self.hushed {
            let what = Happening::Hinted(who.into(), hints.to_vec());
            self.write(now, None, None, what);
        }
    }

    /// A client asks for something.
    pub(crate) fn asked(
        &mut self,
        now: LocalTime,
        client: ClientId,
        ticket: u64,
        request: &Request,
    ) {
        if !self.listens {
            return;
        }
        let number = self.requests.len();
        self.requests.push(Asked {
            client,
            request: request.clone(),
            numbers: 0,
            shown: !self.hushed,
        });
        self.open.insert((client, ticket), number);
        self.write(now, Some(number), None, Happening::Asked);
    }

    /// A client hands in an attempt, perhaps once more.
    pub(crate) fn sent(&mut self, now: LocalTime, command: &Arc<Command>) {
        if self.listens && self.sent.insert(command.id) {
            let request = self.belongs(command.id, &command.request);
            let what = Happening::Sent(command.clone());
            self.write(now, request, Some(command.id), what);
        }
    }

    /// A client asks for an answer without ordering, perhaps once more.
    pub(crate) fn queried(&mut self, now: LocalTime, query: &Query, at: GroupId) {
        if self.listens && self.sent.insert(query.id) {
            let request = self.belongs(query.id, &query.request);
            self.write(now, request, Some(query.id), Happening::Queried(at));
        }
    }

    /// A client learns how its request has ended.
    pub(crate) fn told(&mut self, now: LocalTime, client: ClientId, completion: &Completion) {
        if let Some(number) = self.open.remove(&(client, completion.ticket)) {
            let (id, what) = (completion.last_attempt, Happening::Told(completion.clone()));
            self.write(now, Some(number), id, what);
        }
    }

    /// A replica of a group has applied some deliveries: those that are new are written down.
    pub(crate) fn applied(&mut self, now: LocalTime, group: GroupId, steps: Vec<Step>) {
        for step in steps {
            let group_view = self.group_views.entry(group).or_default();
            for (id, what) in group_view.look_through(group, step) {
                let number = id.and_then(|id| self.numbers.get(&(id.session, id.number)));
                self.write(now, number.copied(), id, what);
            }
        }
    }

    fn write(
        &mut self,
        at: LocalTime,
        request: Option<usize>,
        id: Option<CommandId>,
        what: Happening,
    ) {
        self.lines.push(Line {
            at,
            request,
            id,
            what,
        });
    }

    /// Which request an attempt is made for: one that asks for just this, or one whose objects it
    /// gathers.
    fn belongs(&mut self, id: CommandId, made: &Request) -> Option<usize> {
        let key = (id.session, id.number);
        if let Some(number) = self.numbers.get(&key) {
            return Some(*number);
        }
        let client = id.session.client;
        let open = self.open.range((client, 0)..=(client, u64::MAX));
        let open: Vec<usize> = open.map(|(_, number)| *number).collect();
        let asks = |number: &&usize| self.requests[**number].request == *made;
        let names = |number: &&usize| {
            let mut objects = made.objects();
            objects.all(|object| self.requests[**number].request.intent(object).is_some())
        };
        let asking = open.iter().filter(asks);
        let asking = asking.min_by_key(|number| self.requests[**number].numbers);
        let number = asking.or_else(|| open.iter().find(names)).copied()?;
        self.requests[number].numbers += 1;
        self.numbers.insert(key, number);
        Some(number)
    }
}
