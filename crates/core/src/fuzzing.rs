//! For fuzz targets: private state is decoded from bytes that nobody vouches for.

use crate::application::Application;
use crate::id::Encoded;
use crate::replica::Engine;

/// Decodes an engine's part of a snapshot and encodes it again; `None` if it is malformed.
#[must_use]
pub fn engine_state<A: Application>(bytes: &[u8]) -> Option<Encoded> {
    Engine::<A>::reencode(bytes)
}
