//! A trace in memory.

use crate::trace::command::Op;
use ssmr_core::topology::mix;
use ssmr_core::{Micros, ObjectId};

/// No command, or no partition.
pub(super) const NONE: u32 = u32::MAX;

/// All that is replayed.
#[derive(Debug, Default)]
pub(super) struct Content {
    commands: Vec<Head>,
    parts: Vec<Part>,
    /// The objects, in the order of their first commands.
    pub(super) objects: Vec<ObjectId>,
    /// What is created before: number and size.
    pub(super) loaded: Vec<(u32, u32)>,
    /// The numbers of each client's commands.
    pub(super) shares: Vec<Vec<u32>>,
}

/// A command without its parts.
#[derive(Clone, Copy, Debug)]
struct Head {
    time_us: Micros,
    client: u32,
    /// The first of its parts.
    first: u32,
}

/// What a command does with an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The attribute that says where the object is by now.
    pub(super) home: u64,
    /// The attribute whose home it moves to; if `to` is none.
    pub(super) target: u64,
    /// The object's number.
    pub(super) object: u32,
    /// The last command before that concerns it, or [`NONE`].
    pub(super) after: u32,
    /// The bytes of its value.
    pub(super) size: u32,
    pub(super) op: Op,
    /// The partition that it is created at or moves to.
    pub(super) to: Option<u8>,
}

/// Whose command it is, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) time_us: Micros,
    pub(super) client: u64,
}

impl Content {
    /// Nothing yet, for so many clients.
    pub(super) fn new(clients: u64) -> Self {
        Self {
            shares: (0..clients).map(|_| Vec::new()).collect(),
            ..Self::default()
        }
    }

    /// How many commands there are.
    pub(super) fn len(&self) -> u32 {
        self.commands.len() as u32
    }

    /// The parts of a command.
    pub(super) fn parts(&self, number: u32) -> &[Part] {
        let first = |number: u32| {
            let head = self.commands.get(number as usize);
            head.map_or(self.parts.len(), |head| head.first as usize)
        };
        &self.parts[first(number)..first(number + 1)]
    }

    /// Whose command it is, and when it came.
    pub(super) fn origin(&self, number: u32) -> Origin {
        let Head {
            time_us, client, ..
        } = self.commands[number as usize];
        let client = client.into();
        Origin { time_us, client }
    }

    /// Adds a command. Returns `None` if there is no number left for it or its parts.
    pub(super) fn add(
        &mut self,
        Origin { time_us, client }: Origin,
        parts: impl IntoIterator<Item = Part>,
    ) -> Option<u32> {
        let number = u32::try_from(self.commands.len()).ok()?;
        let first = u32::try_from(self.parts.len()).ok()?;
        self.parts.extend(parts);
        let limit = NONE as usize;
        if self.parts.len() >= limit || self.commands.len() + 1 >= limit {
            return None;
        }
        self.commands.push(Head {
            time_us,
            client: client as u32,
            first,
        });
        self.shares[client as usize].push(number);
        Some(number)
    }

    /// Gives back the room that was made for more.
    pub(super) fn shrink(&mut self) {
        self.commands.shrink_to_fit();
        self.parts.shrink_to_fit();
        self.objects.shrink_to_fit();
        self.shares.iter_mut().for_each(Vec::shrink_to_fit);
    }
}

/// The object that stands for another one where it cannot move but is deleted and created anew
/// under this attribute.
pub(super) fn under(attribute: u64, object: ObjectId) -> ObjectId {
    match attribute == object.attribute {
        true => object,
        false => ObjectId::new(attribute, mix(object.attribute ^ mix(object.key))),
    }
}
