//! The rows of a summary, sorted for a figure: by what else was varied, by strategy, by value.
//!
//! Invariant: what is saturated is in no group, and what is not known to be linearizable is hollow;
//! both are told.

use super::Skip;
use crate::draw::canvas::Pen;
use crate::figure::Drawing;
use crate::kind::{Choice, Latency};
use crate::read::folder::{Contents, Folder};
use crate::read::summary::{Key, Measurement, Verdict};
use crate::read::table::Missing;
use crate::statistics::Repeats;
use crate::style::looks;

/// What is in one figure: all that was measured with the same values of the keys that the figure
/// does not show.
#[derive(Debug)]
pub(super) struct Slice<'a> {
    /// These values, with their keys; empty if nothing else was varied.
    pub(super) others: Vec<(&'a str, &'a str)>,
    /// The strategies that were measured.
    pub(super) series: Vec<Series<'a>>,
}

/// What was measured of one strategy.
#[derive(Debug)]
pub(super) struct Series<'a> {
    pub(super) strategy: &'a str,
    /// How it looks where nothing is amiss.
    pub(super) pen: Pen,
    /// In the order of the key's values.
    pub(super) spots: Vec<Spot<'a>>,
}

/// The repeats of one measurement.
#[derive(Debug)]
pub(super) struct Spot<'a> {
    /// Where it stands among the key's values.
    pub(super) place: usize,
    /// The key's value; empty in a run.
    pub(super) value: &'a str,
    pub(super) pen: Pen,
    rows: Vec<&'a Measurement>,
}

impl Spot<'_> {
    /// Operations a second.
    pub(super) fn throughput(&self) -> Option<Repeats> {
        self.repeats(|row| row.throughput)
    }

    /// Microseconds.
    pub(super) fn latency(&self, which: Latency) -> Option<Repeats> {
        self.repeats(|row| match which {
            Latency::P50 => row.p50,
            Latency::P99 => row.p99,
        })
    }

    /// Of 100 values that were looked for in a shared cache, how many were there.
    pub(super) fn hit_percentage(&self) -> Option<Repeats> {
        self.repeats(|row| row.hit_percentage)
    }

    /// What replicas and clients sent.
    pub(super) fn kilobytes_per_command(&self) -> Option<Repeats> {
        self.repeats(|row| row.bytes.map(|bytes| bytes / 1e3))
    }

    /// Microseconds of all processes.
    pub(super) fn processor_per_command(&self) -> Option<Repeats> {
        self.repeats(|row| row.processor)
    }

    /// Microseconds in each stage; nothing if none is known.
    pub(super) fn stages(&self) -> Option<[f64; 4]> {
        let mean = |stage: usize| self.repeats(|row| row.stages[stage]).map(|all| all.mean);
        let stages = [0, 1, 2, 3].map(mean);
        let is_known = stages.iter().any(Option::is_some);
        is_known.then(|| stages.map(Option::unwrap_or_default))
    }

    /// The verdict on the history if it is not `ok`.
    pub(super) fn verdict(&self) -> Option<&str> {
        self.rows.iter().find_map(|row| match &row.verdict {
            Verdict::Other(verdict) => Some(&verdict[..]),
            Verdict::Ok => None,
        })
    }

    fn repeats(&self, measure: impl Fn(&Measurement) -> Option<f64>) -> Option<Repeats> {
        Repeats::of(self.rows.iter().filter_map(|row| measure(row)).collect())
    }
}

impl Slice<'_> {
    /// The part of a file's name that says which slice it is.
    pub(super) fn part(&self) -> String {
        part(&self.others)
    }

    /// The same for people, after what was chosen.
    pub(super) fn about(&self, choice: &Choice) -> String {
        about(choice, self.others.iter())
    }

    /// Whether there are several values of the key along which it goes.
    pub(super) fn is_along(&self) -> bool {
        let spots = || self.series.iter().flat_map(|series| &series.spots);
        let first = spots().next().map(|spot| spot.place);
        spots().any(|spot| Some(spot.place) != first)
    }
}

/// The part of a file's name that says what was varied and stands still in a figure.
pub(super) fn part(values: &[(&str, &str)]) -> String {
    let part = |(key, value): &(&str, &str)| format!("{key}={value}");
    values.iter().map(part).collect::<Vec<_>>().join("_")
}

/// The same for people, after what was chosen.
pub(super) fn about<'a>(
    choice: &Choice,
    values: impl Iterator<Item = &'a (&'a str, &'a str)>,
) -> String {
    let values = values.map(|(key, value)| format!("{key} {value}"));
    let about = [choice.about()].into_iter().chain(values);
    let about = about.filter(|text| !text.is_empty());
    about.collect::<Vec<_>>().join(", ")
}

/// What stands on the axis of a key.
pub(super) fn label(name: &str) -> String {
    let percent = [
        "create", "delete", "move", "read", "update", "multi", "relocate",
    ];
    let unit = match name {
        "rate" => " (ops/s)",
        "value-size" => " (bytes)",
        name if percent.contains(&name) => " (% of commands)",
        _ => "",
    };
    name.replace('-', " ") + unit
}

/// Sorts the rows for figures along a key, or of a whole run.
pub(super) fn slices<'a>(
    folder: &'a Folder,
    along: Option<usize>,
    choice: &Choice,
    out: &mut Drawing,
) -> Vec<Slice<'a>> {
    let strategies = folder.strategies();
    let pens = looks(&strategies).into_iter();
    let pens: Vec<Pen> = pens
        .map(|look| Pen {
            look,
            hollow: false,
        })
        .collect();
    let mut slices: Vec<(Vec<usize>, Slice<'a>)> = Vec::new();
    for row in folder.summary.rows.iter().filter(|row| row.op == choice.op) {
        let values = || folder.keys.iter().zip(&row.values);
        let name = row_name(row, &folder.keys);
        if row.saturated {
            out.note(format!("left out, for the machine was saturated: {name}"));
            continue;
        }
        if let Verdict::Other(verdict) = &row.verdict {
            out.note(format!("hollow, for the history is {verdict}: {name}"));
        }
        let is_other = |place: &usize| Some(*place) != along;
        let others = || values().enumerate().filter(|(place, _)| is_other(place));
        let ranks: Vec<usize> = others().map(|(_, (key, value))| rank(key, value)).collect();
        let found = slices.iter().position(|(of, _)| *of == ranks);
        let found = found.unwrap_or_else(|| {
            let others = others().map(|(_, (key, value))| (&key.name[..], &value[..]));
            let series = strategies.iter().zip(&pens).map(|(strategy, pen)| Series {
                strategy,
                pen: *pen,
                spots: Vec::new(),
            });
            let slice = Slice {
                others: others.collect(),
                series: series.collect(),
            };
            slices.push((ranks, slice));
            slices.len() - 1
        });
        let (_, slice) = &mut slices[found];
        let Some(series) = slice.series.iter_mut().find(|s| s.strategy == row.strategy) else {
            continue;
        };
        let (place, value) = along.map_or((0, ""), |along| {
            (
                rank(&folder.keys[along], &row.values[along]),
                &row.values[along][..],
            )
        });
        let spots = &mut series.spots;
        let spot = spots.iter().position(|spot| spot.value == value);
        let spot = spot.unwrap_or_else(|| {
            spots.push(Spot {
                place,
                value,
                pen: series.pen,
                rows: Vec::new(),
            });
            spots.len() - 1
        });
        spots[spot].rows.push(row);
        spots[spot].pen.hollow |= row.verdict != Verdict::Ok;
    }
    slices.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut slices: Vec<Slice<'a>> = slices.into_iter().map(|(_, slice)| slice).collect();
    for slice in &mut slices {
        slice.series.retain(|series| !series.spots.is_empty());
        for series in &mut slice.series {
            series.spots.sort_by_key(|spot| spot.place);
        }
    }
    slices
}

/// Refuses what lacks columns.
pub(super) fn need(folder: &Folder, columns: &[&str]) -> Result<(), Skip> {
    let file = match folder.contents() {
        Contents::Run | Contents::Sweep => "summary.csv",
        Contents::Peak => "peak.csv",
    };
    let missing = folder.summary.table.missing(columns);
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Missing::Columns(file, missing).into()),
    }
}

/// Where a value stands among those that were asked for; behind them if it is none.
fn rank(key: &Key, value: &str) -> usize {
    let number = |text: &str| text.parse::<f64>().ok();
    let same = |asked: &String| {
        asked == value || number(asked).is_some_and(|asked| Some(asked) == number(value))
    };
    key.values.iter().position(same).unwrap_or(key.values.len())
}

fn row_name(row: &Measurement, keys: &[Key]) -> String {
    let values = keys.iter().zip(&row.values);
    let values = values.map(|(key, value)| format!(" {} {value}", key.name));
    format!("{}{}", row.strategy, values.collect::<Vec<_>>().join(","))
}
