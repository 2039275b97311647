//! The two tables of [`step`](super), line by line.

mod next;
mod overdue;

use super::super::beliefs::Beliefs;
use super::super::settings::ClientSettings;
use super::super::testing::{AskFirst, P0, P1, P2, X, Y, answer, at, attempt_id, hint, placement};
use super::*;
use crate::command::Command;
use crate::id::ClientId;
use crate::limits::SESSION_WINDOW;
use std::sync::Arc;
use std::time::Duration;

/// What a decision depends on, by default: an unhurried client that knows where X is.
struct Setting {
    placement: Placement,
    hints: HintTable,
    policy: Policy,
    sessions: SessionNumbers,
    time_is_known: bool,
    now: LocalTime,
}

fn setting() -> Setting {
    let mut hints = HintTable::default();
    hints.learn(hint(X, P1, 1));
    let settings = ClientSettings::default()
        .with_resend_after(Duration::from_micros(10))
        .with_deadline(Duration::from_micros(1_000));
    Setting {
        placement: placement(),
        hints,
        policy: settings.into(),
        sessions: SessionNumbers::new(ClientId(1), crate::limits::SESSION_TTL),
        time_is_known: true,
        now: at(0),
    }
}

impl Setting {
    fn view(&self) -> View<'_> {
        View {
            now: self.now,
            placement: &self.placement,
            hints: &self.hints,
            policy: &self.policy,
            sessions: &self.sessions,
            time_is_known: self.time_is_known,
        }
    }

    fn next(&self, task: &Task) -> Step {
        next_step(task, &self.view())
    }

    /// What is overdue with a task at a moment.
    fn overdue(&self, now: u64, task: &Task) -> Step {
        let view = View {
            now: at(now),
            ..self.view()
        };
        overdue_step(task, &view)
    }
}

fn reads(objects: &[ObjectId]) -> Request {
    let add = |request: Request, object: &ObjectId| request.and(*object, Intent::Read);
    objects.iter().fold(Request::default(), add)
}

fn writes(object: ObjectId) -> Request {
    Request::default().and(object, Intent::Write)
}

fn task(request: Request, stage: Stage) -> Task {
    Task {
        stage,
        ..Task::new(request, at(0))
    }
}

/// A task all of whose objects were located.
fn located(request: Request, owners: &[(ObjectId, PartitionId)]) -> Task {
    let beliefs = Beliefs {
        owners: owners.iter().copied().collect(),
        ..Beliefs::default()
    };
    Task {
        beliefs,
        ..task(request, locating(&[]))
    }
}

fn locating(missing: &[ObjectId]) -> Stage {
    Stage::Locating {
        missing: missing.iter().copied().collect(),
        asked: at(0),
        repeats: 0,
    }
}

fn waiting() -> Stage {
    Stage::Waiting {
        destinations: P1.into(),
    }
}

fn gathering(left: usize, under_way: usize) -> Stage {
    Stage::Gathering {
        queue: vec![Request::relocate(X, P1); left],
        under_way,
    }
}

fn querying() -> Stage {
    let query = Query {
        id: attempt_id(),
        reads: Reads::Index,
        request: reads(&[X]),
    };
    Stage::Querying {
        query: Arc::new(query),
        group: P1.into(),
        sent: at(0),
    }
}

fn attempting(repeats: u32) -> Stage {
    let command = Command::new(attempt_id(), P1.into(), reads(&[X]));
    Stage::Attempting {
        command: Arc::new(command),
        sent: at(0),
        repeats,
    }
}

fn answered(verdict: Verdict, attempt: u32) -> Task {
    let mut answer = answer(verdict);
    answer.id.attempt = attempt;
    let stage = Stage::Answered {
        answer: Arc::new(answer),
        hints: Vec::new(),
    };
    task(reads(&[X]), stage)
}
