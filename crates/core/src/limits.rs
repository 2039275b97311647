//! Every bound in one place, with what happens at it.

use crate::time::{LogicalClock, Micros};

/// The largest encoded message or log entry, in bytes. A peer that sends more loses its connection.
pub const MAX_FRAME: usize = 64 << 20;

/// The largest value of one object, in bytes. A request with a larger one is refused and changes
/// nothing.
pub const MAX_VALUE: usize = 1 << 20;

/// The largest request (values and operation together), in bytes. A larger one is refused and
/// changes nothing.
pub const MAX_REQUEST: usize = 8 << 20;

/// The most bytes that the values which one command reads or moves may have together: they travel
/// in signals and may come back in the reply. A command that needs more is refused by all its
/// destinations and changes nothing.
pub const MAX_OPERANDS: u64 = 16 << 20;

/// The most bytes of values that one group sends to the others for one command: a command to more
/// than 17 groups may read or move less than [`MAX_OPERANDS`], and the largest value can go to all
/// groups there may be. A command that needs more is refused by all its destinations and changes
/// nothing.
pub const MAX_FAN_OUT: u64 = 256 * MAX_VALUE as u64;

/// The largest request that may be answered without being ordered, in bytes. A larger one is
/// ordered.
pub const MAX_QUERY: usize = 16 << 10;

/// The most requests of one client that may wait to be answered without being ordered. Further ones
/// are declined, and the client has them ordered.
pub const CLIENT_QUERIES: usize = 1024;

/// The most objects that one request may name, or one question for their places. More are refused
/// and nothing changes.
pub const MAX_OBJECTS: usize = 4096;

/// How far beyond the least unanswered number of its session a request's number may be. The client
/// engine waits.
pub const SESSION_WINDOW: u64 = 1024;

/// How long, in log time, a group remembers a session after it was opened; clients change to a new
/// one well before. It is also how far ahead of a group's log time a session may have been opened:
/// commands of one that is further ahead are not taken until the group's time has come nearer.
pub const SESSION_TTL: Micros = 600_000_000;

/// How far ahead of its own clock a group lets the clock of a command move it: a greater one counts
/// as this.
pub const CLOCK_LEAD: u64 = 1 << 32;

/// The greatest clock that a client can bring about. Timestamps beyond it come from the groups
/// alone, so they never wrap.
pub const CLOCK_END: LogicalClock = LogicalClock(1 << 62);

/// The most sessions that a group remembers. Commands of further ones are not taken until some have
/// expired.
pub const SESSIONS: usize = 1 << 20;

/// The most sessions of one client that a group takes commands of at a time. Clients that keep the
/// rules have two or three.
pub const CLIENT_SESSIONS: u32 = 8;

/// How many bytes of answers a group keeps for one session, to repeat them. Beyond it some are
/// forgotten; a client that asks for one of them again learns that its outcome is unknown.
pub const SESSION_ANSWERS: usize = 32 << 20;

/// How many hints a client or replica keeps. The oldest are forgotten, which costs a consultation.
pub const HINTS: usize = 1 << 16;

/// How many retries a request has before it is sent to all groups, where it cannot miss.
pub const RETRY_BUDGET: u32 = 3;

/// How many moves of one `gather` are under way at a time.
pub const GATHER_WINDOW: usize = 64;
