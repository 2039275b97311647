//! The share of commands that took at most so long, from the histograms of a run.

use super::{Skip, named};
use crate::draw::canvas::{Canvas, Pen};
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::error::ReadError;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind};
use crate::read::folder::{Contents, Folder};
use crate::read::summary::Verdict;
use crate::style::looks;
use hdrhistogram::Histogram;

/// Where curves have their markers.
const MARKED: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// The axis ends here, lest the slowest command of all leave no room for the others.
const LAST: f64 = 0.999;

pub(super) fn draw(
    folder: &Folder,
    choice: &Choice,
    out: &mut Drawing,
) -> Result<Result<(), Skip>, ReadError> {
    if folder.contents() == Contents::Sweep {
        return Ok(Err(Skip::of_a_run()));
    }
    let strategies = folder.strategies();
    let (mut curves, mut without) = (Vec::new(), Vec::new());
    for (strategy, look) in strategies.iter().zip(looks(&strategies)) {
        let row = |op: &&crate::read::summary::Measurement| {
            op.strategy == *strategy && op.op == choice.op
        };
        let Some(row) = folder.summary.rows.iter().find(row) else {
            continue;
        };
        let verdict = match &row.verdict {
            Verdict::Other(verdict) => Some(&verdict[..]),
            Verdict::Ok => None,
        };
        if row.saturated {
            out.note(format!(
                "left out, for the machine was saturated: {strategy}"
            ));
            continue;
        }
        let hollow = verdict.is_some();
        match folder.latencies(strategy, &choice.op)? {
            Some(histogram) if !histogram.is_empty() => {
                curves.push((
                    *strategy,
                    named(strategy, verdict),
                    Pen { look, hollow },
                    histogram,
                ));
            }
            _ => without.push(*strategy),
        }
    }
    if curves.is_empty() {
        return Ok(Err(Skip(
            "there are no histograms of what it would show".into(),
        )));
    }
    if !without.is_empty() {
        out.note(format!(
            "cdf: there are no latencies of {}",
            without.join(", ")
        ));
    }
    let [op, _] = choice.parts();
    let figure = Figure::new(Kind::Cdf, [op], picture(&curves, choice));
    out.figures.push(figure);
    Ok(Ok(()))
}

fn picture(curves: &[(&str, String, Pen, Histogram<u64>)], choice: &Choice) -> Canvas {
    let histograms = || curves.iter().map(|(.., histogram)| histogram);
    let least = histograms().map(|one| one.value_at_quantile(0.001)).min();
    let most = histograms().map(|one| one.value_at_quantile(LAST)).max();
    let (least, most) = (
        least.unwrap_or(1).max(1) as f64,
        most.unwrap_or(1).max(1) as f64,
    );
    let time = Unit::of_latency(most);
    let x = Axis {
        label: time.label("latency"),
        scale: Scale::log(least * time.factor, most * time.factor),
    };
    let y = Axis {
        label: "share of commands".into(),
        scale: Scale::Linear(0.0, 1.0, 0.2),
    };
    let entries = curves.iter();
    let entries = entries.map(|(_, name, pen, _)| (name.clone(), Sample::Line(*pen)));
    let legend = Legend {
        about: choice.about(),
        entries: entries.collect(),
    };
    let (top, left) = (legend.height() + 6.0, left_of(&[&y]));
    let bottom = top + 150.0;
    let mut canvas = Canvas::new(bottom + beneath(&x, left), "Distribution of latencies");
    legend.draw(&mut canvas);
    let panel = Panel::draw(&mut canvas, left, (top, bottom), &x, &y);
    let (start, end, ..) = panel.edges();
    for (strategy, _, pen, histogram) in curves {
        let count = histogram.len() as f64;
        let mut below = 0;
        let mut points: Vec<(f64, f64)> = Vec::new();
        for step in histogram.iter_recorded() {
            below += step.count_since_last_iteration();
            let value = step.value_iterated_to() as f64 * time.factor;
            let (x, y) = panel.at(value.max(1e-3), below as f64 / count);
            if x < start || x > end {
                continue;
            }
            // What no eye tells apart is one point.
            let is_near = |(a, b): &(f64, f64)| (a - x).abs() < 0.7 && (b - y).abs() < 0.7;
            if !points.last().is_some_and(is_near) {
                points.push((x, y));
            }
        }
        canvas.series(strategy, |canvas| {
            canvas.line(points, pen.look);
            for share in MARKED {
                let value = histogram.value_at_quantile(share) as f64;
                let at = panel.at((value * time.factor).max(1e-3), share);
                let told = format!(
                    "{strategy}: {:.0} % within {}",
                    share * 100.0,
                    time.of(value)
                );
                if (start..=end).contains(&at.0) {
                    canvas.value(told, |canvas| canvas.marker(at, *pen));
                }
            }
        });
    }
    canvas
}
