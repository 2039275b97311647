//! Where everything of a message diagram stands: a lane for each participant, one row after the
//! other.

use super::canvas::{Anchor, Canvas, SIZE, WIDTH, width};
use super::script::{Kind, Scene, Step};

/// From the edge of the picture to the first and last lane.
const MARGIN: f64 = 44.0;
const HEADER: f64 = 30.0;
const ROW: f64 = 17.0;
const LINE: f64 = 10.0;

/// Draws one request, under what strategy and request are called.
pub(super) fn draw(title: &str, lanes: &[String], scene: &Scene) -> String {
    let gap = (WIDTH - 2.0 * MARGIN) / (lanes.len().max(2) - 1) as f64;
    let place = |name: &String| {
        let lane = lanes.iter().position(|lane| lane == name);
        MARGIN + gap * lane.unwrap_or(0) as f64
    };
    let rows = rows(&scene.steps);
    let bottom = HEADER + rows.iter().map(|row| height(row)).sum::<f64>() + 4.0;
    let mut canvas = Canvas::default();
    canvas.words((WIDTH / 2.0, 10.0), Anchor::Middle, true, title);
    for lane in lanes {
        let x = place(lane);
        canvas.line((x, HEADER), (x, bottom), 0.5, "1 2");
        canvas.box_around((x, HEADER - 8.0), width(lane).max(30.0) + 8.0, 14.0);
        canvas.words((x, HEADER - 5.0), Anchor::Middle, false, lane);
    }
    let mut y = HEADER;
    for row in rows {
        let height = height(&row);
        for step in row {
            match step {
                Step::Message {
                    kind,
                    from,
                    to,
                    text,
                } => {
                    let to: Vec<f64> = to.iter().map(place).collect();
                    message(&mut canvas, *kind, y + ROW - 4.0, place(from), &to, text);
                }
                Step::Note { at, text } => {
                    for x in at.iter().map(place) {
                        note(&mut canvas, (x, y + height / 2.0), text);
                    }
                }
            }
        }
        y += height;
    }
    canvas.svg(title, bottom + 4.0)
}

/// What stands beside each other: boxes that follow each other on different lanes.
fn rows(steps: &[Step]) -> Vec<Vec<&Step>> {
    let is_beside = |one: &Step, next: &Step| match (one, next) {
        (Step::Note { at, .. }, Step::Note { at: other, .. }) => {
            at.iter().all(|lane| !other.contains(lane))
        }
        _ => false,
    };
    let mut rows: Vec<Vec<&Step>> = Vec::new();
    for step in steps {
        match rows.last_mut() {
            Some(row) if row.iter().all(|other| is_beside(other, step)) => row.push(step),
            _ => rows.push(vec![step]),
        }
    }
    rows
}

fn height(row: &[&Step]) -> f64 {
    let of = |step: &&Step| match step {
        Step::Message { .. } => ROW,
        Step::Note { text, .. } => text.len() as f64 * LINE + 9.0,
    };
    row.iter().map(of).fold(0.0, f64::max)
}

/// An arrow to each receiver, with words beside the sender.
fn message(canvas: &mut Canvas, kind: Kind, y: f64, from: f64, to: &[f64], text: &str) {
    let dashes = match kind {
        Kind::Submit | Kind::Answer => "",
        Kind::Signal => "6 2.5",
        Kind::Timestamp => "1.5 2",
        Kind::Lookup | Kind::Publish => "4 2 1 2",
    };
    let least = to.iter().copied().fold(from, f64::min);
    let most = to.iter().copied().fold(from, f64::max);
    let next = to.iter().copied().reduce(|best, x| {
        let is_nearer = (x - from).abs() < (best - from).abs();
        if is_nearer { x } else { best }
    });
    let next = next.unwrap_or(from);
    let (x, anchor) = match next > from {
        true => (from + 5.0, Anchor::Start),
        false => (from - 5.0, Anchor::End),
    };
    // The rim of words must not hide their own arrow.
    canvas.words((x, y - 3.0), anchor, false, text);
    canvas.line((least, y), (most, y), 0.9, dashes);
    if to.len() > 1 {
        canvas.dot((from, y));
    }
    for x in to {
        canvas.head((*x, y), *x > from);
    }
}

/// A box on a lane.
fn note(canvas: &mut Canvas, (x, y): (f64, f64), text: &[String]) {
    let widest = text.iter().map(|line| width(line)).fold(0.0, f64::max);
    let height = text.len() as f64 * LINE + 3.0;
    canvas.box_around((x, y), widest + 6.0, height);
    for (number, line) in text.iter().enumerate() {
        let base = y - height / 2.0 + LINE * number as f64 + SIZE + 0.5;
        canvas.words((x, base), Anchor::Middle, false, line);
    }
}
