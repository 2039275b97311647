//! How many questions to an oracle a command takes, over time: a line for each strategy that asks.
//!
//! It shows how fast clients learn where objects are, and how fast that grows stale.

use super::time_axis::TimeAxis;
use super::{Skip, named};
use crate::draw::canvas::{Canvas, Pen};
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::error::ReadError;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind};
use crate::read::folder::{Contents, Folder};
use crate::read::intervals::Interval;
use crate::style::looks;

/// One strategy: when, and questions for each command.
struct Line<'a> {
    strategy: &'a str,
    pen: Pen,
    points: Vec<(f64, f64)>,
}

pub(super) fn draw(
    folder: &Folder,
    choice: &Choice,
    out: &mut Drawing,
) -> Result<Result<(), Skip>, ReadError> {
    if folder.contents() != Contents::Run {
        return Ok(Err(Skip::of_a_run()));
    }
    let rows = match folder.intervals()? {
        Ok(rows) => rows,
        Err(missing) => return Ok(Err(missing.into())),
    };
    let shown: Vec<&Interval> = rows.iter().filter(|row| row.op == choice.op).collect();
    let time = TimeAxis::of(shown.iter().map(|row| row.at));
    let strategies = folder.strategies();
    let pens = looks(&strategies).into_iter();
    let lines = strategies.iter().zip(pens).map(|(strategy, look)| {
        let hollow = folder.verdict(strategy).is_some();
        let own = shown.iter().filter(|row| row.strategy == *strategy);
        let points = own.filter_map(|row| Some((row.at + time.half, row.consults?)));
        Line {
            strategy,
            pen: Pen { look, hollow },
            points: points.collect(),
        }
    });
    let asks = |line: &Line<'_>| line.points.iter().any(|(_, asked)| *asked > 0.0);
    let lines: Vec<Line<'_>> = lines.filter(asks).collect();
    if lines.is_empty() {
        return Ok(Err(Skip("nobody asked an oracle".into())));
    }
    let canvas = picture(folder, &lines, &time.axis, choice);
    let [op, _] = choice.parts();
    out.figures.push(Figure::new(Kind::Consults, [op], canvas));
    Ok(Ok(()))
}

fn picture(folder: &Folder, lines: &[Line<'_>], x: &Axis, choice: &Choice) -> Canvas {
    let asked = lines.iter().flat_map(|line| &line.points);
    let y = Axis {
        label: "questions per command".into(),
        scale: Scale::from_zero(asked.map(|(_, asked)| *asked)),
    };
    let entry = |line: &Line<'_>| {
        let name = named(line.strategy, folder.verdict(line.strategy));
        (name, Sample::Bare(line.pen))
    };
    let legend = Legend {
        about: choice.about(),
        entries: lines.iter().map(entry).collect(),
    };
    let (top, left) = (legend.height() + 6.0, left_of(&[&y]));
    let bottom = top + 130.0;
    let title = "Questions to an oracle per command over time";
    let mut canvas = Canvas::new(bottom + beneath(x, left), title);
    legend.draw(&mut canvas);
    let panel = Panel::draw(&mut canvas, left, (top, bottom), x, &y);
    for line in lines {
        let points = line.points.iter().map(|(at, asked)| panel.at(*at, *asked));
        canvas.series(line.strategy, |canvas| {
            canvas.line(points.collect(), line.pen.look);
        });
    }
    canvas
}
