//! The client's end of the wire, in two forms of one thing.
//!
//! [`Pipeline`] owns the client engine and its connections, and makes progress while its owner
//! waits for the next completion: right for a load generator, which has a task anyway.
//! [`ClientHandle`] is a handle to a pipeline in a task.

mod handle;
mod pipeline;

pub use handle::{CallError, ClientHandle, Ended};
pub use pipeline::Pipeline;
