//! A trace as a picture over time, for `chrome://tracing` and <https://ui.perfetto.dev>.
//!
//! Each group and each client is a process; each of its lines shows one request or command at a
//! time, so what is under way at once is side by side. A client's span is a request, with its
//! attempts within; a group's is a command from its delivery to its verdict. Arrows are commands,
//! signals and answers; what somebody does to the world is a mark over all lines.
//!
//! A span ends one microsecond after the last that happens in it, so that arrows have something to
//! hold on to. Invariant: on each line spans nest, and the picture is a pure function of the trace.

use super::event::{Event, Place};
use super::lanes::Lanes;
use super::text::{self, Names};
use super::{Happening, Line, Trace};
use serde::Serialize;
use ssmr_core::{ClientId, CommandId, GroupId, LocalTime};
use std::collections::BTreeMap;

/// The world's own process: what is done to it, and how it ends.
const WORLD: Place = Place { pid: 1, tid: 1 };

/// All events of one simulation. It is written as a file by serializing it as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Timeline {
    #[serde(rename = "displayTimeUnit")]
    unit: &'static str,
    #[serde(rename = "traceEvents")]
    events: Vec<Event>,
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Actor {
    Group(GroupId),
    Client(ClientId),
}

/// A span that has begun.
#[derive(Clone, Debug)]
struct Open {
    at: Place,
    begun: u64,
    name: String,
}

/// A request under way, with its present attempt.
#[derive(Debug)]
struct OpenRequest {
    span: Open,
    attempt: Option<(Option<CommandId>, Open)>,
}

/// A picture being drawn.
struct Drawing<'a> {
    trace: &'a Trace,
    names: Names,
    events: Vec<Event>,
    processes: BTreeMap<Actor, (u64, Lanes)>,
    requests: BTreeMap<usize, OpenRequest>,
    commands: BTreeMap<(GroupId, CommandId), Open>,
    /// Where the spans of attempts and commands are: ends of arrows.
    sent: BTreeMap<CommandId, (Place, u64)>,
    placed: BTreeMap<(GroupId, CommandId), Place>,
    answered: BTreeMap<CommandId, (Place, u64)>,
    signalled: BTreeMap<(CommandId, GroupId, GroupId), (Place, u64)>,
    /// Signals that came before the command.
    early: BTreeMap<(CommandId, GroupId), Vec<GroupId>>,
    arrows: u64,
}

impl Trace {
    /// All that happened, to be drawn, and how it ended.
    pub(crate) fn timeline(&self, end: LocalTime, ending: &str) -> Timeline {
        let mut drawing = Drawing::of(self);
        self.lines.iter().for_each(|line| drawing.draw(line));
        drawing.finish(end.micros(), ending)
    }
}

impl<'a> Drawing<'a> {
    fn of(trace: &'a Trace) -> Self {
        let mut actors: Vec<Actor> = trace.group_views.keys().map(|g| Actor::Group(*g)).collect();
        actors.extend(
            trace
                .requests
                .iter()
                .map(|asked| Actor::Client(asked.client)),
        );
        actors.sort_unstable();
        actors.dedup();
        let processes = (WORLD.pid + 1..).zip(actors);
        Self {
            trace,
            names: Names::default(),
            events: Vec::new(),
            processes: processes
                .map(|(pid, actor)| (actor, (pid, Lanes::default())))
                .collect(),
            requests: BTreeMap::new(),
            commands: BTreeMap::new(),
            sent: BTreeMap::new(),
            placed: BTreeMap::new(),
            answered: BTreeMap::new(),
            signalled: BTreeMap::new(),
            early: BTreeMap::new(),
            arrows: 0,
        }
    }

    fn draw(&mut self, line: &Line) {
        let now = line.at.micros();
        match (&line.what, line.request, line.id) {
            (Happening::Note(_) | Happening::Hinted(..), ..) => {
                let name = self.trace.sentence(line);
                let name = name.trim_start_matches("-- ");
                let event = Event::instant_of_all("fault", name, WORLD, now);
                self.events.push(event);
            }
            (Happening::Asked, Some(number), _) => self.ask(number, now),
            (Happening::Sent(command), Some(number), Some(id)) => {
                let to = text::groups(command.destinations.iter());
                let what = self.names.request(&command.request);
                self.attempt(number, Some(id), format!("{what} to {to}"), now);
            }
            (Happening::Queried(at), Some(number), id) => {
                self.attempt(number, id, format!("read at {at}, unordered"), now);
            }
            (Happening::Delivered { at, timestamp, .. }, _, Some(id)) => {
                self.deliver(*at, id, line, &format!("{timestamp:?}"), now);
            }
            (Happening::Signalled { from, to, .. }, _, Some(id)) => {
                if let Some(place) = self.placed.get(&(*from, id)).copied() {
                    self.signalled.insert((id, *from, *to), (place, now));
                    self.mark(line, place, "signal", now);
                }
            }
            (Happening::Heard { at, from }, _, Some(id)) => self.hear(*at, *from, id, now),
            (Happening::Concluded { at, .. }, _, Some(id)) => self.conclude(*at, id, line, now),
            (Happening::Answered { at, .. }, _, Some(id)) => {
                if let Some(place) = self.placed.get(&(*at, id)).copied() {
                    self.answered.entry(id).or_insert((place, now));
                    self.mark(line, place, "answer", now);
                }
            }
            (Happening::Told(completion), Some(number), _) => {
                self.tell(number, &text::ending(completion), now);
            }
            (Happening::LookedUp(..) | Happening::Advised(..), Some(number), _) => {
                let request = self.requests.get(&number);
                if let Some(at) = request.map(|request| request.span.at) {
                    self.mark(line, at, "look-up", now);
                }
            }
            (Happening::Acted { at, .. } | Happening::Published { at, .. }, _, _) => {
                if let Some((pid, _)) = self.processes.get(&Actor::Group(*at)) {
                    let at = Place { pid: *pid, tid: 0 };
                    self.mark(line, at, "group", now);
                }
            }
            // What no client of the world has asked for has no span of its own.
            _ => {}
        }
    }

    /// Something that happens at one moment.
    fn mark(&mut self, line: &Line, at: Place, cat: &'static str, now: u64) {
        let name = self.trace.sentence(line);
        self.events.push(Event::instant(cat, name, at, now));
    }

    /// A span of somebody begins.
    fn open(&mut self, actor: Actor, name: String, begun: u64) -> Open {
        let fresh = self.processes.len() as u64 + WORLD.pid + 1;
        let (pid, lanes) = self
            .processes
            .entry(actor)
            .or_insert_with(|| (fresh, Lanes::default()));
        let at = Place {
            pid: *pid,
            tid: lanes.take(begun),
        };
        Open { at, begun, name }
    }

    /// Nothing more happens in a span after `last`.
    fn close(&mut self, actor: Actor, span: Open, cat: &'static str, last: u64) -> Event {
        let end = last + 1;
        if let Some((_, lanes)) = self.processes.get_mut(&actor) {
            lanes.give_back(span.at.tid, end);
        }
        Event::span(cat, span.name, span.at, span.begun, end)
    }

    fn arrow(&mut self, name: &str, from: (Place, u64), to: (Place, u64)) {
        self.arrows += 1;
        self.events
            .extend(Event::arrow(name, self.arrows, from, to));
    }

    fn ask(&mut self, number: usize, now: u64) {
        let asked = &self.trace.requests[number];
        let name = self.names.request(&asked.request);
        let span = self.open(Actor::Client(asked.client), name, now);
        let request = OpenRequest {
            span,
            attempt: None,
        };
        self.requests.insert(number, request);
    }

    fn attempt(&mut self, number: usize, id: Option<CommandId>, name: String, now: u64) {
        self.end_attempt(number, now, now);
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        let at = request.span.at;
        let begun = now;
        request.attempt = Some((id, Open { at, begun, name }));
        if let Some(id) = id {
            self.sent.insert(id, (at, now));
        }
    }

    /// The present attempt of a request is over, at `now`, and drawn to `end`.
    fn end_attempt(&mut self, number: usize, now: u64, end: u64) {
        let request = self.requests.get_mut(&number);
        let Some((id, span)) = request.and_then(|request| request.attempt.take()) else {
            return;
        };
        if let Some(from) = id.and_then(|id| self.answered.get(&id).copied()) {
            self.arrow("answer", from, (span.at, now));
        }
        let mut event = Event::span("attempt", span.name, span.at, span.begun, end);
        if let Some(id) = id {
            event = event.with("id", format!("{id:?}"));
        }
        self.events.push(event);
    }

    fn tell(&mut self, number: usize, ending: &str, now: u64) {
        self.end_attempt(number, now, now + 1);
        if let Some(request) = self.requests.remove(&number) {
            let client = self.trace.requests[number].client;
            let event = self.close(Actor::Client(client), request.span, "request", now);
            self.events.push(event.with("ends", ending));
        }
    }

    fn deliver(&mut self, at: GroupId, id: CommandId, line: &Line, timestamp: &str, now: u64) {
        // One name for two commands: only hostile clients do.
        self.unfinished(at, id, now);
        let asked = line.request.map(|number| &self.trace.requests[number]);
        let what = asked.map(|asked| self.names.request(&asked.request));
        let name = what.unwrap_or_else(|| format!("{id:?}"));
        let name = format!("{timestamp} {name}");
        let span = self.open(Actor::Group(at), name, now);
        self.placed.insert((at, id), span.at);
        if let Some(from) = self.sent.get(&id).copied() {
            self.arrow("command", from, (span.at, now));
        }
        self.commands.insert((at, id), span);
        for from in self.early.remove(&(id, at)).unwrap_or_default() {
            self.hear(at, from, id, now);
        }
    }

    fn hear(&mut self, at: GroupId, from: GroupId, id: CommandId, now: u64) {
        match self.placed.get(&(at, id)).copied() {
            Some(place) => {
                if let Some(said) = self.signalled.remove(&(id, from, at)) {
                    self.arrow("signal", said, (place, now));
                }
            }
            None => self.early.entry((id, at)).or_default().push(from),
        }
    }

    fn conclude(&mut self, at: GroupId, id: CommandId, line: &Line, now: u64) {
        if let Some(span) = self.commands.remove(&(at, id)) {
            let event = self.close(Actor::Group(at), span, "command", now);
            let event = event.with("id", format!("{id:?}"));
            self.events
                .push(event.with("verdict", self.trace.sentence(line)));
        }
    }

    /// A command that came to no verdict.
    fn unfinished(&mut self, at: GroupId, id: CommandId, now: u64) {
        if let Some(span) = self.commands.remove(&(at, id)) {
            let event = self.close(Actor::Group(at), span, "command", now);
            self.events.push(event.with("verdict", "none"));
        }
    }

    fn finish(mut self, end: u64, ending: &str) -> Timeline {
        for number in self.requests.keys().copied().collect::<Vec<_>>() {
            self.tell(number, "unanswered", end);
        }
        for (at, id) in self.commands.keys().copied().collect::<Vec<_>>() {
            self.unfinished(at, id, end);
        }
        let last = Event::instant_of_all("end", ending, WORLD, end);
        self.events.push(last);
        let mut events = self.names_of_processes();
        self.events.sort_by_key(Event::begins);
        events.append(&mut self.events);
        Timeline { unit: "ms", events }
    }

    fn names_of_processes(&self) -> Vec<Event> {
        let name = |what, at, name: &str| Event::name(what, at, name.into());
        let mut events = vec![
            name("process_name", WORLD, "world"),
            name("thread_name", WORLD, "faults, and the end"),
        ];
        for (actor, (pid, lanes)) in &self.processes {
            let (called, of) = match actor {
                Actor::Group(group) => (format!("group {group}"), "command"),
                Actor::Client(client) => (format!("client {client:?}"), "request"),
            };
            let at = |tid| Place { pid: *pid, tid };
            events.push(name("process_name", at(0), &called));
            let lines = 1..=lanes.count();
            events.extend(lines.map(|tid| name("thread_name", at(tid), &format!("{of} {tid}"))));
        }
        events
    }
}
