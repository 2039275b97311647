//! Dashes for pictures of dots: `kuva` begins them anew at each point of a line, and leaves them as
//! long as they are however large the picture.

use kuva::render::render::Primitive;

/// The same element without dashes: as the pieces of line that they leave.
pub(super) fn cut(element: &Primitive) -> Vec<Primitive> {
    let (points, stroke, stroke_width, dashes) = match element {
        Primitive::PolyLine {
            points,
            stroke,
            stroke_width,
            stroke_dasharray: Some(dashes),
        } => (points.clone(), stroke, stroke_width, dashes),
        Primitive::Line {
            x1,
            y1,
            x2,
            y2,
            stroke,
            stroke_width,
            stroke_dasharray: Some(dashes),
        } => (vec![(*x1, *y1), (*x2, *y2)], stroke, stroke_width, dashes),
        other => return vec![other.clone()],
    };
    let lengths = dashes.split(' ').filter_map(|length| length.parse().ok());
    let lengths: Vec<f64> = lengths.filter(|length| *length > 0.0).collect();
    let pieces = pieces(&points, &lengths).into_iter();
    let piece = |points| Primitive::PolyLine {
        points,
        stroke: stroke.clone(),
        stroke_width: *stroke_width,
        stroke_dasharray: None,
    };
    pieces.map(piece).collect()
}

/// The pieces of a line that are drawn, if dashes and gaps have these lengths in turn.
fn pieces(points: &[(f64, f64)], lengths: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let (Some(&first), [length, ..]) = (points.first(), lengths) else {
        return vec![points.to_vec()];
    };
    let (mut turn, mut left) = (0, *length);
    let (mut pieces, mut piece) = (Vec::new(), vec![first]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let rest = dx.hypot(dy);
            if rest < left {
                left -= rest;
                break;
            }
            let share = left / rest;
            from = (from.0 + dx * share, from.1 + dy * share);
            if turn % 2 == 0 {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            turn += 1;
            left = lengths[turn % lengths.len()];
        }
        if turn % 2 == 0 {
            piece.push(to);
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_on_around_corners() {
        let corner = [(0.0, 0.0), (3.0, 0.0), (3.0, 5.0)];
        let cut = pieces(&corner, &[4.0, 2.0]);
        let first = vec![(0.0, 0.0), (3.0, 0.0), (3.0, 1.0)];
        assert_eq!(cut, [first, vec![(3.0, 3.0), (3.0, 5.0)]]);
        assert_eq!(pieces(&corner, &[]), [corner.to_vec()]);
    }
}
