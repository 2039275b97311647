//! Recorded outcomes: what makes a repeated attempt get the answer of the first one (rule R5).
//!
//! The group that answers a command keeps the answer until the session's low watermark has passed
//! it. What was delivered already is the multicast's business; here is only what was answered.

use crate::answer::{Answer, Verdict};
use crate::command::{CommandId, SessionId};
use crate::id::Encoded;
use crate::limits::SESSION_ANSWERS;
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
    /// How many bytes they take together, about.
    answer_bytes: usize,
    /// Commands that were delivered and have not finished.
    active: u32,
    /// The session has expired: gone as soon as nothing is active.
    over: bool,
}

impl Session {
    /// Keeps an answer. Where they grow too large some are forgotten: neither this one, nor, as
    /// long as there are others, those of the least numbers, which the client is the most likely to
    /// ask for again, for it goes on without having seen them.
    fn record(&mut self, answer: Arc<Answer>) {
        let number = answer.id.number;
        self.answer_bytes += size(&answer);
        if let Some(before) = self.answers.insert(number, answer) {
            self.answer_bytes -= size(&before);
        }
        if self.answer_bytes <= SESSION_ANSWERS {
            return;
        }
        let others = self.answers.iter_mut().rev();
        for (_, old) in others.filter(|(old, _)| **old != number) {
            if self.answer_bytes <= SESSION_ANSWERS {
                return;
            }
            if old.verdict != Verdict::Forgotten {
                self.answer_bytes -= size(old);
                *old = Arc::new(Answer {
                    id: old.id,
                    verdict: Verdict::Forgotten,
                    reply: Encoded::new(),
                    timestamp: old.timestamp,
                    touched: Vec::new(),
                });
                self.answer_bytes += size(old);
            }
        }
    }
}

/// About how many bytes an answer takes: the same at every replica, whatever it was built with.
fn size(answer: &Answer) -> usize {
    128 + answer.reply.len() + 80 * answer.touched.len()
}

impl Sessions {
    /// A command was delivered: what the client has seen answered is forgotten.
    pub(crate) fn begin(&mut self, id: CommandId, low_watermark: u64) {
        let session = entry(&mut self.sessions, id.session);
        session.active += 1;
        while let Some(first) = session.answers.first_entry()
            && *first.key() < low_watermark
        {
            session.answer_bytes -= size(&first.remove());
        }
    }

    /// A command finished, with the answer if this group is the one that gives it.
    pub(crate) fn finish(&mut self, id: CommandId, answer: Option<Arc<Answer>>) {
        let Some(session) = self.sessions.get_mut(&id.session) else {
            return;
        };
        session.active -= 1;
        if let Some(answer) = answer {
            session.record(answer);
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

    /// The sessions of which anything is kept.
    pub(crate) fn ids(&self) -> impl Iterator<Item = SessionId> {
        self.sessions.keys().copied()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ClientId, GroupId, Timestamp};
    use crate::time::{LogTime, LogicalClock};

    fn id(number: u64) -> CommandId {
        CommandId {
            session: SessionId {
                client: ClientId(1),
                opened: LogTime::ZERO,
            },
            number,
            attempt: 1,
        }
    }

    /// A command is delivered and finishes with a reply of so many bytes.
    fn answer(sessions: &mut Sessions, number: u64, reply_bytes: usize, low_watermark: u64) {
        let answer = Answer {
            id: id(number),
            verdict: Verdict::Done,
            reply: vec![0; reply_bytes].into(),
            timestamp: Timestamp::new(LogicalClock(number), GroupId::ORACLE),
            touched: Vec::new(),
        };
        sessions.begin(id(number), low_watermark);
        sessions.finish(id(number), Some(Arc::new(answer)));
    }

    fn verdicts(sessions: &Sessions, numbers: std::ops::RangeInclusive<u64>) -> Vec<Verdict> {
        let answers = numbers.filter_map(|number| sessions.answer(id(number)));
        answers.map(|answer| answer.verdict).collect()
    }

    #[test]
    fn replies_are_kept_up_to_a_bound() {
        let mut sessions = Sessions::default();
        for number in 1..=4 {
            answer(&mut sessions, number, SESSION_ANSWERS / 5, 1);
        }
        assert_eq!(verdicts(&sessions, 1..=4), [Verdict::Done; 4]);
        answer(&mut sessions, 5, SESSION_ANSWERS / 5, 1);
        let (done, forgotten) = (Verdict::Done, Verdict::Forgotten);
        assert_eq!(
            verdicts(&sessions, 1..=5),
            [done, done, done, forgotten, done],
            "the client waits for the first one, and goes on"
        );
        answer(&mut sessions, 6, 2 * SESSION_ANSWERS, 1);
        assert_eq!(
            verdicts(&sessions, 1..=6),
            [forgotten, forgotten, forgotten, forgotten, forgotten, done],
            "the last one is kept, however large"
        );
    }

    #[test]
    fn what_the_client_has_seen_counts_no_more() {
        let mut sessions = Sessions::default();
        for number in 1..=100 {
            answer(&mut sessions, number, SESSION_ANSWERS / 2, number);
            assert_eq!(verdicts(&sessions, 1..=number), [Verdict::Done]);
        }
        let session = sessions.sessions.get(&id(1).session).unwrap();
        assert_eq!(session.answer_bytes, 128 + SESSION_ANSWERS / 2);
    }
}
