//! Where the time of commands goes at a replica that is asked to measure it.
//!
//! ```text
//!   arrives ---- order ----> delivered ---- wait ----> executes ---- execute ----> answered
//! ```
//!
//! It stands where a partition does, between order and engine, and looks at a clock; nothing of it
//! is state. Invariant: it remembers a bounded number of commands, the latest ones.

use crate::clock::Clock;
use crate::hottest::Hottest;
use ssmr_core::replica::{Applied, Holdings, Reading, Reply};
use ssmr_core::snapshot::StatePart;
use ssmr_core::two_generation_map::TwoGenerationMap;
use ssmr_core::{
    Answer, ClientMessage, CommandId, Delivery, Encoded, GroupId, Hint, LocalTime, MessageId,
    ObjectId, Partition, Query, Revision, ServerMessage, Signal, Stages,
};
use std::sync::Arc;

/// How many commands are remembered that have not been answered.
const REMEMBERED: usize = 1 << 17;

/// A partition with a stopwatch, if its commands are to be measured, and a look at what they name.
pub(super) struct Timed {
    partition: Box<dyn Partition + Send>,
    pub(super) stopwatch: Option<Stopwatch>,
    /// Which objects commands name.
    pub(super) hottest: Hottest,
}

impl Timed {
    pub(super) fn new(partition: Box<dyn Partition + Send>, stopwatch: Option<Stopwatch>) -> Self {
        Self {
            partition,
            stopwatch,
            hottest: Hottest::default(),
        }
    }
}

/// When what became of which command.
#[derive(Debug)]
pub(super) struct Stopwatch {
    clock: Clock,
    commands: TwoGenerationMap<CommandId, Progress>,
}

/// How far a command is.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// A query came then.
    Asked(LocalTime),
    /// A command came then.
    Arrived(LocalTime),
    /// It was delivered.
    Delivered { order_us: u32, delivered: LocalTime },
    /// Its answer can leave.
    Executed(Stages),
}

impl Stopwatch {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            commands: TwoGenerationMap::new(REMEMBERED),
        }
    }

    /// A client has sent this. What it sends again counts from the first time.
    pub(super) fn arrived(&mut self, now: LocalTime, message: &ClientMessage) {
        let (id, progress) = match message {
            ClientMessage::Submit(command) => (command.id, Progress::Arrived(now)),
            ClientMessage::Query(query) => (query.id, Progress::Asked(now)),
            ClientMessage::Consult(_) | ClientMessage::Hello | ClientMessage::Publish(_) => {
                return;
            }
        };
        if self.commands.peek(id).is_none() {
            self.commands.insert(id, progress);
        }
    }

    fn delivered(&mut self, now: LocalTime, id: CommandId) {
        if let Some(Progress::Arrived(arrived)) = self.commands.peek(id) {
            let progress = Progress::Delivered {
                order_us: between(*arrived, now),
                delivered: now,
            };
            self.commands.insert(id, progress);
        }
    }

    /// These commands executed in a step from `begun` to now.
    fn executed(&mut self, begun: LocalTime, commands: &[CommandId]) {
        let step = between(begun, self.clock.now());
        let execute_us = step / commands.len().max(1) as u32;
        for &id in commands {
            if let Some(Progress::Delivered {
                order_us,
                delivered,
            }) = self.commands.peek(id)
            {
                let stages = Stages {
                    order_us: *order_us,
                    wait_us: between(*delivered, begun),
                    execute_us,
                };
                self.commands.insert(id, Progress::Executed(stages));
            }
        }
    }

    /// What goes before an answer that is about to leave, if its command was measured.
    pub(super) fn before(
        &mut self,
        now: LocalTime,
        message: &ServerMessage,
    ) -> Option<ServerMessage> {
        let ServerMessage::Answer { answer, .. } = message else {
            return None;
        };
        let id = answer.id;
        let stages = match self.commands.peek(id)? {
            Progress::Executed(stages) => Some(*stages),
            Progress::Asked(asked) => Some(Stages {
                order_us: between(*asked, now),
                ..Stages::default()
            }),
            // A recorded answer is given once more.
            Progress::Arrived(_) | Progress::Delivered { .. } => None,
        };
        self.commands.remove(id);
        stages.map(|stages| ServerMessage::Measured { id, stages })
    }
}

/// The microseconds from one moment to another.
fn between(from: LocalTime, to: LocalTime) -> u32 {
    let micros = to.micros().saturating_sub(from.micros());
    u32::try_from(micros).unwrap_or(u32::MAX)
}

impl Partition for Timed {
    fn on_deliver(&mut self, delivery: Delivery, out: &mut Applied) {
        if let Delivery::Command { command, .. } = &delivery
            && self.hottest.counts()
        {
            self.hottest.named(command.request.objects());
        }
        let Some(stopwatch) = &mut self.stopwatch else {
            return self.partition.on_deliver(delivery, out);
        };
        let begun = stopwatch.clock.now();
        if let Delivery::Command { command, .. } = &delivery {
            stopwatch.delivered(begun, command.id);
        }
        self.partition.on_deliver(delivery, out);
        if !out.replies.is_empty() {
            let commands = out.replies.iter().map(|reply| reply.answer.id);
            stopwatch.executed(begun, &commands.collect::<Vec<_>>());
        }
    }

    fn conclude(&mut self, message: MessageId, arrived: &[(GroupId, Signal)]) -> Option<Reply> {
        let Some(stopwatch) = &mut self.stopwatch else {
            return self.partition.conclude(message, arrived);
        };
        let begun = stopwatch.clock.now();
        let reply = self.partition.conclude(message, arrived)?;
        stopwatch.executed(begun, &[reply.answer.id]);
        Some(reply)
    }

    fn recorded(&self, id: CommandId) -> Option<&Arc<Answer>> {
        self.partition.recorded(id)
    }

    fn locate(&self, object: ObjectId) -> Option<Hint> {
        self.partition.locate(object)
    }

    fn held(&self, object: ObjectId) -> Option<(Revision, Encoded)> {
        self.partition.held(object)
    }

    fn read(&self, query: &Query) -> Option<Reading> {
        self.partition.read(query)
    }

    fn unfinished_count(&self) -> usize {
        self.partition.unfinished_count()
    }

    fn holdings(&self) -> Holdings {
        self.partition.holdings()
    }

    fn digest(&self) -> u64 {
        self.partition.digest()
    }

    fn image(&self) -> StatePart {
        self.partition.image()
    }
}
