//! Throughput against latency: one curve for each strategy, along a sweep of load.

use super::Skip;
use super::grouping::{Slice, need, slices};
use super::spread::spread;
use crate::draw::canvas::{Canvas, Pen};
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind, Latency};
use crate::read::folder::Folder;
use crate::read::summary::THROUGHPUT;
use crate::statistics::Repeats;

/// What makes load.
const LOADS: [&str; 3] = ["clients", "window", "rate"];

pub(super) fn draw(folder: &Folder, choice: &Choice, out: &mut Drawing) -> Result<(), Skip> {
    let is_load = |name: &str| LOADS.contains(&name);
    let keys = folder.keys.iter().enumerate();
    let loads: Vec<usize> = keys
        .filter(|(_, key)| is_load(&key.name) && key.is_numeric())
        .map(|(place, _)| place)
        .collect();
    if loads.is_empty() {
        return Err(Skip("it needs a sweep over clients, window or rate".into()));
    }
    need(folder, &[THROUGHPUT, choice.latency.column()])?;
    for &along in &loads {
        let several = match loads.len() {
            1 => "",
            _ => &folder.keys[along].name,
        };
        for slice in slices(folder, Some(along), choice, out) {
            let canvas = picture(&slice, &folder.keys[along].name, choice);
            let part = slice.part();
            let name = [several, &part].into_iter().chain(choice.parts());
            let figure = Figure::new(Kind::ThroughputLatency, name, canvas);
            out.figures.push(figure);
        }
    }
    Ok(())
}

fn picture(slice: &Slice<'_>, key: &str, choice: &Choice) -> Canvas {
    let pairs = |series: &super::grouping::Series<'_>| -> Vec<_> {
        let pair = |spot: &super::grouping::Spot<'_>| {
            let (x, y) = (spot.throughput()?, spot.latency(choice.latency)?);
            Some((x, y, spot.pen, spot.value.to_owned()))
        };
        series.spots.iter().filter_map(pair).collect()
    };
    let series: Vec<_> = slice.series.iter().map(|one| (one, pairs(one))).collect();
    let extent = |of: fn(&(Repeats, Repeats, Pen, String)) -> &Repeats| -> Vec<f64> {
        let all = series.iter().flat_map(|(_, pairs)| pairs);
        all.flat_map(|pair| of(pair).extent()).collect()
    };
    let (throughputs, latencies) = (extent(|pair| &pair.0), extent(|pair| &pair.1));
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let (ops, time) = (
        Unit::of_throughput(most(&throughputs)),
        Unit::of_latency(most(&latencies)),
    );
    let x = Axis {
        label: ops.label("throughput"),
        scale: Scale::from_zero(throughputs.into_iter().map(|value| value * ops.factor)),
    };
    let y = Axis {
        label: time.label(latency_label(choice.latency)),
        scale: Scale::fitting(latencies.into_iter().map(|value| value * time.factor)),
    };
    let legend = Legend {
        about: slice.about(choice),
        entries: slice
            .series
            .iter()
            .map(|one| (one.strategy.into(), Sample::Line(one.pen)))
            .collect(),
    };
    let (top, left) = (legend.height() + 6.0, left_of(&[&y]));
    let bottom = top + 170.0;
    let title = format!("Throughput against latency, along {key}");
    let mut canvas = Canvas::new(bottom + beneath(&x, left), &title);
    legend.draw(&mut canvas);
    let panel = Panel::draw(&mut canvas, left, (top, bottom), &x, &y);
    for (one, pairs) in &series {
        canvas.series(one.strategy, |canvas| {
            let at = |x: f64, y: f64| panel.at(x * ops.factor, y * time.factor);
            let line = pairs.iter().map(|(x, y, ..)| at(x.mean, y.mean));
            canvas.line(line.collect(), one.pen.look);
            for (x, y, pen, value) in pairs {
                spread(canvas, &at, (x, y), *pen);
                let (ops, time) = (ops.of(x.mean), time.of(y.mean));
                let told = format!("{}, {key} {value}: {ops}, {time}", one.strategy);
                canvas.value(told, |canvas| canvas.marker(at(x.mean, y.mean), *pen));
            }
        });
    }
    canvas
}

/// What a latency is called on an axis.
pub(super) fn latency_label(latency: Latency) -> &'static str {
    match latency {
        Latency::P50 => "median latency",
        Latency::P99 => "p99 latency",
    }
}
