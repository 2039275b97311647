//! Throughput along a key whose values are numbers, such as the number of partitions.

use super::Skip;
use super::grouping::{Slice, label, need, slices};
use crate::draw::canvas::Canvas;
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind};
use crate::read::folder::Folder;
use crate::read::summary::{Key, THROUGHPUT};

pub(super) fn draw(folder: &Folder, choice: &Choice, out: &mut Drawing) -> Result<(), Skip> {
    let keys = folder.keys.iter().enumerate();
    let numeric: Vec<_> = keys.filter(|(_, key)| key.is_numeric()).collect();
    if numeric.is_empty() {
        return Err(Skip("it needs a sweep over two or more numbers".into()));
    }
    need(folder, &[THROUGHPUT])?;
    for (along, key) in numeric {
        for slice in slices(folder, Some(along), choice, out) {
            if !slice.others.is_empty() && !slice.is_along() {
                let (name, about) = (&key.name, slice.about(choice));
                out.note(format!(
                    "scaling along {name}: there is one value of it where {about}"
                ));
                continue;
            }
            let canvas = picture(&slice, key, choice);
            let part = slice.part();
            let [op, _] = choice.parts();
            let name = [&key.name[..], &part, op];
            out.figures.push(Figure::new(Kind::Scaling, name, canvas));
        }
    }
    Ok(())
}

/// Numbers at whose places on the axis names stand, if each is the same multiple of the one before:
/// 1, 2, 4, 8.
fn doubling(key: &Key) -> Option<Vec<f64>> {
    let mut numbers = numbers(key);
    numbers.sort_by(f64::total_cmp);
    let ratios = numbers.windows(2).map(|pair| pair[1] / pair[0]);
    let ratios: Vec<f64> = ratios.collect();
    let same = |ratio: &f64| (ratio - ratios[0]).abs() < 0.01 * ratios[0] && *ratio > 1.4;
    (numbers.len() > 1 && numbers[0] > 0.0 && ratios.iter().all(same)).then_some(numbers)
}

fn numbers(key: &Key) -> Vec<f64> {
    key.values
        .iter()
        .filter_map(|value| value.parse().ok())
        .collect()
}

fn picture(slice: &Slice<'_>, key: &Key, choice: &Choice) -> Canvas {
    let spots = || slice.series.iter().flat_map(|series| &series.spots);
    let extent = || spots().filter_map(super::grouping::Spot::throughput);
    let throughputs: Vec<f64> = extent()
        .flat_map(|all| all.extent().collect::<Vec<_>>())
        .collect();
    let most = throughputs.iter().copied().fold(0.0, f64::max);
    let ops = Unit::of_throughput(most);
    let doubling = doubling(key);
    let scale = match &doubling {
        Some(numbers) => Scale::Names(numbers.iter().map(f64::to_string).collect()),
        None => around(&numbers(key)),
    };
    let x = Axis {
        label: label(&key.name),
        scale,
    };
    let y = Axis {
        label: ops.label("throughput"),
        scale: Scale::from_zero(throughputs.into_iter().map(|value| value * ops.factor)),
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
    let bottom = top + 160.0;
    let title = format!("Throughput along {}", key.name);
    let mut canvas = Canvas::new(bottom + beneath(&x, left), &title);
    legend.draw(&mut canvas);
    let panel = Panel::draw(&mut canvas, left, (top, bottom), &x, &y);
    for series in &slice.series {
        let points = series.spots.iter().filter_map(|spot| {
            let number: f64 = spot.value.parse().ok()?;
            let place = |numbers: &Vec<f64>| numbers.iter().position(|one| *one == number);
            let x = match &doubling {
                Some(numbers) => place(numbers)? as f64 + 1.0,
                None => number,
            };
            Some((x, number, spot.throughput()?, spot.pen))
        });
        let mut points: Vec<_> = points.collect();
        points.sort_by(|one, other| one.1.total_cmp(&other.1));
        canvas.series(series.strategy, |canvas| {
            let line = points
                .iter()
                .map(|(x, _, y, _)| panel.at(*x, y.mean * ops.factor));
            canvas.line(line.collect(), series.pen.look);
            for (x, number, y, pen) in &points {
                let at = |y: f64| panel.at(*x, y * ops.factor);
                if let Some((low, high)) = y.interval {
                    canvas.interval(at(low), at(high), pen.look.colour);
                } else if y.values.len() > 1 {
                    for value in &y.values {
                        canvas.dot(at(*value), pen.look);
                    }
                }
                let (name, ops) = (series.strategy, ops.of(y.mean));
                let told = format!("{name}, {} {number}: {ops}", key.name);
                canvas.value(told, |canvas| canvas.marker(at(y.mean), *pen));
            }
        });
    }
    canvas
}

/// The numbers, with some room beside them; between whole numbers there are no ticks.
fn around(numbers: &[f64]) -> Scale {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let room = match (most - least) * 0.06 {
        0.0 => 1.0,
        room => room,
    };
    match Scale::between(least - room, most + room) {
        Scale::Linear(from, to, step) if numbers.iter().all(|number| number.fract() == 0.0) => {
            let whole = if step.fract() == 0.0 {
                step
            } else {
                step * 2.0
            };
            Scale::Linear(from, to, whole.max(1.0))
        }
        scale => scale,
    }
}
