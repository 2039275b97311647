//! What each group did over time: commands delivered, those of several groups among them, and
//! objects that moved. One figure for each strategy of a run, with a frame for each group.

use super::Skip;
use super::time_axis::TimeAxis;
use crate::draw::canvas::{Canvas, Pen};
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::error::ReadError;
use crate::figure::{Drawing, Figure};
use crate::kind::{ALL, Choice, Kind};
use crate::read::folder::{Contents, Folder};
use crate::read::groups::GroupInterval;
use crate::style::{Look, looks};
use std::collections::BTreeMap;

/// The height of a frame, and of what is between two.
const HEIGHT: f64 = 44.0;
const GAP: f64 = 11.0;
/// About how many ticks a frame has room for.
const TICKS: usize = 2;

pub(super) fn draw(
    folder: &Folder,
    choice: &Choice,
    out: &mut Drawing,
) -> Result<Result<(), Skip>, ReadError> {
    if folder.contents() == Contents::Sweep {
        return Ok(Err(Skip::of_a_run()));
    }
    if choice.op != ALL {
        return Ok(Err(Skip("groups do not tell operations apart".into())));
    }
    let rows = match folder.groups()? {
        Ok(rows) => rows,
        Err(missing) => return Ok(Err(missing.into())),
    };
    if rows.is_empty() {
        return Ok(Err(Skip("partitions.csv has no rows".into())));
    }
    let strategies = folder.strategies();
    for (strategy, look) in strategies.iter().zip(looks(&strategies)) {
        let rows = rows.iter().filter(|row| row.strategy == *strategy);
        let rows: Vec<&GroupInterval> = rows.collect();
        if !rows.is_empty() {
            let canvas = picture(strategy, look, &rows);
            let figure = Figure::new(Kind::Partitions, [*strategy], canvas);
            out.figures.push(figure);
        }
    }
    Ok(Ok(()))
}

fn picture(strategy: &str, look: Look, rows: &[&GroupInterval]) -> Canvas {
    let starts = || rows.iter().map(|row| row.at);
    let time = TimeAxis::of(starts());
    let rate = |count: f64| count / (2.0 * time.half);
    let most = rows.iter().map(|row| rate(row.delivered));
    let ops = Unit::of_throughput(most.fold(0.0, f64::max));
    let delivered = Scale::from_zero_by(
        rows.iter().map(|row| rate(row.delivered) * ops.factor),
        TICKS,
    );
    let mut moves: BTreeMap<u64, f64> = BTreeMap::new();
    for row in rows {
        *moves.entry((row.at * 1e3).round() as u64).or_default() += rate(row.objects_in);
    }
    let mut frames: Vec<Frame> = Vec::new();
    for row in rows {
        let frame = match frames.iter_mut().find(|frame| frame.label == row.group) {
            Some(frame) => frame,
            None => {
                frames.push(Frame::new(&row.group, delivered.clone(), 2));
                frames
                    .last_mut()
                    .unwrap_or_else(|| unreachable!("it is there"))
            }
        };
        for (line, count) in frame.lines.iter_mut().zip([row.delivered, row.multi]) {
            line.push((row.at, rate(count) * ops.factor));
        }
    }
    if moves.values().any(|moved| *moved > 0.0) {
        let mut frame = Frame::new(
            "moves (1/s)",
            Scale::from_zero_by(moves.values().copied(), TICKS),
            1,
        );
        let points = moves.iter().map(|(at, moved)| (*at as f64 / 1e3, *moved));
        frame.lines[0].extend(points);
        frames.push(frame);
    }

    let pens = ["", "3 1.5"].map(|dashes| Look { dashes, ..look });
    let sample = |look| {
        Sample::Bare(Pen {
            look,
            hollow: false,
        })
    };
    let names = ["all", "those of several groups"].map(String::from);
    let legend = Legend {
        about: format!(
            "{strategy}: commands that each group delivered ({})",
            ops.name
        ),
        entries: names.into_iter().zip(pens.map(sample)).collect(),
    };
    let axes: Vec<Axis> = frames.iter().map(Frame::axis).collect();
    let left = left_of(&axes.iter().collect::<Vec<_>>());
    let top = legend.height() + 8.0;
    let bottom = top + frames.len() as f64 * (HEIGHT + GAP) - GAP;
    let title = format!("What each group did over time, under {strategy}");
    let mut canvas = Canvas::new(bottom + beneath(&time.axis, left), &title);
    legend.draw(&mut canvas);
    for (place, (frame, axis)) in frames.iter().zip(&axes).enumerate() {
        let top = top + place as f64 * (HEIGHT + GAP);
        let is_last = place + 1 == frames.len();
        let x = if is_last {
            &time.axis
        } else {
            &time.axis.bare()
        };
        let panel = Panel::draw(&mut canvas, left, (top, top + HEIGHT), x, axis);
        canvas.series(strategy, |canvas| {
            for (line, look) in frame.lines.iter().zip(pens) {
                let at = |(at, value): &(f64, f64)| panel.at(at + time.half, *value);
                canvas.line(line.iter().map(at).collect(), look);
            }
        });
    }
    canvas
}

/// One frame of the figure.
#[derive(Debug)]
struct Frame {
    label: String,
    scale: Scale,
    lines: Vec<Vec<(f64, f64)>>,
}

impl Frame {
    fn new(label: &str, scale: Scale, lines: usize) -> Self {
        Self {
            label: label.into(),
            scale,
            lines: vec![Vec::new(); lines],
        }
    }

    fn axis(&self) -> Axis {
        Axis {
            label: self.label.clone(),
            scale: self.scale.clone(),
        }
    }
}
