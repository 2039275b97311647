//! From what happens to objects to commands within the protocol's limits.
//!
//! A commit is one command if it can be. An object that moves and changes takes two, for a command
//! does one thing with an object; so do commits that are too large.

use super::objects::{Act, ActKind, Objects};
use crate::trace::command::{LARGEST, Name, Op, Part, TraceCommand};
use ssmr_core::limits::{MAX_OBJECTS, MAX_REQUEST, MAX_VALUE};

/// The most bytes of new values in a command.
const WRITTEN: u64 = MAX_REQUEST as u64 / 2;

/// The most bytes of values that a command reads or moves, unless it is a single one: so much can
/// go to all partitions that there may be.
const READ: u64 = MAX_VALUE as u64;

/// What became of the parts of commits.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) commands: u64,
    pub(super) creates: u64,
    pub(super) updates: u64,
    pub(super) deletes: u64,
    pub(super) moves: u64,
    /// Commits of which files moved and changed, so that they took a second command.
    pub(super) moved_and_changed: u64,
    /// Commits that were split because they were too large.
    pub(super) too_large: u64,
    /// Commits of which nothing is to be done.
    pub(super) empty: u64,
    /// Contents that were larger than a value can be.
    pub(super) cut: u64,
}

/// A command that may still take more.
#[derive(Default)]
struct Open {
    parts: Vec<Part>,
    weight: usize,
    written: u64,
    read: u64,
}

/// A part, and the bytes that it reads or moves.
struct Load {
    part: Part,
    read: u64,
}

impl Counts {
    /// The commands of a commit, whose acts have not been carried out yet.
    pub(super) fn pack(
        &mut self,
        acts: &[Act],
        objects: &Objects,
        time_us: u64,
    ) -> Vec<TraceCommand> {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for Act { object, kind } in acts {
            let (id, attribute) = objects.names(*object);
            let attribute = (attribute != id).then_some(attribute);
            let known = objects.size(*object).unwrap_or(0).min(LARGEST);
            let mut load = |op, size: Option<u64>, to: Option<&str>| {
                self.count(op);
                let mut part = Part::new(op, id.clone(), attribute.clone());
                self.cut += u64::from(size.is_some_and(|size| size > LARGEST));
                part.size = size.map(|size| size.min(LARGEST));
                part.to_attribute = to.map(Name::of);
                let read = match op {
                    Op::Update | Op::Move => known,
                    _ => 0,
                };
                Load { part, read }
            };
            match kind {
                ActKind::Create { size } => first.push(load(Op::Create, *size, None)),
                ActKind::Update { size } => first.push(load(Op::Update, *size, None)),
                ActKind::Delete => first.push(load(Op::Delete, None, None)),
                ActKind::Move { to } => first.push(load(Op::Move, None, Some(to))),
                ActKind::MoveAndUpdate { to, size } => {
                    first.push(load(Op::Move, None, Some(to)));
                    second.push(load(Op::Update, *size, None));
                }
            }
        }
        self.moved_and_changed += u64::from(!second.is_empty());
        self.empty += u64::from(first.is_empty());
        let halves = usize::from(!first.is_empty()) + usize::from(!second.is_empty());
        let packed: Vec<_> = [first, second].into_iter().flat_map(split).collect();
        self.too_large += u64::from(packed.len() > halves);
        self.commands += packed.len() as u64;
        let command = |objects| TraceCommand {
            time_us: Some(time_us),
            client: None,
            objects,
        };
        packed.into_iter().map(command).collect()
    }

    fn count(&mut self, op: Op) {
        *match op {
            Op::Create => &mut self.creates,
            Op::Delete => &mut self.deletes,
            Op::Move => &mut self.moves,
            _ => &mut self.updates,
        } += 1;
    }
}

/// As few commands as hold all of it in its order.
fn split(loads: Vec<Load>) -> Vec<Vec<Part>> {
    let (mut full, mut open) = (Vec::new(), Open::default());
    for Load { part, read } in loads {
        let written = part.size.unwrap_or(0);
        let fits = open.weight + part.weight() <= MAX_OBJECTS
            && open.written + written <= WRITTEN
            && open.read + read <= READ;
        if !fits && !open.parts.is_empty() {
            full.push(std::mem::take(&mut open).parts);
        }
        open.weight += part.weight();
        open.written += written;
        open.read += read;
        open.parts.push(part);
    }
    if !open.parts.is_empty() {
        full.push(open.parts);
    }
    full
}
