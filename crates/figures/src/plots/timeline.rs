//! Throughput and latency over time, and what was broken on purpose: one figure for each strategy
//! of a run, all with the same axes. Of a sweep over faults, the first run of each point.

use super::grouping::{about, part};
use super::time_axis::TimeAxis;
use super::{Skip, named};
use crate::draw::canvas::{Canvas, Pen, Side, WIDTH, cut, width};
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, RIGHT, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::error::ReadError;
use crate::figure::{Drawing, Figure};
use crate::kind::{ALL, Choice, Kind};
use crate::read::folder::{Contents, FAULT, Folder};
use crate::read::intervals::Interval;
use crate::style::{Look, looks};

/// Rows of labels above the frame.
const ROWS: usize = 6;
const ROW: f64 = 12.0;

/// How wide the label of a fault may be.
const LONGEST: f64 = 160.0;

pub(super) fn draw(
    folder: &Folder,
    choice: &Choice,
    out: &mut Drawing,
) -> Result<Result<(), Skip>, ReadError> {
    match folder.contents() {
        Contents::Run => return of_run(folder, choice, &[], out),
        Contents::Sweep if folder.varies_faults => {}
        Contents::Sweep | Contents::Peak => return Ok(Err(Skip::of_a_run())),
    }
    let before = out.figures.len();
    for (cell, path, values) in folder.first_runs() {
        if !path.is_dir() {
            out.note(format!("timeline: cells/{cell} is not there"));
            continue;
        }
        let keys = folder.keys.iter().zip(values);
        let point: Vec<(&str, &str)> = keys.map(|(key, it)| (&key.name[..], &it[..])).collect();
        if let Err(Skip(why)) = of_run(&Folder::open(&path)?, choice, &point, out)? {
            out.note(format!("timeline of cells/{cell}: {why}"));
        }
    }
    Ok(match out.figures.len() > before {
        true => Ok(()),
        false => Err(Skip(
            "the folders of the runs, within cells/, are not there".into(),
        )),
    })
}

/// The time lines of a run, which is of this point if it is one of a sweep.
fn of_run(
    folder: &Folder,
    choice: &Choice,
    point: &[(&str, &str)],
    out: &mut Drawing,
) -> Result<Result<(), Skip>, ReadError> {
    let rows = match folder.intervals()? {
        Ok(rows) => rows,
        Err(missing) => return Ok(Err(missing.into())),
    };
    let shown: Vec<&Interval> = rows.iter().filter(|row| row.op == choice.op).collect();
    if shown.is_empty() {
        return Ok(Err(Skip(format!(
            "intervals.csv has nothing of {}",
            choice.op
        ))));
    }
    let part = part(point);
    // Faults have labels of their own.
    let others = point.iter().filter(|(key, _)| *key != FAULT);
    let about = about(choice, others);
    let axes = Axes::around(&shown);
    let (strategies, mut without) = (folder.strategies(), Vec::new());
    for (strategy, look) in strategies.iter().zip(looks(&strategies)) {
        let of_it = |row: &&Interval| row.strategy == *strategy;
        let points: Vec<&Interval> = shown.iter().copied().filter(of_it).collect();
        if points.is_empty() {
            without.push(*strategy);
            continue;
        }
        let faults = rows.iter().filter(|row| row.op == ALL && of_it(row));
        let faults = faults.filter(|row| !row.fault.is_empty());
        let faults: Vec<(f64, &str)> = faults.map(|row| (row.at, &row.fault[..])).collect();
        let verdict = folder.verdict(strategy);
        let hollow = verdict.is_some();
        // There is one line only: dashes would hide what happens between them.
        let look = Look { dashes: "", ..look };
        let line = Line {
            strategy,
            name: named(strategy, verdict),
            about: &about,
            pen: Pen { look, hollow },
            points,
            faults,
        };
        let (canvas, unlabelled) = line.picture(&axes);
        if unlabelled > 0 {
            let all = line.faults.len();
            out.note(format!(
                "timeline of {strategy}: {unlabelled} of {all} faults have a line but no label, \
                 for want of room"
            ));
        }
        let [op, _] = choice.parts();
        let name = [*strategy, &part, op];
        out.figures.push(Figure::new(Kind::Timeline, name, canvas));
    }
    if !without.is_empty() {
        out.note(format!(
            "timeline: there are no intervals of {}",
            without.join(", ")
        ));
    }
    Ok(Ok(()))
}

/// What all figures of a run share.
#[derive(Debug)]
struct Axes {
    time: TimeAxis,
    throughput: Axis,
    latency: Axis,
    ops: Unit,
    micros: Unit,
}

impl Axes {
    fn around(rows: &[&Interval]) -> Self {
        let throughputs = || rows.iter().map(|row| row.throughput);
        let latencies = || rows.iter().filter_map(|row| row.p99);
        let ops = Unit::of_throughput(throughputs().fold(0.0, f64::max));
        let micros = Unit::of_latency(latencies().fold(0.0, f64::max));
        Self {
            time: TimeAxis::of(rows.iter().map(|row| row.at)),
            throughput: Axis {
                label: ops.label("throughput"),
                scale: Scale::from_zero(throughputs().map(|value| value * ops.factor)),
            },
            latency: Axis {
                label: micros.label("p99 latency"),
                scale: Scale::fitting(latencies().map(|value| value * micros.factor)),
            },
            ops,
            micros,
        }
    }
}

/// One strategy's figure.
#[derive(Debug)]
struct Line<'a> {
    strategy: &'a str,
    name: String,
    /// What is shown of it.
    about: &'a str,
    pen: Pen,
    points: Vec<&'a Interval>,
    faults: Vec<(f64, &'a str)>,
}

impl Line<'_> {
    /// The picture, and how many faults had no room for their labels.
    fn picture(&self, axes: &Axes) -> (Canvas, usize) {
        let legend = Legend {
            about: self.about.to_owned(),
            entries: vec![(self.name.clone(), Sample::Bare(self.pen))],
        };
        let left = left_of(&[&axes.throughput, &axes.latency]);
        let labels = self.labels(axes, left);
        let rows = labels.iter().filter_map(|label| label.row).max();
        let faults_above = rows.map_or(0.0, |row| (row + 1) as f64 * ROW);
        let top = legend.height() + 6.0 + faults_above;
        let (middle, second) = (top + 105.0, top + 117.0);
        let bottom = second + 105.0;
        let height = bottom + beneath(&axes.time.axis, left);
        let title = format!("Throughput and latency of {} over time", self.name);
        let mut canvas = Canvas::new(height, &title);
        legend.draw(&mut canvas);
        let bare = axes.time.axis.bare();
        let above = Panel::draw(&mut canvas, left, (top, middle), &bare, &axes.throughput);
        let below = Panel::draw(
            &mut canvas,
            left,
            (second, bottom),
            &axes.time.axis,
            &axes.latency,
        );
        for label in &labels {
            let row = label.row.unwrap_or(0) as f64;
            let base = top - 3.0 - row * ROW;
            canvas.value(label.whole.clone(), |canvas| {
                canvas.rule((label.x, base + 1.0), (label.x, bottom));
            });
            if label.row.is_some() {
                canvas.text((label.text_x, base), label.side, false, &label.text);
            }
        }
        let at = |row: &Interval| row.at + axes.time.half;
        let points = self.points.iter();
        let line = points.map(|row| above.at(at(row), row.throughput * axes.ops.factor));
        canvas.series(self.strategy, |canvas| {
            canvas.line(line.collect(), self.pen.look);
        });
        // Where nothing was answered there is no latency, and the line is broken.
        for part in self.points.split(|row| row.p99.is_none()) {
            let line = part
                .iter()
                .map(|row| below.at(at(row), row.p99.unwrap_or_default() * axes.micros.factor));
            canvas.series(self.strategy, |canvas| {
                canvas.line(line.collect(), self.pen.look);
            });
        }
        let unlabelled = labels.iter().filter(|label| label.row.is_none()).count();
        (canvas, unlabelled)
    }

    /// Where the labels of faults go: each beside its line, in the lowest row where it covers no
    /// other and its line goes through none. The last is the first to choose: so lines have only
    /// later labels beneath them, which are on their right.
    fn labels(&self, axes: &Axes, left: f64) -> Vec<Label> {
        let right = WIDTH - 4.0;
        let Scale::Linear(_, end, _) = axes.time.axis.scale else {
            return Vec::new();
        };
        let to_x = |at: f64| left + (WIDTH - RIGHT - left) * at / end;
        let mut rows: [Vec<(f64, f64)>; ROWS] = Default::default();
        let mut labels = Vec::new();
        for (at, fault) in self.faults.iter().rev() {
            let x = to_x(*at);
            let text = cut(fault, LONGEST);
            let wide = width(&text);
            let (from, side) = match x + 2.0 + wide > right {
                true => (x - 2.0 - wide, Side::Left),
                false => (x + 2.0, Side::Right),
            };
            let to = from + wide;
            let is_free =
                |row: &Vec<(f64, f64)>| row.iter().all(|(a, b)| to + 6.0 < *a || *b < from);
            let is_open = |row: &Vec<(f64, f64)>| row.iter().all(|(a, b)| x < *a || *b < x);
            let reached = rows.iter().take_while(|row| is_open(row)).count();
            let row = rows.iter().take(reached + 1).position(is_free);
            if let Some(row) = row {
                rows[row].push((from, to));
            }
            labels.push(Label {
                x,
                text_x: if let Side::Left = side { to } else { from },
                side,
                text,
                whole: format!("{fault}, at {at} s"),
                row,
            });
        }
        labels
    }
}

/// The label of a fault.
#[derive(Debug)]
struct Label {
    /// Where its line is.
    x: f64,
    text_x: f64,
    side: Side,
    text: String,
    /// What its line says where there is no room for the label.
    whole: String,
    /// Counted upwards from the frame; nothing if none has room.
    row: Option<usize>,
}
