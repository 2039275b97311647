//! The client engine from outside: what it sends, when, and what it tells the user.

mod deadline;
mod gather;
mod hints;
mod random;
mod retry;
mod sessions;
mod stale;
