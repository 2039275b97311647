//! What tells traces apart: a hash of all that is replayed, the same for each form of a file.

use super::command::{Name, TraceCommand};
use ssmr_core::{codec, id};
use std::fmt;

/// The digest of the commands so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct TraceDigest(pub(crate) u64);

impl TraceDigest {
    /// Goes on with one more command.
    pub(crate) fn add(&mut self, command: &TraceCommand) {
        let parts = command.objects.iter().map(|part| {
            let target = part.to_attribute.as_ref().map(Name::attribute);
            (part.op as u8, part.object(), part.size, part.to, target)
        });
        let parts: Vec<_> = parts.collect();
        let all = (self.0, command.time_us, command.client, parts);
        self.0 = id::digest(&codec::encode(&all));
    }
}

impl fmt::Display for TraceDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
