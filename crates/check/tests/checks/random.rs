//! Random histories: right ones pass, and on falsified ones the checks agree with each other and
//! with brute force.

use super::history_builder::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ssmr_check::History;
use ssmr_core::{Answer, Intent, LocalTime, Micros, Outcome, PartitionId, Request, Verdict};

/// What to make histories of.
struct Shape {
    operations: u64,
    objects: u64,
    /// How far intervals reach around the moment of the effect; effects are 100 us apart.
    reach: Micros,
    /// How many operations of a hundred are not answered.
    unanswered: u32,
}

/// A linearizable builder, and what the groups recorded for its unanswered operations.
fn tell(rng: &mut impl Rng, shape: &Shape) -> (HistoryBuilder, Vec<Option<Answer>>) {
    let (mut builder, mut recorded) = (HistoryBuilder::default(), Vec::new());
    for place in 1..=shape.operations {
        let begun = place > shape.objects || rng.random_ratio(1, 4);
        let request = if begun {
            request(rng, shape.objects)
        } else {
            create(object(place - 1), 0)
        };
        let point = shape.reach + place * 100;
        let reach = 0..=shape.reach;
        let span = (
            point - rng.random_range(reach.clone()),
            point + rng.random_range(reach),
        );
        if rng.random_ratio(1, 10) {
            builder
                .model
                .shift(object(rng.random_range(0..shape.objects)));
        }
        let unanswered = rng.random_ratio(shape.unanswered, 100);
        if unanswered && rng.random() {
            builder.lost(request, span);
            recorded.push(None);
            continue;
        }
        let act = builder.then(request, span);
        recorded.push(Some(answer(act)));
        if unanswered {
            act.forget();
        }
    }
    (builder, recorded)
}

fn request(rng: &mut impl Rng, objects: u64) -> Request {
    let mut any = || object(rng.random_range(0..objects));
    let (x, y) = (any(), any());
    let value = rng.random_range(0..4);
    match rng.random_range(0..12) {
        0 | 1 => create(x, value),
        2 => Request::delete(x),
        3 => Request::lookup(x),
        4 => Request::relocate(x, PartitionId(1)),
        5 => create(x, value).and(y, Intent::Delete),
        6 => set(&[x], value),
        7 => set(&[x, y], value),
        8 => add(x, 1),
        9 if x != y => add(x, 2).and(y, Intent::Lookup),
        _ => read(&[x, y]),
    }
}

fn answer(act: &Act) -> Answer {
    let (verdict, reply) = match &act.completion.outcome {
        Outcome::Done(reply) => (Verdict::Done, reply.clone()),
        Outcome::AlreadyExists => (Verdict::AlreadyExists, Default::default()),
        _ => (Verdict::NotFound, Default::default()),
    };
    Answer {
        id: act.completion.last_attempt.unwrap(),
        verdict,
        reply,
        timestamp: act.completion.timestamp.unwrap(),
        touched: act.completion.touched.clone(),
    }
}

fn attributed(builder: &HistoryBuilder, recorded: &[Option<Answer>]) -> History<Cells> {
    let mut history = builder.history();
    let unanswered: Vec<_> = history
        .unanswered()
        .map(|(operation, _)| operation)
        .collect();
    for operation in unanswered {
        history.attribute(operation, recorded[operation].as_ref());
    }
    history
}

/// Falsifies a builder a little. It may stay linearizable.
fn falsify(rng: &mut impl Rng, builder: &mut HistoryBuilder) {
    let count = builder.acts.len();
    let (a, b) = (rng.random_range(0..count), rng.random_range(0..count));
    let other = builder.acts[b].completion.clone();
    let completion = &mut builder.acts[a].completion;
    match rng.random_range(0..5) {
        0 if completion.outcome.is_definite() && other.outcome.is_definite() => {
            completion.outcome = other.outcome;
        }
        1 if completion.outcome.is_definite() && other.outcome.is_definite() => {
            completion.outcome = other.outcome;
            completion.touched = other.touched;
            completion.timestamp = other.timestamp;
        }
        2 => completion.touched = other.touched,
        3 => (completion.invoked, completion.completed) = (other.invoked, other.completed),
        _ => {
            let length = completion.completed.since(completion.invoked);
            let invoked = rng.random_range(0..=other.completed.micros());
            completion.invoked = LocalTime::from_micros(invoked);
            completion.completed = completion.invoked + length;
        }
    }
}

#[test]
fn linearizable_histories_pass() {
    let mut unjudged = 0;
    for seed in 0..400 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let shape = Shape {
            operations: 40,
            objects: rng.random_range(1..6),
            reach: rng.random_range(1..500),
            unanswered: rng.random_range(0..20),
        };
        let (builder, recorded) = tell(rng, &shape);
        let history = builder.history();
        let fail = |violation| panic!("seed {seed}: {violation}");
        assert_eq!(
            history.check_blackbox().unwrap_or_else(fail).undecided,
            0,
            "seed {seed}"
        );
        unjudged += history.check().unwrap_or_else(fail).unjudged;
        let summary = attributed(&builder, &recorded).check().unwrap_or_else(fail);
        assert_eq!(summary.unjudged, 0, "seed {seed}");
    }
    assert!(unjudged > 0, "no history was hard");
}

#[test]
fn the_black_box_agrees_with_brute_force() {
    let mut verdicts = [0; 2];
    for seed in 0..4000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let shape = Shape {
            operations: rng.random_range(2..8),
            objects: 2,
            reach: rng.random_range(1..300),
            unanswered: 10,
        };
        let (mut builder, _) = tell(rng, &shape);
        (0..3).for_each(|_| falsify(rng, &mut builder));
        let possible = explicable(
            &builder.acts,
            &mut vec![false; builder.acts.len()],
            &Model::default(),
        );
        let checked = builder.history().check_blackbox();
        assert_eq!(checked.is_ok(), possible, "seed {seed}: {checked:?}");
        verdicts[usize::from(possible)] += 1;
    }
    assert!(
        verdicts.iter().all(|count| *count > 500),
        "one-sided: {verdicts:?}"
    );
}

/// Whether some order of the rest explains it: tries all of them.
fn explicable(acts: &[Act], taken: &mut Vec<bool>, model: &Model) -> bool {
    let told = |act: &Act| act.completion.outcome != Outcome::Unknown;
    let left = |taken: &Vec<bool>| (0..acts.len()).filter(|&i| !taken[i]).collect::<Vec<_>>();
    let rest = left(taken);
    if !rest.iter().any(|&i| told(&acts[i])) {
        return true;
    }
    let ends = rest
        .iter()
        .filter(|&&i| told(&acts[i]))
        .map(|&i| acts[i].completion.completed);
    let earliest = ends.min().unwrap();
    rest.iter().any(|&i| {
        let mut next = model.clone();
        let allowed = acts[i].completion.invoked <= earliest;
        let outcome = next.run(&acts[i].request).0;
        taken[i] = true;
        let fits = !told(&acts[i]) || outcome == acts[i].completion.outcome;
        let found = allowed && fits && explicable(acts, taken, &next);
        taken[i] = false;
        found
    })
}

#[test]
fn what_the_witnessed_check_passes_is_linearizable() {
    let mut verdicts = [0; 2];
    for seed in 0..4000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let shape = Shape {
            operations: 12,
            objects: rng.random_range(1..4),
            reach: rng.random_range(1..300),
            unanswered: 10,
        };
        let (mut builder, recorded) = tell(rng, &shape);
        falsify(rng, &mut builder);
        let history = attributed(&builder, &recorded);
        let witnessed = history.check();
        if witnessed.is_ok() {
            let searched = history.check_blackbox();
            assert!(searched.is_ok(), "seed {seed}: {}", searched.unwrap_err());
        }
        verdicts[usize::from(witnessed.is_ok())] += 1;
    }
    assert!(
        verdicts.iter().all(|count| *count > 500),
        "one-sided: {verdicts:?}"
    );
}

#[test]
fn a_wrong_reply_never_passes_the_witnessed_check() {
    for seed in 0..1000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let shape = Shape {
            operations: 12,
            objects: 3,
            reach: 200,
            unanswered: 0,
        };
        let (mut builder, _) = tell(rng, &shape);
        let mut replies = builder.acts.iter_mut().filter(
            |act| matches!(&act.completion.outcome, Outcome::Done(reply) if !reply.is_empty()),
        );
        if let Some(act) = replies.next() {
            act.reply(&[99]);
            assert!(builder.history().check().is_err(), "seed {seed}");
        }
    }
}

#[test]
fn a_long_history_of_many_objects_passes_the_witnessed_check() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let shape = Shape {
        operations: 20_000,
        objects: 100,
        reach: 2_000,
        unanswered: 0,
    };
    let summary = tell(rng, &shape).0.history().check().unwrap();
    assert_eq!(summary.replayed, 20_000);
}
