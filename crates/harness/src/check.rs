//! The complete history of a run, and the verdict on it.
//!
//! The checks of the history are those of [`ssmr_check`]; this is where they plug in. Invariant:
//! whoever completed a request has recorded it before the history is judged.

use crate::numbers::{grouped, percentage};
use crate::settings::history::HistoryForm;
use ssmr_check::{History, StaleSummary, Summary, Terms, Violation};
use ssmr_core::{Answer, Application, ClientId, Completion, Intent, ObjectId, Outcome, Request};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The greatest percentage of operations that may be unjudged: with more, nothing can be said of
/// the history.
const UNJUDGED: usize = 1;

/// What came of judging a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It contradicts linearizability.
    Violated(Violation),
    /// No contradiction was found, among so many operations.
    Passed(Counts),
}

/// How much of a history was judged. What the strategy refused had no effect and tells nothing: it
/// counts nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Operations whose outcomes were compared with those of all others.
    pub(crate) judged: usize,
    /// Operations that were not answered, and of which nobody knows whether they took effect.
    pub(crate) unanswered: usize,
    /// Operations whose outcomes depend on these.
    pub(crate) dependent: usize,
}

impl From<Summary> for Counts {
    fn from(summary: Summary) -> Self {
        Self {
            judged: summary.replayed,
            unanswered: summary.unknown,
            dependent: summary.unjudged,
        }
    }
}

impl Counts {
    /// Operations that were not judged.
    pub(crate) fn unjudged(&self) -> usize {
        self.unanswered + self.dependent
    }

    /// Whether so much was judged that the verdict means something.
    pub(crate) fn suffice(&self) -> bool {
        let unjudged = self.unjudged();
        self.judged > 0 && unjudged * 100 <= (self.judged + unjudged) * UNJUDGED
    }

    /// Why not all was judged, if it was not.
    pub(crate) fn shortfall(&self) -> Option<String> {
        let (unjudged, all) = (self.unjudged(), self.judged + self.unjudged());
        if all == 0 {
            return Some("no operation could be judged".into());
        }
        let Self {
            unanswered,
            dependent,
            ..
        } = *self;
        let number = |count: usize| grouped(count as u64);
        let depend = match dependent {
            0 => String::new(),
            _ => format!(", {} depend on these", number(dependent)),
        };
        (unjudged > 0).then(|| {
            format!(
                "{} of {} operations ({}) could not be judged: {} were not answered{depend}",
                number(unjudged),
                number(all),
                percentage(unjudged, all),
                number(unanswered),
            )
        })
    }
}

impl Judgement {
    /// The word for it in the files.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Violated(_) => "violated",
            Self::Passed(counts) if counts.suffice() => "ok",
            Self::Passed(_) => "unchecked",
        }
    }

    /// How much was judged. A violation ends the check before that is known.
    pub(crate) fn counts(&self) -> Option<Counts> {
        match self {
            Self::Violated(_) => None,
            Self::Passed(counts) => Some(*counts),
        }
    }
}

/// Takes down what all clients of a run saw.
pub(crate) struct Recorder<A: Application>(Arc<Mutex<Record<A>>>);

struct Record<A: Application> {
    history: History<A>,
    /// The objects that somebody has created, or may have.
    created: BTreeSet<ObjectId>,
}

impl<A: Application> Clone for Recorder<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Application> Default for Recorder<A> {
    fn default() -> Self {
        let (history, created) = Default::default();
        Self(Arc::new(Mutex::new(Record { history, created })))
    }
}

impl<A: Application> Recorder<A> {
    /// Adds a request that ended.
    pub(crate) fn record(&self, client: ClientId, request: &Request, completion: &Completion) {
        let mut record = self.lock();
        record.history.push(client, request, completion);
        let may_exist = match completion.outcome {
            Outcome::Done(_) | Outcome::Failed => true,
            Outcome::Unknown => completion.last_attempt.is_some(),
            _ => false,
        };
        if may_exist {
            let created = |(_, intent): &&(_, Intent)| matches!(intent, Intent::Create { .. });
            let created = request.intents().iter().filter(created);
            record.created.extend(created.map(|(object, _)| *object));
        }
    }

    /// Adds a read that the shared cache answered alone: it is judged apart.
    pub(crate) fn record_stale(
        &self,
        client: ClientId,
        request: &Request,
        completion: &Completion,
    ) {
        self.lock().history.push_stale(client, request, completion);
    }

    /// What came of judging these.
    pub(crate) fn judge_stale(&self) -> StaleSummary {
        self.lock().history.judge_stale()
    }

    /// A group has told what became of a request that had ended unanswered.
    pub(crate) fn attribute(&self, answer: &Answer) {
        let mut record = self.lock();
        let mut unanswered = record.history.unanswered();
        let asked = unanswered.find(|(_, attempt)| *attempt == answer.id);
        drop(unanswered);
        if let Some((operation, _)) = asked {
            record.history.attribute(operation, Some(answer));
        }
    }

    /// The objects that somebody has created, or may have, whatever became of them.
    pub(crate) fn created(&self) -> BTreeSet<ObjectId> {
        self.lock().created.clone()
    }

    /// The verdict on all that was recorded.
    pub(crate) fn judge(&self) -> Judgement {
        let checked = self.lock().history.check();
        checked.map_or_else(Judgement::Violated, |summary| {
            Judgement::Passed(summary.into())
        })
    }

    /// Writes all that was recorded, and who was measured, to a file.
    pub(crate) fn write(
        &self,
        path: &Path,
        form: HistoryForm,
        terms: &Terms<A>,
        about: &[(&str, &str)],
    ) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let record = self.lock();
        match form {
            HistoryForm::Jsonl => record.history.write_jsonl(terms, about, &mut file)?,
            HistoryForm::Edn => record.history.write_edn(terms, &mut file)?,
        }
        file.flush()
    }

    fn lock(&self) -> MutexGuard<'_, Record<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::contract::Workload;
    use crate::workload::kv::settings::Kv;
    use crate::workload::popularity::Popularity;
    use crate::workload::run_number::RunNumber;
    use crate::workload::value_size::ValueSize;
    use ssmr_check::ViolationKind;
    use ssmr_core::{
        CommandId, Cost, LocalTime, LogTime, LogicalClock, PartitionId, Revision, SessionId,
        Timestamp, Touch, Verdict,
    };

    const KV: Kv = Kv {
        seed: 1,
        clients: 1,
        run: RunNumber::ZERO,
        partitions: 1,
        keys: 10,
        popularity: Popularity::Uniform,
        value_size: ValueSize::Constant(8),
        multi_objects: 1,
        multi_partitions: None,
        percentages: [100, 0, 0, 0, 0, 0],
    };

    /// A create of key 0 that took effect at this time of all clocks.
    fn created(at: u64) -> Completion {
        let object = ObjectId::new(0, 0);
        let timestamp = Timestamp::new(LogicalClock(at), PartitionId(0).into());
        let after = Some(Revision {
            epoch: timestamp,
            version: 0,
        });
        let touched = vec![Touch {
            object,
            before: None,
            after,
        }];
        Completion {
            ticket: at,
            outcome: Outcome::Done(bytes::Bytes::new()),
            timestamp: Some(timestamp),
            touched,
            last_attempt: None,
            invoked: LocalTime::from_micros(at),
            completed: LocalTime::from_micros(at + 1),
            cost: Cost::default(),
        }
    }

    #[test]
    fn an_object_created_twice_is_a_violation() {
        let recorder = Recorder::<<Kv as Workload>::App>::default();
        recorder.record(ClientId(0), &KV.preload(0), &created(1));
        let all = Counts {
            judged: 1,
            unanswered: 0,
            dependent: 0,
        };
        assert_eq!(recorder.judge(), Judgement::Passed(all));
        assert_eq!(recorder.created(), [ObjectId::new(0, 0)].into());
        recorder.record(ClientId(1), &KV.preload(0), &created(3));
        let judgement = recorder.judge();
        assert_eq!((judgement.name(), judgement.counts()), ("violated", None));
        let Judgement::Violated(found) = &judgement else {
            panic!("{judgement:?}")
        };
        assert_eq!(found.kind, ViolationKind::Existence, "{found}");
        let text = found.to_string();
        assert!(text.starts_with("not linearizable"), "{text}");
    }

    #[test]
    fn an_object_could_exist_whose_create_was_sent_and_not_answered() {
        let recorder = Recorder::<<Kv as Workload>::App>::default();
        let session = SessionId {
            client: ClientId(0),
            opened: LogTime::ZERO,
        };
        let attempt = CommandId {
            session,
            number: 1,
            attempt: 1,
        };
        let unknown = |sent: bool| Completion {
            outcome: Outcome::Unknown,
            timestamp: None,
            touched: Vec::new(),
            last_attempt: sent.then_some(attempt),
            ..created(1)
        };
        recorder.record(ClientId(0), &KV.preload(1), &unknown(false));
        assert!(recorder.created().is_empty());
        recorder.record(ClientId(0), &KV.preload(2), &unknown(true));
        assert_eq!(recorder.created().len(), 1);
        let judgement = recorder.judge();
        assert_eq!(judgement.name(), "unchecked", "nothing was judged");
        let told = created(1);
        let answer = |id| Answer {
            id,
            verdict: Verdict::Done,
            reply: bytes::Bytes::new(),
            timestamp: told.timestamp.unwrap(),
            touched: vec![Touch {
                object: KV.preload(2).intents()[0].0,
                ..told.touched[0]
            }],
        };
        let number = attempt.number + 1;
        recorder.attribute(&answer(CommandId { number, ..attempt }));
        assert_eq!(recorder.judge(), judgement, "another request's answer");
        recorder.attribute(&answer(attempt));
        assert_eq!(recorder.judge().name(), "ok", "the groups have told");
    }

    #[test]
    fn with_more_than_one_percent_unjudged_a_history_is_unchecked() {
        let counts = |judged, unanswered, dependent| Counts {
            judged,
            unanswered,
            dependent,
        };
        for (counts, name) in [
            (counts(10_000, 0, 0), "ok"),
            (counts(9_900, 50, 50), "ok"),
            (counts(9_899, 50, 51), "unchecked"),
            (counts(0, 0, 0), "unchecked"),
        ] {
            assert_eq!(Judgement::Passed(counts).name(), name, "{counts:?}");
        }
        assert_eq!(counts(10_000, 0, 0).shortfall(), None);
        let told = "100 of 10,000 operations (1.00 %) could not be judged: 50 were not answered, \
            50 depend on these";
        assert_eq!(counts(9_900, 50, 50).shortfall().as_deref(), Some(told));
    }
}
