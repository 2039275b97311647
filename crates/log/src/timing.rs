//! The two lengths of time that everything else is measured by.

use std::time::Duration;

/// How often a leader that has nothing to say says so.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(75);
/// How long a follower waits for its leader: at least this, less than twice this.
pub(crate) const ELECTION: Duration = Duration::from_millis(500);
