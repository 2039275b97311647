//! The commands of one client of workload `trace`.

use super::memory::Content;
use crate::trace::command::Op;
use serde::Serialize;
use std::sync::Arc;

/// The kind of commands that concern several objects: the one behind all of [`Op`].
const SEVERAL: usize = Op::ALL.len();

/// One command, by its number in the trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    pub(super) number: u32,
    /// Which of the workload's kinds it is.
    pub(super) kind: usize,
}

/// The commands of one client.
#[derive(Debug)]
pub(crate) struct Steps {
    content: Arc<Content>,
    client: u64,
    next: usize,
}

impl Steps {
    /// The commands of this client.
    pub(super) fn new(content: Arc<Content>, client: u64) -> Self {
        Self {
            content,
            client,
            next: 0,
        }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let share = &self.content.shares[self.client as usize];
        let number = *share.get(self.next)?;
        self.next += 1;
        let kind = match self.content.parts(number) {
            [part] => part.op as usize,
            _ => SEVERAL,
        };
        Some(Step { number, kind })
    }
}
