//! Takes a trace into memory: numbers its objects, finds out what each command comes after, and
//! follows which objects exist where.

use super::memory::{Content, NONE, Origin, Part};
use crate::trace::command::{LARGEST, Name, Op, Part as TracePart, TraceCommand};
use crate::trace::digest::TraceDigest;
use crate::trace::line::{Located, TraceError};
use ssmr_core::ObjectId;
use ssmr_core::keyed_hash::KeyedMap;

/// The clusters and clients that a trace is read for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) clients: u64,
    pub(super) partitions: u8,
    /// The bytes of values of which the trace says nothing.
    pub(super) value_size: u32,
}

/// A trace that is being read.
pub(super) struct Reading {
    shape: Shape,
    content: Content,
    numbers: KeyedMap<ObjectId, u32>,
    states: Vec<State>,
    digest: TraceDigest,
    time_us: u64,
    hopeless: u64,
    timed: bool,
}

/// What is known of an object by now.
#[derive(Clone, Copy)]
struct State {
    /// The last command that concerns it.
    last: u32,
    /// The bytes of its value.
    size: u32,
    /// The attribute that says where it is.
    home: u64,
    exists: Option<bool>,
}

/// What has been read.
pub(super) struct Whole {
    pub(super) content: Content,
    pub(super) digest: TraceDigest,
    /// Commands that cannot succeed: they create what exists, or need what does not.
    pub(super) hopeless: u64,
    /// Whether the trace says when anything happened.
    pub(super) timed: bool,
}

impl Reading {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            content: Content::new(shape.clients),
            numbers: KeyedMap::default(),
            states: Vec::new(),
            digest: TraceDigest::default(),
            time_us: 0,
            hopeless: 0,
            timed: false,
        }
    }

    /// How many commands there are so far.
    pub(super) fn len(&self) -> u32 {
        self.content.len()
    }

    /// Adds a command.
    pub(super) fn add(&mut self, Located { line, command }: &Located) -> Result<(), TraceError> {
        let wrong = |problem: String| TraceError::at(*line, problem);
        let beyond = |part: &&TracePart| part.to.is_some_and(|to| to >= self.shape.partitions);
        if let Some(to) = command.objects.iter().find(beyond).and_then(|part| part.to) {
            return Err(wrong(format!(
                "it names partition {to}, and there are {}: 0 to {} (see --partitions)",
                self.shape.partitions,
                self.shape.partitions - 1
            )));
        }
        self.digest.add(command);
        self.timed |= command.time_us.is_some();
        self.time_us = command.time_us.unwrap_or(self.time_us);
        let number = self.content.len();
        let origin = Origin {
            time_us: self.time_us,
            client: command.client.unwrap_or(number.into()) % self.shape.clients,
        };
        let parts = self.parts(command).and_then(|parts| {
            self.content.add(origin, parts.iter().copied())?;
            Some(parts)
        });
        let parts =
            parts.ok_or_else(|| wrong("more than 4 billion objects and commands".into()))?;
        self.follow(number, &parts);
        Ok(())
    }

    fn parts(&mut self, command: &TraceCommand) -> Option<Vec<Part>> {
        let parts = command.objects.iter().map(|part| {
            let object = self.number(part)?;
            let state = &self.states[object as usize];
            let size = match part.op {
                op if op.writes() => part.size.map(|size| size as u32),
                _ => Some(state.size),
            };
            Some(Part {
                object,
                after: state.last,
                home: state.home,
                target: part.to_attribute.as_ref().map_or(0, Name::attribute),
                size: size.unwrap_or(self.shape.value_size),
                op: part.op,
                to: part.to,
            })
        });
        parts.collect()
    }

    /// The number of an object. One that is new and must exist is to be loaded.
    fn number(&mut self, part: &TracePart) -> Option<u32> {
        let object = part.object();
        let number = match self.numbers.get(&object) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.states.len())
                    .ok()
                    .filter(|n| *n < NONE)?;
                self.numbers.insert(object, number);
                self.content.objects.push(object);
                self.states.push(State {
                    last: NONE,
                    size: self.shape.value_size,
                    home: object.attribute,
                    exists: None,
                });
                number
            }
        };
        let state = &mut self.states[number as usize];
        if state.exists.is_none() && part.op != Op::Lookup {
            state.exists = Some(part.op != Op::Create);
            if part.op != Op::Create {
                state.size = part.size.map_or(state.size, |size| size as u32);
                self.content.loaded.push((number, state.size));
            }
        }
        Some(number)
    }

    /// Brings what is known of a command's objects up to date.
    fn follow(&mut self, number: u32, parts: &[Part]) {
        let holds = |part: &Part| match (part.op, self.states[part.object as usize].exists) {
            (Op::Lookup, _) => true,
            (Op::Create, exists) => exists != Some(true),
            (_, exists) => exists != Some(false),
        };
        let succeeds = parts.iter().all(holds);
        self.hopeless += u64::from(!succeeds);
        for part in parts {
            let state = &mut self.states[part.object as usize];
            state.last = number;
            if !succeeds {
                continue;
            }
            match part.op {
                Op::Create => state.exists = Some(true),
                Op::Delete => {
                    state.exists = Some(false);
                    state.home = self.content.objects[part.object as usize].attribute;
                }
                Op::Move if part.to.is_none() => state.home = part.target,
                _ => {}
            }
            if part.op.writes() {
                state.size = part.size;
            }
        }
    }

    /// All that was read.
    pub(super) fn end(mut self) -> Whole {
        self.content.shrink();
        Whole {
            content: self.content,
            digest: self.digest,
            hopeless: self.hopeless,
            timed: self.timed,
        }
    }
}

/// Sizes of a trace fit.
const _: () = assert!(LARGEST < u32::MAX as u64);
