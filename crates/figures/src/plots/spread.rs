//! How far the points of a sweep can be trusted, in both directions.

use crate::draw::canvas::{Canvas, Pen};
use crate::statistics::Repeats;

/// How far a point can be trusted: intervals, or the values where there are too few.
pub(super) fn spread(
    canvas: &mut Canvas,
    at: &impl Fn(f64, f64) -> (f64, f64),
    (x, y): (&Repeats, &Repeats),
    pen: Pen,
) {
    let colour = pen.look.colour;
    if let Some((low, high)) = y.interval {
        canvas.interval(at(x.mean, low), at(x.mean, high), colour);
    } else if x.values.len() > 1 {
        for (x, y) in x.values.iter().zip(&y.values) {
            canvas.dot(at(*x, *y), pen.look);
        }
    }
    if let Some((low, high)) = x.interval {
        canvas.interval(at(low, y.mean), at(high, y.mean), colour);
    }
}
