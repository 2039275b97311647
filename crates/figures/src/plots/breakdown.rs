//! Where the time of a command goes: a stack of order, wait, execute and answer for each strategy
//! of a run, or along what a sweep varied, with a frame for each strategy.

use super::grouping::{Series, Slice, Spot, need, slices};
use super::{Skip, named};
use crate::draw::canvas::Canvas;
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind};
use crate::read::folder::Folder;
use crate::read::summary::{Key, STAGES};
use crate::style::PARTS;

/// The height of the only frame, of one of several, and of what is between two.
const ALONE: f64 = 150.0;
const HEIGHT: f64 = 72.0;
const GAP: f64 = 12.0;

pub(super) fn draw(folder: &Folder, choice: &Choice, out: &mut Drawing) -> Result<(), Skip> {
    need(folder, &STAGES)?;
    let keys = folder.keys.iter().enumerate();
    let whole = folder.keys.is_empty().then_some(None);
    let mut is_empty = true;
    for along in keys.map(Some).chain(whole) {
        for slice in slices(folder, along.map(|(place, _)| place), choice, out) {
            let frames = frames(&slice, along.map(|(_, key)| key));
            if frames.is_empty() {
                continue;
            }
            is_empty = false;
            let key = along.map(|(_, key)| key);
            let canvas = picture(&frames, key, slice.about(choice));
            let (part, [op, _]) = (slice.part(), choice.parts());
            let name = [key.map_or("", |key| &key.name), &part, op];
            out.figures.push(Figure::new(Kind::Breakdown, name, canvas));
        }
    }
    match is_empty {
        true => Err(Skip(format!(
            "no stages of {} were measured: run with --breakdown",
            choice.op
        ))),
        false => Ok(()),
    }
}

/// Stacks side by side.
#[derive(Debug)]
struct Frame<'a> {
    /// What is on its upright axis: the strategy, if there is a frame for each.
    label: String,
    stacks: Vec<Stack<'a>>,
}

/// The microseconds in each stage.
#[derive(Debug)]
struct Stack<'a> {
    strategy: &'a str,
    name: String,
    /// Counted from 0.
    place: usize,
    stages: [f64; 4],
}

/// The frames of a figure; none if nothing was measured.
fn frames<'a>(slice: &Slice<'a>, key: Option<&Key>) -> Vec<Frame<'a>> {
    let stack = |series: &Series<'a>, spot: &Spot<'a>, name: String, place| {
        Some(Stack {
            strategy: series.strategy,
            name,
            place,
            stages: spot.stages()?,
        })
    };
    let series = slice.series.iter();
    let frames: Vec<Frame<'a>> = match key {
        None => {
            let stacks = series.enumerate().filter_map(|(place, series)| {
                let spot = series.spots.first()?;
                let name = named(series.strategy, spot.verdict());
                stack(series, spot, name, place)
            });
            vec![Frame {
                label: String::new(),
                stacks: stacks.collect(),
            }]
        }
        Some(_) => {
            let frame = |series: &Series<'a>| {
                let verdict = series.spots.iter().find_map(Spot::verdict);
                let stacks = series.spots.iter();
                let stacks = stacks
                    .filter_map(|spot| stack(series, spot, spot.value.to_owned(), spot.place));
                Frame {
                    label: named(series.strategy, verdict),
                    stacks: stacks.collect(),
                }
            };
            series.map(frame).collect()
        }
    };
    frames
        .into_iter()
        .filter(|frame| !frame.stacks.is_empty())
        .collect()
}

fn picture(frames: &[Frame<'_>], key: Option<&Key>, about: String) -> Canvas {
    let stacks = || frames.iter().flat_map(|frame| &frame.stacks);
    let sums = || stacks().map(|stack| stack.stages.iter().sum::<f64>());
    let time = Unit::of_latency(sums().fold(0.0, f64::max));
    let names = match key {
        Some(key) => key.values.clone(),
        None => stacks().map(|stack| stack.name.clone()).collect(),
    };
    let x = Axis {
        label: key.map_or(String::new(), |key| key.name.replace('-', " ")),
        scale: Scale::Names(names),
    };
    let (height, ticks) = if key.is_some() {
        (HEIGHT, 3)
    } else {
        (ALONE, 4)
    };
    let scale = Scale::from_zero_by(sums().map(|sum| sum * time.factor), ticks);
    let label = time.label("mean time of a command");
    let y = |frame: &Frame<'_>| Axis {
        label: match key {
            Some(_) => frame.label.clone(),
            None => label.clone(),
        },
        scale: scale.clone(),
    };
    let about = match (key, &about[..]) {
        (None, _) => about,
        (Some(_), "") => label.clone(),
        (Some(_), about) => format!("{label}, {about}"),
    };
    let stages = STAGES.map(|stage| stage.trim_end_matches("_us").to_owned());
    let samples = PARTS.map(|(colour, hatch)| Sample::Patch(colour, hatch));
    let legend = Legend {
        about,
        entries: stages.into_iter().zip(samples).collect(),
    };
    let axes: Vec<Axis> = frames.iter().map(y).collect();
    let left = left_of(&axes.iter().collect::<Vec<_>>());
    let top = legend.height() + 8.0;
    let bottom = top + frames.len() as f64 * (height + GAP) - GAP;
    let mut canvas = Canvas::new(
        bottom + beneath(&x, left),
        "Where the time of a command goes",
    );
    legend.draw(&mut canvas);
    let bare = x.bare();
    for (place, (frame, y)) in frames.iter().zip(&axes).enumerate() {
        let top = top + place as f64 * (height + GAP);
        let x = if place + 1 == frames.len() { &x } else { &bare };
        let panel = Panel::draw(&mut canvas, left, (top, top + height), x, y);
        for stack in &frame.stacks {
            stack.draw(&mut canvas, &panel, time);
        }
    }
    canvas
}

impl Stack<'_> {
    fn draw(&self, canvas: &mut Canvas, panel: &Panel, time: Unit) {
        let (mut base, place) = (0.0, self.place as f64);
        for ((stage, label), (colour, hatch)) in self.stages.iter().zip(STAGES).zip(PARTS) {
            let end = base + stage * time.factor;
            let (left, top) = panel.at(place + 0.75, end);
            let (right, bottom) = panel.at(place + 1.25, base);
            let told = format!(
                "{}, {}: {}",
                self.name,
                label.trim_end_matches("_us"),
                time.of(*stage)
            );
            canvas.series(self.strategy, |canvas| {
                canvas.value(told, |canvas| {
                    canvas.bar((left, top), (right - left, bottom - top), colour, hatch);
                });
            });
            base = end;
        }
    }
}
