//! Which series is which: a row of samples above the figure, or several where one is too wide.

use super::canvas::Side;
use super::canvas::{Canvas, LETTERS, Pen, WIDTH, cut, light, width};
use kuva::plot::fill_pattern::FillPattern;

/// The height of a row.
const ROW: f64 = 14.0;
const SAMPLE: f64 = 24.0;
const GAP: f64 = 4.0;

/// What a name stands beside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sample {
    /// A line with a marker.
    Line(Pen),
    /// A line.
    Bare(Pen),
    /// A filled patch.
    Patch((u8, u8, u8), FillPattern),
}

impl Sample {
    /// The patch of a strategy's bars.
    pub(crate) fn bar(pen: Pen) -> Self {
        let (colour, hatch) = bar_fill(pen);
        Self::Patch(colour, hatch)
    }
}

/// How bars of a series are filled.
pub(crate) fn bar_fill(pen: Pen) -> ((u8, u8, u8), FillPattern) {
    match pen.hollow {
        true => ((255, 255, 255), FillPattern::Solid),
        false => (light(pen.look.colour), pen.look.hatch),
    }
}

/// Lines of text above a figure: what it is of, and which series is which.
#[derive(Clone, Debug, Default)]
pub(crate) struct Legend {
    /// What is the same for all of the figure; empty for nothing to say.
    pub(crate) about: String,
    /// The names.
    pub(crate) entries: Vec<(String, Sample)>,
}

impl Legend {
    /// How high it is.
    pub(crate) fn height(&self) -> f64 {
        (self.rows().len() + usize::from(!self.about.is_empty())) as f64 * ROW
    }

    /// Draws it at the top.
    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let mut base = 11.0;
        if !self.about.is_empty() {
            let about = cut(&self.about, WIDTH - 8.0);
            canvas.text((WIDTH / 2.0, base), Side::Middle, false, &about);
            base += ROW;
        }
        for row in self.rows() {
            let whole: f64 = row.iter().map(|(name, _)| entry_width(name)).sum();
            let mut x = ((WIDTH - whole) / 2.0).max(4.0);
            for (name, sample) in row {
                canvas.entry(name, |canvas| {
                    draw_sample(canvas, (x, base - LETTERS * 0.35), *sample);
                    let at = (x + SAMPLE + GAP, base);
                    canvas.text(at, Side::Right, false, &cut(name, WIDTH / 2.0));
                });
                x += entry_width(name);
            }
            base += ROW;
        }
    }

    fn rows(&self) -> Vec<&[(String, Sample)]> {
        let (mut rows, mut rest) = (Vec::new(), &self.entries[..]);
        while !rest.is_empty() {
            let mut room = WIDTH - 8.0;
            let fits = |(name, _): &&(String, Sample)| {
                room -= entry_width(name);
                room >= -GAP * 2.0
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (row, others) = rest.split_at(count);
            rows.push(row);
            rest = others;
        }
        rows
    }
}

fn entry_width(name: &str) -> f64 {
    SAMPLE + GAP + width(&cut(name, WIDTH / 2.0)) + GAP * 2.0
}

fn draw_sample(canvas: &mut Canvas, (x, y): (f64, f64), sample: Sample) {
    let line = vec![(x, y), (x + SAMPLE, y)];
    match sample {
        Sample::Bare(pen) => canvas.line(line, pen.look),
        Sample::Line(pen) => {
            canvas.line(line, pen.look);
            canvas.marker((x + SAMPLE / 2.0, y), pen);
        }
        Sample::Patch(colour, hatch) => {
            canvas.bar((x + 4.0, y - 4.5), (SAMPLE - 6.0, 9.0), colour, hatch);
        }
    }
}
