//! Where the time of a command goes: a stack of order, wait, execute and answer for each strategy.

use super::grouping::{need, slices};
use super::{Skip, named};
use crate::draw::canvas::Canvas;
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind};
use crate::read::folder::Folder;
use crate::read::summary::PHASES;
use crate::style::PARTS;

pub(super) fn draw(folder: &Folder, choice: &Choice, out: &mut Drawing) -> Result<(), Skip> {
    need(folder, &PHASES)?;
    if !folder.keys.is_empty() {
        return Err(Skip::of_a_run());
    }
    for slice in slices(folder, None, choice, out) {
        let stacks = slice.series.iter().filter_map(|series| {
            let spot = series.spots.first()?;
            let name = named(series.strategy, spot.verdict());
            Some((series.strategy, name, spot.phases()?))
        });
        let stacks: Vec<Stack<'_>> = stacks.collect();
        if stacks.is_empty() {
            let why = format!(
                "no stages of {} were measured: run with --breakdown",
                choice.op
            );
            return Err(Skip(why));
        }
        let [op, _] = choice.parts();
        let figure = Figure::new(Kind::Breakdown, [op], picture(&stacks, choice));
        out.figures.push(figure);
    }
    Ok(())
}

/// A strategy, what it is called, and the microseconds in each phase.
type Stack<'a> = (&'a str, String, [f64; 4]);

fn picture(stacks: &[Stack<'_>], choice: &Choice) -> Canvas {
    let sums = || stacks.iter().map(|(.., phases)| phases.iter().sum::<f64>());
    let time = Unit::of_latency(sums().fold(0.0, f64::max));
    let x = Axis {
        label: String::new(),
        scale: Scale::Names(stacks.iter().map(|(_, name, _)| name.clone()).collect()),
    };
    let y = Axis {
        label: time.label("mean time of a command"),
        scale: Scale::from_zero(sums().map(|sum| sum * time.factor)),
    };
    let names = PHASES.map(|phase| phase.trim_end_matches("_us").to_owned());
    let samples = PARTS.map(|(colour, hatch)| Sample::Patch(colour, hatch));
    let legend = Legend {
        about: choice.about(),
        entries: names.into_iter().zip(samples).collect(),
    };
    let (top, left) = (legend.height() + 8.0, left_of(&[&y]));
    let bottom = top + 150.0;
    let mut canvas = Canvas::new(
        bottom + beneath(&x, left),
        "Where the time of a command goes",
    );
    legend.draw(&mut canvas);
    let panel = Panel::draw(&mut canvas, left, (top, bottom), &x, &y);
    for (place, (strategy, name, phases)) in stacks.iter().enumerate() {
        let mut base = 0.0;
        for ((phase, label), (colour, hatch)) in phases.iter().zip(PHASES).zip(PARTS) {
            let end = base + phase * time.factor;
            let (left, top) = panel.at(place as f64 + 0.75, end);
            let (right, bottom) = panel.at(place as f64 + 1.25, base);
            let told = format!(
                "{name}, {}: {}",
                label.trim_end_matches("_us"),
                time.of(*phase)
            );
            canvas.series(strategy, |canvas| {
                canvas.value(told, |canvas| {
                    canvas.bar((left, top), (right - left, bottom - top), colour, hatch);
                });
            });
            base = end;
        }
    }
    canvas
}
