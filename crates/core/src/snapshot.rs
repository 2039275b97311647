//! Parts of a replica's state, copied cheaply and encoded where that holds nobody up.
//!
//! Invariant: a state holds all that is a function of the log, and nothing else: no hints, no
//! leader's business. A replica that starts from it and applies the entries behind it has the same
//! state as one that applied them all.

use bytes::Bytes;

/// A part of a state: called, it encodes itself.
pub type StatePart = Box<dyn FnOnce() -> Bytes + Send>;
