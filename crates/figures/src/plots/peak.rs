//! The search for the highest throughput: what a closed loop brings under growing load, and of the
//! open loop the peak and what users see below it, at 50 % and 75 %.
//!
//! Small dots on the line are the closed loop's windows; markers with a label are the open loop's
//! rates. Of these the search tries more than are shown: the peak is the last one that was reached.

use super::Skip;
use super::grouping::need;
use super::throughput_latency::latency_label;
use crate::draw::canvas::{Canvas, LETTERS, Pen, Side, width};
use crate::draw::legend::{Legend, Sample};
use crate::draw::panel::{Axis, Panel, Scale, beneath, left_of};
use crate::draw::units::Unit;
use crate::figure::{Drawing, Figure};
use crate::kind::{Choice, Kind, Latency};
use crate::read::folder::{Contents, Folder};
use crate::read::summary::{Measurement, THROUGHPUT, Verdict};
use crate::read::table::Row;
use crate::style::looks;

/// How far a label is from its marker, and how large a marker is.
const MARKER: f64 = 4.0;

/// What was measured of one strategy.
#[derive(Debug)]
struct Search<'a> {
    strategy: &'a str,
    pen: Pen,
    /// The windows of the closed loop, in the order of the search.
    closed: Vec<Step>,
    /// 50 %, 75 % and the peak, as far as there are such.
    marked: Vec<Step>,
}

/// One run of the search.
#[derive(Debug)]
struct Step {
    /// What stands beside it; empty in the closed loop.
    label: &'static str,
    /// What it is, for those who point at it.
    what: String,
    throughput: f64,
    latency: f64,
    pen: Pen,
}

pub(super) fn draw(folder: &Folder, choice: &Choice, out: &mut Drawing) -> Result<(), Skip> {
    if folder.contents() != Contents::Peak {
        return Err(Skip("it needs the folder of `run --peak`".into()));
    }
    let needed = ["step", "reached", THROUGHPUT, choice.latency.column()];
    need(folder, &needed)?;
    let strategies = folder.strategies();
    let searches = strategies.iter().zip(looks(&strategies));
    let searches = searches.map(|(strategy, look)| {
        let pen = Pen {
            look,
            hollow: false,
        };
        search(folder, strategy, pen, choice, out)
    });
    let mut searches: Vec<Search<'_>> = searches.collect();
    searches.retain(|search| !search.closed.is_empty() || !search.marked.is_empty());
    if !searches.is_empty() {
        let canvas = picture(&searches, choice);
        let figure = Figure::new(Kind::Peak, choice.parts(), canvas);
        out.figures.push(figure);
    }
    Ok(())
}

fn search<'a>(
    folder: &'a Folder,
    strategy: &'a str,
    pen: Pen,
    choice: &Choice,
    out: &mut Drawing,
) -> Search<'a> {
    let (mut closed, mut marked, mut peak) = (Vec::new(), Vec::new(), None);
    let rows = folder.summary.rows.iter().zip(folder.summary.table.rows());
    let own = |(row, _): &(&Measurement, Row<'_>)| row.strategy == strategy && row.op == choice.op;
    for (measured, row) in rows.filter(own) {
        let (name, label) = match row.text("step") {
            "closed" => (format!("window {}", row.text("window")), ""),
            "50" => ("50 % of the peak".into(), "50 %"),
            "75" => ("75 % of the peak".into(), "75 %"),
            "open" if row.text("reached") == "yes" => ("peak".into(), "peak"),
            _ => continue,
        };
        let what = format!("{strategy}, {name}");
        if measured.saturated {
            out.note(format!("left out, for the machine was saturated: {what}"));
            continue;
        }
        if let Verdict::Other(verdict) = &measured.verdict {
            out.note(format!("hollow, for the history is {verdict}: {what}"));
        }
        if ["50 %", "75 %"].contains(&label) && row.text("reached") == "no" {
            out.note(format!("the rate was not reached: {what}"));
        }
        let latency = match choice.latency {
            Latency::P50 => measured.p50,
            Latency::P99 => measured.p99,
        };
        let (Some(throughput), Some(latency)) = (measured.throughput, latency) else {
            continue;
        };
        let hollow = measured.verdict != Verdict::Ok;
        let step = Step {
            label,
            what,
            throughput,
            latency,
            pen: Pen { hollow, ..pen },
        };
        match label {
            "" => closed.push(step),
            "peak" => peak = Some(step),
            _ => marked.push(step),
        }
    }
    marked.extend(peak);
    Search {
        strategy,
        pen,
        closed,
        marked,
    }
}

fn picture(searches: &[Search<'_>], choice: &Choice) -> Canvas {
    let steps = || {
        searches
            .iter()
            .flat_map(|one| one.closed.iter().chain(&one.marked))
    };
    let most = |of: fn(&Step) -> f64| steps().map(of).fold(0.0, f64::max);
    let ops = Unit::of_throughput(most(|step| step.throughput));
    let time = Unit::of_latency(most(|step| step.latency));
    let x = Axis {
        label: ops.label("throughput"),
        scale: Scale::from_zero(steps().map(|step| step.throughput * ops.factor)),
    };
    let y = Axis {
        label: time.label(latency_label(choice.latency)),
        scale: Scale::fitting(steps().map(|step| step.latency * time.factor)),
    };
    let about = [&choice.about(), "lines: closed loop; markers: open loop"];
    let about = about.into_iter().filter(|text| !text.is_empty());
    let legend = Legend {
        about: about.collect::<Vec<_>>().join("; "),
        entries: searches
            .iter()
            .map(|one| (one.strategy.into(), Sample::Line(one.pen)))
            .collect(),
    };
    let (top, left) = (legend.height() + 6.0, left_of(&[&y]));
    let bottom = top + 190.0;
    let title = "The highest throughput, and latency below it";
    let mut canvas = Canvas::new(bottom + beneath(&x, left), title);
    legend.draw(&mut canvas);
    let panel = Panel::draw(&mut canvas, left, (top, bottom), &x, &y);
    let at = |step: &Step| panel.at(step.throughput * ops.factor, step.latency * time.factor);
    let told = |step: &Step| {
        let (ops, time) = (ops.of(step.throughput), time.of(step.latency));
        format!("{}: {ops}, {time}", step.what)
    };
    let marked = searches.iter().flat_map(|one| &one.marked);
    let mut labels = Labels::around(marked.map(at).collect(), panel.edges());
    for one in searches {
        canvas.series(one.strategy, |canvas| {
            canvas.line(one.closed.iter().map(at).collect(), one.pen.look);
            for step in &one.closed {
                canvas.value(told(step), |canvas| canvas.dot(at(step), one.pen.look));
            }
            for step in &one.marked {
                canvas.value(told(step), |canvas| canvas.marker(at(step), step.pen));
                if let Some(place) = labels.place(at(step), step.label) {
                    canvas.text(place, Side::Middle, false, step.label);
                }
            }
        });
    }
    canvas
}

/// A rectangle: left, top, right, bottom.
type Area = (f64, f64, f64, f64);

/// Where labels may stand: within the frame, and over no marker and no other label.
#[derive(Debug)]
struct Labels {
    taken: Vec<Area>,
    /// Left, right, top and bottom.
    frame: (f64, f64, f64, f64),
}

impl Labels {
    fn around(markers: Vec<(f64, f64)>, frame: (f64, f64, f64, f64)) -> Self {
        let area = |(x, y)| (x - MARKER, y - MARKER, x + MARKER, y + MARKER);
        Self {
            taken: markers.into_iter().map(area).collect(),
            frame,
        }
    }

    /// The middle of the base line of a label beside a marker; nothing where it has no room.
    fn place(&mut self, (x, y): (f64, f64), label: &str) -> Option<(f64, f64)> {
        let (half, high) = (width(label) / 2.0, LETTERS * 0.7);
        let aside = half + MARKER + 1.0;
        let middle = y + high / 2.0;
        let (above, below) = (y - MARKER - 1.5, y + MARKER + 1.5 + high);
        let places = [
            (x, below),
            (x + aside, middle),
            (x, above),
            (x - aside, middle),
            (x + aside, below),
            (x - aside, above),
        ];
        let area = |(x, base): (f64, f64)| (x - half, base - high, x + half, base);
        let place = places
            .into_iter()
            .find(|place| self.is_free(area(*place)))?;
        self.taken.push(area(place));
        Some(place)
    }

    fn is_free(&self, area: Area) -> bool {
        let (left, right, top, bottom) = self.frame;
        let within = area.0 > left && area.2 < right && area.1 > top && area.3 < bottom;
        let apart = |other: &Area| {
            area.2 < other.0 || other.2 < area.0 || area.3 < other.1 || other.3 < area.1
        };
        within && self.taken.iter().all(apart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cover_neither_markers_nor_each_other() {
        let frame = (0.0, 200.0, 0.0, 100.0);
        let markers = vec![(100.0, 50.0), (100.0, 60.0)];
        let mut labels = Labels::around(markers, frame);
        let first = labels.place((100.0, 50.0), "peak").unwrap();
        // Below is the other marker.
        assert!(first.0 > 100.0, "{first:?}");
        let second = labels.place((100.0, 60.0), "75 %").unwrap();
        assert!(second.1 > 60.0, "{second:?}");
        for _ in 0..20 {
            labels.place((100.0, 50.0), "50 %");
        }
        assert_eq!(labels.place((100.0, 50.0), "50 %"), None);
        let cramped = (95.0, 105.0, 45.0, 55.0);
        let mut cramped = Labels::around(vec![(100.0, 50.0)], cramped);
        assert_eq!(cramped.place((100.0, 50.0), "peak"), None);
    }
}
