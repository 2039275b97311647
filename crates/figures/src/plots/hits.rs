//! What a shared cache buys: the share of values that were found in it, against latency and against
//! the load of those who own values and are asked for them where the cache has nothing: what is
//! sent, and processor time.
//!
//! A point is a value of the first key that was varied, such as the cache's size.

use super::Skip;
use super::grouping::{Series, Slice, Spot, need, slices};
use super::spread::spread;
use crate::draw::canvas::{Canvas, Pen};
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::{Unit, short};
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind};
use crate::plots::throughput_latency::latency_label;
use crate::read::folder::Folder;
use crate::read::summary::{BYTES, PROCESSOR, VALUE_HITS, VALUE_MISSES};
use crate::statistics::Repeats;

/// How high each frame is, and how far apart they are.
const HEIGHT: f64 = 80.0;
const GAP: f64 = 12.0;

/// One point: where it stands, and what is measured there.
struct Point<'a> {
    value: &'a str,
    pen: Pen,
    hits: Repeats,
    latency: Repeats,
    kilobytes: Repeats,
    processor: Repeats,
}

pub(super) fn draw(folder: &Folder, choice: &Choice, out: &mut Drawing) -> Result<(), Skip> {
    let Some(key) = folder.keys.first() else {
        return Err(Skip("it needs a sweep".into()));
    };
    let columns = [
        VALUE_HITS,
        VALUE_MISSES,
        BYTES,
        PROCESSOR,
        choice.latency.column(),
    ];
    need(folder, &columns)?;
    let mut is_there = false;
    for slice in slices(folder, Some(0), choice, out) {
        let lines = slice
            .series
            .iter()
            .map(|series| (series, points(series, choice)));
        let lines: Vec<_> = lines.filter(|(_, points)| !points.is_empty()).collect();
        if lines.is_empty() {
            continue;
        }
        is_there = true;
        let canvas = picture(&slice, &lines, &key.name, choice);
        let part = slice.part();
        let name = [&part[..]].into_iter().chain(choice.parts());
        out.figures.push(Figure::new(Kind::Hits, name, canvas));
    }
    match is_there {
        true => Ok(()),
        false => Err(Skip("nobody looked for values in a shared cache".into())),
    }
}

fn points<'a>(series: &Series<'a>, choice: &Choice) -> Vec<Point<'a>> {
    let point = |spot: &Spot<'a>| {
        Some(Point {
            value: spot.value,
            pen: spot.pen,
            hits: spot.hit_percentage()?,
            latency: spot.latency(choice.latency)?,
            kilobytes: spot.kilobytes_per_command()?,
            processor: spot.processor_per_command()?,
        })
    };
    series.spots.iter().filter_map(point).collect()
}

/// One of the things that are measured at a point.
type Measure = for<'p, 'a> fn(&'p Point<'a>) -> &'p Repeats;

/// A strategy, and its points.
type Line<'a, 'b> = (&'b Series<'a>, Vec<Point<'a>>);

fn picture(slice: &Slice<'_>, lines: &[Line<'_, '_>], key: &str, choice: &Choice) -> Canvas {
    let extent = |of: Measure| -> Vec<f64> {
        let all = lines.iter().flat_map(|(_, points)| points);
        all.flat_map(|point| of(point).extent()).collect()
    };
    let unit_of = |of: Measure| Unit::of_latency(extent(of).into_iter().fold(0.0, f64::max));
    let kilobytes = Unit {
        name: "kB",
        factor: 1.0,
    };
    let measures: [(Measure, &str, Unit); 3] = [
        (
            |point| &point.latency,
            latency_label(choice.latency),
            unit_of(|point| &point.latency),
        ),
        (|point| &point.kilobytes, "sent", kilobytes),
        (
            |point| &point.processor,
            "processor time",
            unit_of(|point| &point.processor),
        ),
    ];
    let x = Axis {
        label: "values found in the cache (%)".into(),
        scale: Scale::Linear(0.0, 100.0, 20.0),
    };
    let axes = measures.map(|(of, label, unit)| Axis {
        label: unit.label(label),
        scale: Scale::from_zero_by(extent(of).into_iter().map(|value| value * unit.factor), 3),
    });
    let legend = Legend {
        about: slice.about(choice),
        entries: lines
            .iter()
            .map(|(one, _)| (one.strategy.into(), Sample::Line(one.pen)))
            .collect(),
    };
    let left = left_of(&axes.each_ref());
    let first = legend.height() + 6.0;
    let last = measures.len() - 1;
    let bottom = first + last as f64 * (HEIGHT + GAP) + HEIGHT;
    let title = format!("What a shared cache buys, along {key}: latency and load per command");
    let mut canvas = Canvas::new(bottom + beneath(&x, left), &title);
    legend.draw(&mut canvas);
    for (place, (axis, (of, _, unit))) in axes.iter().zip(measures).enumerate() {
        let top = first + place as f64 * (HEIGHT + GAP);
        let across = if place == last { x.clone() } else { x.bare() };
        let panel = Panel::draw(&mut canvas, left, (top, top + HEIGHT), &across, axis);
        for (series, points) in lines {
            let name = series.strategy;
            canvas.series(name, |canvas| {
                let at = |x: f64, y: f64| panel.at(x, y * unit.factor);
                let line = points
                    .iter()
                    .map(|point| at(point.hits.mean, of(point).mean));
                canvas.line(line.collect(), series.pen.look);
                for point in points {
                    let (hits, measured) = (&point.hits, of(point));
                    spread(canvas, &at, (hits, measured), point.pen);
                    let told = format!(
                        "{name}, {key} {}: {} % found, {}",
                        point.value,
                        short(hits.mean),
                        unit.of(measured.mean)
                    );
                    let place = at(hits.mean, measured.mean);
                    canvas.value(told, |canvas| canvas.marker(place, point.pen));
                }
            });
        }
    }
    canvas
}
