//! What a log wants done.

use crate::message::LogMessage;
use crate::record::Record;

/// First `records` are made durable, then `messages` are sent.
#[derive(Debug, Default)]
pub struct LogOutbox {
    /// To be stored before any message is sent.
    pub records: Vec<Record>,
    /// Messages to other replicas of the group, by index.
    pub messages: Vec<(u8, LogMessage)>,
}
