//! Objects that are moved together before the request runs.

use crate::answer::Verdict;
use crate::client::testing::{Bench, P0, P1, P2, X, Y, Z, hint};
use crate::client::{ClientSettings, Execution};
use crate::id::{Groups, ObjectId};
use crate::limits::GATHER_WINDOW;
use crate::request::{Intent, Request};

fn bench() -> Bench {
    Bench::new(ClientSettings::default().with_execution(Execution::Gather))
}

fn update(objects: &[ObjectId]) -> Request {
    let add = |request: Request, object: &ObjectId| request.and(*object, Intent::Update);
    objects.iter().fold(Request::default(), add)
}

#[test]
fn a_request_runs_where_most_of_its_objects_are_once_the_others_are_there() {
    let mut bench = bench();
    bench.tell(&[hint(X, P2, 1), hint(Y, P1, 1), hint(Z, P2, 1)]);
    bench.submit(update(&[X, Y, Z]));
    let step = bench.attempt();
    assert_eq!(step.request, Request::relocate(Y, P2));
    assert_eq!(step.destinations, Groups::from(P1).union(P2.into()));
    bench.answer(&step, Verdict::Done, &[hint(Y, P2, 2)]);
    let attempt = bench.attempt();
    assert_eq!(attempt.request, update(&[X, Y, Z]));
    assert_eq!(attempt.destinations, P2.into());
    bench.answer(&attempt, Verdict::Done, &[]);
    let cost = bench.completed().unwrap().cost;
    assert_eq!((cost.moves, cost.groups, cost.retries), (1, 3, 0));
    assert!(!cost.multi_partition);
}

#[test]
fn a_move_that_failed_does_not_keep_the_request_from_its_attempt() {
    let mut bench = bench();
    bench.tell(&[hint(X, P1, 1), hint(Y, P2, 1)]);
    bench.submit(update(&[X, Y]));
    let step = bench.attempt();
    bench.answer(&step, Verdict::NotFound, &[]);
    assert_eq!(bench.attempt().request, update(&[X, Y]));
}

#[test]
fn termination_the_retries_of_its_moves_come_out_of_the_budget_of_the_request() {
    let mut bench = bench();
    bench.tell(&[hint(X, P1, 1), hint(Y, P2, 1)]);
    bench.submit(update(&[X, Y]));
    for retry in 2..5 {
        let step = bench.attempt();
        let owner = if retry % 2 == 0 { P0 } else { P2 };
        bench.answer(&step, Verdict::Retry, &[hint(Y, owner, retry)]);
    }
    let last = bench.attempt();
    assert_eq!(last.request, Request::relocate(Y, P1));
    assert_eq!(last.destinations, Groups::partitions(3));
    bench.answer(&last, Verdict::Done, &[]);
    let attempt = bench.attempt();
    assert_eq!(attempt.request, update(&[X, Y]));
    assert_eq!(attempt.destinations, Groups::partitions(3));
}

#[test]
fn the_moves_of_one_request_share_a_window() {
    let mut bench = bench();
    let here = (0..100).map(|key| hint(ObjectId::new(2, key), P1, 1));
    let there = (0..GATHER_WINDOW as u64 + 3).map(|key| hint(ObjectId::new(1, key), P2, 1));
    let all: Vec<_> = here.chain(there).collect();
    bench.tell(&all);
    let objects: Vec<_> = all.iter().map(|hint| hint.object).collect();
    bench.submit(update(&objects));
    let mut moves = bench.attempts();
    assert_eq!(moves.len(), GATHER_WINDOW);
    for answered in 1..=GATHER_WINDOW + 3 {
        let step = moves.remove(0);
        bench.answer(&step, Verdict::Done, &[]);
        moves.extend(bench.attempts());
        let left = (GATHER_WINDOW + 3 - answered).clamp(1, GATHER_WINDOW);
        assert_eq!(moves.len(), left);
    }
    assert_eq!(moves[0].request, update(&objects));
}
