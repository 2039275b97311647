//! SVG of lines, arrows, boxes and words: what a message diagram needs, and no plotting crate has.

use std::fmt::Write;

/// How wide a picture is, in units of which four are a millimetre.
pub(super) const WIDTH: f64 = 340.0;
/// What a file of SVG begins with, and an element of a page does not need.
pub(super) const XMLNS: &str = " xmlns='http://www.w3.org/2000/svg'";
/// The size of words.
pub(super) const SIZE: f64 = 8.5;

/// A picture being drawn from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    body: String,
}

/// Where words stand beside their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), width: f64, dashes: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = write!(
            self.body,
            "<line x1='{x1:.1}' y1='{y1:.1}' x2='{x2:.1}' y2='{y2:.1}' \
             stroke='#000000' stroke-width='{width}'"
        );
        self.body += &match dashes {
            "" => "/>".into(),
            some => format!(" stroke-dasharray='{some}'/>"),
        };
    }

    /// The head of an arrow that points right or left.
    pub(super) fn head(&mut self, (x, y): (f64, f64), to_the_right: bool) {
        let back = if to_the_right { x - 6.0 } else { x + 6.0 };
        let (above, below) = (y - 2.5, y + 2.5);
        let _ = write!(
            self.body,
            "<path d='M{x:.1},{y:.1}L{back:.1},{above:.1}L{back:.1},{below:.1}Z' \
             fill='#000000' stroke='#000000' stroke-width='0.5'/>"
        );
    }

    /// Where a message to several begins.
    pub(super) fn dot(&mut self, (x, y): (f64, f64)) {
        let _ = write!(
            self.body,
            "<circle cx='{x:.1}' cy='{y:.1}' r='1.8' fill='#000000' stroke='#000000'/>"
        );
    }

    /// A box around a point.
    pub(super) fn box_around(&mut self, (x, y): (f64, f64), width: f64, height: f64) {
        let (left, top) = (x - width / 2.0, y - height / 2.0);
        let _ = write!(
            self.body,
            "<rect x='{left:.1}' y='{top:.1}' width='{width:.1}' height='{height:.1}' rx='2' \
             fill='#ffffff' stroke='#000000' stroke-width='0.7'/>"
        );
    }

    /// Words whose base line is at a point. A white rim keeps them apart from lines they cross.
    pub(super) fn words(&mut self, (x, y): (f64, f64), anchor: Anchor, bold: bool, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor='middle'",
            Anchor::End => " text-anchor='end'",
        };
        let weight = if bold { " font-weight='bold'" } else { "" };
        let text = escaped(text);
        let _ = write!(
            self.body,
            "<text x='{x:.1}' y='{y:.1}'{anchor}{weight} stroke='#ffffff' stroke-width='2.5' \
             paint-order='stroke'>{text}</text>"
        );
    }

    /// The picture, so high.
    pub(super) fn svg(self, title: &str, height: f64) -> String {
        let (body, title, millimetres) = (self.body, escaped(title), height / 4.0);
        format!(
            "<svg{XMLNS} width='85mm' height='{millimetres:.2}mm' \
             viewBox='0 0 {WIDTH} {height:.0}' font-family='Helvetica, Arial, sans-serif' \
             font-size='{SIZE}' role='img'>\n<title>{title}</title>\
             <rect width='100%' height='100%' fill='white'/>{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// About how wide words are: there is no font to ask.
pub(super) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * SIZE * 0.57
}
