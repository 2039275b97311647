//! Bars of throughput and of latency: one for each strategy of a run, or groups along a key.

use super::grouping::{Slice, Spot, label, need, slices};
use super::throughput_latency::latency_label;
use super::{Skip, named};
use crate::draw::canvas::Canvas;
use crate::draw::legend::{Legend, Sample, bar_fill};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind};
use crate::read::folder::Folder;
use crate::read::summary::{Key, THROUGHPUT};
use crate::statistics::Repeats;

pub(super) fn draw(folder: &Folder, choice: &Choice, out: &mut Drawing) -> Result<(), Skip> {
    let keys = folder.keys.iter().enumerate();
    // Numbers have lines of their own: bars are for those who ask for them.
    let is_chosen = choice.kinds.contains(&Kind::Bars);
    let named: Vec<_> = keys
        .filter(|(_, key)| is_chosen || !key.is_numeric())
        .collect();
    let is_of_names = !named.is_empty();
    if !is_of_names && !folder.keys.is_empty() {
        return Err(Skip(
            "it needs a run, or a sweep over names; of numbers, name the figure".into(),
        ));
    }
    need(folder, &[THROUGHPUT, choice.latency.column()])?;
    let along = named.into_iter().map(|(place, key)| Some((place, key)));
    let whole = (!is_of_names).then_some(None);
    for along in along.chain(whole) {
        for slice in slices(folder, along.map(|(place, _)| place), choice, out) {
            let canvas = picture(&slice, along.map(|(_, key)| key), choice);
            let key = along.map_or("", |(_, key)| &key.name);
            let part = slice.part();
            let name = [key, &part];
            let figure = Figure::new(Kind::Bars, name.into_iter().chain(choice.parts()), canvas);
            out.figures.push(figure);
        }
    }
    Ok(())
}

/// A measure of a spot.
type Measure<'a> = &'a dyn Fn(&Spot<'_>) -> Option<Repeats>;

fn picture(slice: &Slice<'_>, key: Option<&Key>, choice: &Choice) -> Canvas {
    let spots = || slice.series.iter().flat_map(|series| &series.spots);
    let extent = |measure: Measure<'_>| -> Vec<f64> {
        let all = spots().filter_map(measure);
        all.flat_map(|all| all.extent().collect::<Vec<_>>())
            .collect()
    };
    let throughput = |spot: &Spot<'_>| spot.throughput();
    let latency = |spot: &Spot<'_>| spot.latency(choice.latency);
    let (throughputs, latencies) = (extent(&throughput), extent(&latency));
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let (ops, time) = (
        Unit::of_throughput(most(&throughputs)),
        Unit::of_latency(most(&latencies)),
    );
    let names = match key {
        Some(key) => key.values.clone(),
        None => slice
            .series
            .iter()
            .map(|one| named(one.strategy, one.spots[0].verdict()))
            .collect(),
    };
    let x = Axis {
        label: key.map_or(String::new(), |key| label(&key.name)),
        scale: Scale::Names(names),
    };
    let bare = x.bare();
    let axis = |label, values: Vec<f64>, unit: Unit| Axis {
        label: unit.label(label),
        scale: Scale::from_zero(values.into_iter().map(|value| value * unit.factor)),
    };
    let above = axis("throughput", throughputs, ops);
    let below = axis(latency_label(choice.latency), latencies, time);
    let entries = slice.series.iter();
    let entries = entries.map(|one| (one.strategy.into(), Sample::bar(one.pen)));
    let legend = Legend {
        about: slice.about(choice),
        entries: entries.filter(|_| key.is_some()).collect(),
    };
    let (top, left) = (legend.height() + 8.0, left_of(&[&above, &below]));
    let (middle, second) = (top + 110.0, top + 122.0);
    let bottom = second + 110.0;
    let mut canvas = Canvas::new(bottom + beneath(&x, left), "Throughput and latency");
    legend.draw(&mut canvas);
    let panel = Panel::draw(&mut canvas, left, (top, middle), &bare, &above);
    bars(&mut canvas, &panel, slice, key, &throughput, ops);
    let panel = Panel::draw(&mut canvas, left, (second, bottom), &x, &below);
    bars(&mut canvas, &panel, slice, key, &latency, time);
    canvas
}

fn bars(
    canvas: &mut Canvas,
    panel: &Panel,
    slice: &Slice<'_>,
    key: Option<&Key>,
    measure: Measure<'_>,
    unit: Unit,
) {
    let count = slice.series.len() as f64;
    // Of the room between two names. A lonely bar is no wall.
    let (share, each) = match key {
        Some(_) => (0.8, 0.8 / count),
        None => (0.5_f64.min(0.2 * count), 0.5_f64.min(0.2 * count)),
    };
    for (place, series) in slice.series.iter().enumerate() {
        for spot in &series.spots {
            let Some(value) = measure(spot) else {
                continue;
            };
            let from = match key {
                Some(_) => spot.place as f64 + 1.0 - share / 2.0 + each * place as f64,
                None => place as f64 + 1.0 - share / 2.0,
            };
            let at = |x: f64, y: f64| panel.at(x, y * unit.factor);
            let (left, top) = at(from, value.mean);
            let (right, bottom) = at(from + each, 0.0);
            let (colour, hatch) = bar_fill(spot.pen);
            let size = (right - left, bottom - top);
            let value_of = key.map_or(String::new(), |key| {
                format!(", {} {}", key.name, spot.value)
            });
            let told = format!("{}{value_of}: {}", series.strategy, unit.of(value.mean));
            canvas.series(series.strategy, |canvas| {
                canvas.value(told, |canvas| canvas.bar((left, top), size, colour, hatch));
                let middle = from + each / 2.0;
                if let Some((low, high)) = value.interval {
                    canvas.interval(at(middle, low), at(middle, high), (0, 0, 0));
                } else if value.values.len() > 1 {
                    for value in &value.values {
                        canvas.dot(at(middle, *value), spot.pen.look);
                    }
                }
            });
        }
    }
}
