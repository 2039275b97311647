//! A share of a sweep's cells: what one of several jobs is to run.
//!
//! Invariant: each cell is in exactly one of the shares; they are of equal size but for one cell;
//! and the runs of a point are spread over as many of them as can be, so that a slow machine
//! strikes all points alike.

use std::fmt;

/// One of `of` equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Which one, from 0, less than `of`.
    number: usize,
    /// How many there are, at least 1.
    of: usize,
}

impl Share {
    /// `None` if there is no such share.
    pub(crate) fn new(number: usize, of: usize) -> Option<Self> {
        (number < of).then_some(Self { number, of })
    }

    /// Whether the cell with this number is in it, where there are so many points.
    ///
    /// Cells are numbered by repeats first, then points. They are dealt out one after another; once
    /// a point would get to the same share again, all move on by one.
    pub(crate) fn has(self, cell: usize, points: usize) -> bool {
        let round = points.saturating_mul(self.of) / common_divisor(points, self.of);
        (cell + cell / round) % self.of == self.number
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// The greatest common divisor of two numbers above 0.
fn common_divisor(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn shares_are_equal_and_spread_the_runs_of_a_point() {
        for (points, repeats, of) in [(3, 5, 1), (4, 4, 4), (4, 6, 2), (3, 5, 4), (6, 9, 4)] {
            let shares: Vec<Share> = (0..of).filter_map(|it| Share::new(it, of)).collect();
            let cells = points * repeats;
            let holder = |cell| {
                let mut those = shares.iter().filter(|share| share.has(cell, points));
                let one = those.next().expect("each cell is in one share");
                assert_eq!(those.next(), None, "cell {cell} is in two shares");
                one.number
            };
            let mut sizes = vec![0; of];
            (0..cells).for_each(|cell| sizes[holder(cell)] += 1);
            let uneven = sizes.iter().max().unwrap() - sizes.iter().min().unwrap();
            assert!(uneven <= 1, "{points} points, {of} shares: {sizes:?}");
            for point in 0..points {
                let at: BTreeSet<_> = (0..repeats).map(|it| holder(it * points + point)).collect();
                assert_eq!(at.len(), of.min(repeats), "{points} points, {of} shares");
            }
        }
    }

    #[test]
    fn there_is_no_share_beyond_the_last() {
        assert_eq!(Share::new(2, 2), None);
        assert_eq!(Share::new(0, 0), None);
        assert_eq!(Share::new(1, 2).unwrap().to_string(), "1/2");
    }
}
