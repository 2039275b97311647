//! How each strategy looks in every figure.
//!
//! Colours are Okabe and Ito's, which colour-blind people can tell apart; shapes, dashes and
//! hatches say the same without colours. Invariant: a strategy's look depends on its name, and on
//! the other unknown names of the folder only if it is unknown itself.

use kuva::plot::fill_pattern::FillPattern;

/// The shape of a marker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Pentagon,
}

/// How a series looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    /// Red, green and blue.
    pub(crate) colour: (u8, u8, u8),
    pub(crate) shape: Shape,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub(crate) dashes: &'static str,
    pub(crate) hatch: FillPattern,
}

const fn look(
    colour: (u8, u8, u8),
    shape: Shape,
    dashes: &'static str,
    hatch: FillPattern,
) -> Look {
    Look {
        colour,
        shape,
        dashes,
        hatch,
    }
}

/// Those of the strategies that everybody has.
const KNOWN: [(&str, Look); 4] = [
    (
        "global",
        look((0, 114, 178), Shape::Circle, "", FillPattern::Solid),
    ),
    (
        "broker",
        look(
            (213, 94, 0),
            Shape::Square,
            "7 2.5",
            FillPattern::DiagonalForward,
        ),
    ),
    (
        "static",
        look((0, 158, 115), Shape::Triangle, "1.6 1.8", FillPattern::Dots),
    ),
    (
        "cache",
        look(
            (204, 121, 167),
            Shape::Diamond,
            "7 2 1.6 2",
            FillPattern::DiagonalBack,
        ),
    ),
];

/// Those of all others, in the order in which the folder names them.
const OTHERS: [Look; 3] = [
    look(
        (230, 159, 0),
        Shape::TriangleDown,
        "3.5 1.8",
        FillPattern::Horizontal,
    ),
    look(
        (86, 180, 233),
        Shape::Pentagon,
        "10 3",
        FillPattern::Vertical,
    ),
    look(
        (0, 0, 0),
        Shape::Circle,
        "7 2 1.6 2 1.6 2",
        FillPattern::Crosshatch,
    ),
];

/// Colour and hatch of each part of a stack: from light to dark.
pub(crate) const PARTS: [((u8, u8, u8), FillPattern); 4] = [
    ((240, 240, 240), FillPattern::Solid),
    ((200, 200, 200), FillPattern::DiagonalForward),
    ((150, 150, 150), FillPattern::Solid),
    ((90, 90, 90), FillPattern::Solid),
];

/// The looks of these strategies.
pub(crate) fn looks(strategies: &[&str]) -> Vec<Look> {
    let mut others = OTHERS.into_iter().cycle();
    let look = |name: &&str| {
        let known = KNOWN.iter().find(|(known, _)| known == name);
        known
            .map(|(_, look)| *look)
            .or_else(|| others.next())
            .unwrap_or(KNOWN[0].1)
    };
    strategies.iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_looks_the_same_in_any_company() {
        let (all, one) = (
            looks(&["global", "broker", "mine", "static"]),
            looks(&["broker"]),
        );
        assert_eq!(all[1], one[0]);
        assert_eq!(looks(&["mine"])[0], all[2]);
    }

    #[test]
    fn no_two_look_alike_without_colours() {
        let all: Vec<Look> = KNOWN.iter().map(|(_, look)| *look).chain(OTHERS).collect();
        for (place, one) in all.iter().enumerate() {
            for other in &all[..place] {
                assert_ne!(one.dashes, other.dashes);
                assert_ne!(one.hatch, other.hatch);
                assert_ne!(one.colour, other.colour);
            }
        }
    }
}
