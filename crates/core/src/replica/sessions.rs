//! Recorded outcomes: what makes a repeated attempt get the answer of the first one (rule R5).
//!
//! The group that answers a command keeps the answer until the session's low watermark has passed
//! it. What was delivered already is the multicast's business; here is only what was answered.

use crate::answer::Answer;
use crate::command::{CommandId, SessionId};
use crate::shared_map::{SharedMap, entry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The sessions that one group knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sessions {
    sessions: SharedMap<SessionId, Session>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Session {
    /// Answers by number; the number's last attempt.
    answers: BTreeMap<u64, Arc<Answer>>,
    /// Commands that were delivered and have not finished.
    active: u32,
    /// The session has expired: gone as soon as nothing is active.
    over: bool,
}

impl Sessions {
    /// A command was delivered: what the client has seen answered is forgotten.
    pub(crate) fn begin(&mut self, id: CommandId, low_watermark: u64) {
        let session = entry(&mut self.sessions, id.session);
        session.active += 1;
        while session
            .answers
            .first_key_value()
            .is_some_and(|(&number, _)| number < low_watermark)
        {
            session.answers.pop_first();
        }
    }

    /// A command finished, with the answer if this group is the one that gives it.
    pub(crate) fn finish(&mut self, id: CommandId, answer: Option<Arc<Answer>>) {
        let Some(session) = self.sessions.get_mut(&id.session) else {
            return;
        };
        session.active -= 1;
        if let Some(answer) = answer {
            session.answers.insert(id.number, answer);
        }
        if session.over && session.active == 0 {
            self.sessions.remove_mut(&id.session);
        }
    }

    /// The session has expired.
    pub(crate) fn forget(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.over = true;
            if session.active == 0 {
                self.sessions.remove_mut(&id);
            }
        }
    }

    /// The recorded answer to exactly this attempt.
    pub(crate) fn answer(&self, id: CommandId) -> Option<&Arc<Answer>> {
        let answer = self.sessions.get(&id.session)?.answers.get(&id.number)?;
        (answer.id == id).then_some(answer)
    }

    /// All of it in a fixed order, for digests.
    pub(crate) fn sorted(&self) -> BTreeMap<SessionId, (u32, bool, Vec<Arc<Answer>>)> {
        let parts = |s: &Session| (s.active, s.over, s.answers.values().cloned().collect());
        self.sessions
            .iter()
            .map(|(&id, session)| (id, parts(session)))
            .collect()
    }
}
