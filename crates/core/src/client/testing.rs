//! What the tests of this folder share: a strategy of three partitions, answers, and a client with
//! its hands free.

use super::{ClientEngine, ClientOutbox, ClientSettings};
use crate::answer::{Answer, ClientMessage, Completion, ServerMessage, Verdict};
use crate::command::{Command, CommandId, SessionId};
use crate::id::{
    ClientId, GroupId, Groups, Hint, ObjectId, PartitionId, ReplicaId, Revision, Timestamp,
};
use crate::oracle::{Guess, Needs, Oracle, Placement};
use crate::request::Request;
use crate::time::{LocalTime, LogTime, LogicalClock, Micros};
use crate::topology::Topology;
use bytes::Bytes;
use std::sync::Arc;

pub(super) const P0: PartitionId = PartitionId(0);
pub(super) const P1: PartitionId = PartitionId(1);
pub(super) const P2: PartitionId = PartitionId(2);
pub(super) const X: ObjectId = ObjectId::new(1, 1);
pub(super) const Y: ObjectId = ObjectId::new(1, 2);
pub(super) const Z: ObjectId = ObjectId::new(1, 3);

/// The first partition has authority over everything; where objects are has to be asked.
#[derive(Clone, Debug)]
pub(super) struct AskFirst {
    pub(super) movable: bool,
    pub(super) shared_cache: bool,
}

impl Oracle for AskFirst {
    fn name(&self) -> &'static str {
        "ask-first"
    }

    fn authority(&self, _: &Topology, _: ObjectId) -> Groups {
        P0.into()
    }

    fn movable(&self) -> bool {
        self.movable
    }

    fn needs(&self) -> Needs {
        Needs {
            shared_cache: self.shared_cache,
            ..Needs::default()
        }
    }

    fn guess(&self, _: &Topology, object: ObjectId) -> Guess {
        let otherwise = P0.into();
        if self.shared_cache {
            let key = Bytes::from(object.to_string());
            Guess::Shared { key, otherwise }
        } else {
            Guess::Ask(otherwise)
        }
    }
}

/// The strategy in a cluster of three partitions of three replicas.
pub(super) fn placement() -> Placement {
    let oracle = AskFirst {
        movable: true,
        shared_cache: false,
    };
    Placement::new(oracle, Topology::new(3, 3).unwrap())
}

pub(super) fn at(micros: Micros) -> LocalTime {
    LocalTime::from_micros(micros)
}

pub(super) fn timestamp(clock: u64) -> Timestamp {
    Timestamp::new(LogicalClock(clock), P0.into())
}

pub(super) fn revision(clock: u64) -> Revision {
    Revision {
        epoch: timestamp(clock),
        version: 1,
    }
}

pub(super) fn hint(object: ObjectId, owner: PartitionId, clock: u64) -> Hint {
    Hint {
        object,
        owner,
        epoch: timestamp(clock),
    }
}

/// The first attempt at the first request of a session.
pub(super) fn attempt_id() -> CommandId {
    let session = SessionId {
        client: ClientId(1),
        opened: LogTime::ZERO,
    };
    CommandId {
        session,
        number: 1,
        attempt: 1,
    }
}

pub(super) fn answer(verdict: Verdict) -> Answer {
    Answer {
        id: attempt_id(),
        verdict,
        reply: Bytes::new(),
        timestamp: timestamp(1),
        touched: Vec::new(),
    }
}

/// A client whose messages the test looks at, and answers.
pub(super) struct Bench {
    pub(super) client: ClientEngine,
    pub(super) out: ClientOutbox,
    pub(super) now: LocalTime,
}

impl Bench {
    /// A client that was told the time.
    pub(super) fn new(settings: ClientSettings) -> Self {
        let mut bench = Self::ungreeted(placement().oracle().clone(), settings);
        bench.pass(1);
        bench.tell_time();
        bench.out.messages.clear();
        bench
    }

    /// A client that knows nothing.
    pub(super) fn ungreeted(oracle: impl Oracle, settings: ClientSettings) -> Self {
        let placement = Placement::new(oracle, *placement().topology());
        Self {
            client: ClientEngine::new(ClientId(1), placement, settings),
            out: ClientOutbox::default(),
            now: LocalTime::ZERO,
        }
    }

    pub(super) fn submit(&mut self, request: Request) -> u64 {
        self.client.submit(self.now, request, &mut self.out)
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, micros: Micros) {
        self.now += micros;
        self.client.on_timer(self.now, &mut self.out);
    }

    /// The client hears something from the first replica of a group.
    pub(super) fn hear(&mut self, group: impl Into<GroupId>, message: ServerMessage) {
        let from = ReplicaId {
            group: group.into(),
            index: 0,
        };
        self.client
            .on_message(self.now, from, message, &mut self.out);
    }

    /// Every group tells the client its time.
    pub(super) fn tell_time(&mut self) {
        let time = LogTime::from_micros(self.now.micros());
        for group in placement().topology().groups().iter() {
            self.hear(group, ServerMessage::Time(time));
        }
    }

    /// The client is told where objects are.
    pub(super) fn tell(&mut self, hints: &[Hint]) {
        let (hints, unknown) = (hints.to_vec(), Vec::new());
        self.hear(P0, ServerMessage::Consulted { hints, unknown });
    }

    /// The first destination of an attempt answers it.
    pub(super) fn answer(&mut self, command: &Command, verdict: Verdict, hints: &[Hint]) {
        let answer = Answer {
            id: command.id,
            ..answer(verdict)
        };
        let message = ServerMessage::Answer {
            answer: Arc::new(answer),
            hints: hints.to_vec(),
            time: LogTime::ZERO,
        };
        let from = command.destinations.first().unwrap();
        self.hear(from, message);
    }

    /// What was sent since the last call.
    pub(super) fn sent(&mut self) -> Vec<(ReplicaId, ClientMessage)> {
        std::mem::take(&mut self.out.messages)
    }

    /// The attempts that were sent since the last call, each once.
    pub(super) fn attempts(&mut self) -> Vec<Arc<Command>> {
        let mut commands: Vec<Arc<Command>> = Vec::new();
        for (_, message) in self.sent() {
            if let ClientMessage::Submit(command) = message
                && !commands.contains(&command)
            {
                commands.push(command);
            }
        }
        commands
    }

    /// The only attempt that was sent since the last call.
    pub(super) fn attempt(&mut self) -> Arc<Command> {
        let attempts = self.attempts();
        assert_eq!(attempts.len(), 1, "{attempts:?}");
        attempts[0].clone()
    }

    pub(super) fn completed(&mut self) -> Option<Completion> {
        self.client.poll_completed()
    }
}
