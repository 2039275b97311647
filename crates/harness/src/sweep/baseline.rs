//! What changed against an earlier sweep or run: the ratio of the means of each measure that both
//! have, and whether that is a difference.

use super::points::{Group, IDENTITY, MEASURES, extra_columns, groups, samples};
use super::rows::Rows;
use super::spec::SweepSpec;
use crate::results::columns::Cell;
use ssmr_figures::bootstrap::{ENOUGH, mean, of_ratio};

/// A comparison's verdict where the interval of the ratio holds 1.
pub(super) const SAME: &str = "no difference";

/// Compares a sweep with an earlier one, or with a run: a row for each measure of each kind of
/// operation that both have under a strategy with equal settings. From [`ENOUGH`] runs of both on
/// there are an interval and a verdict.
pub(super) fn compare(now: &Rows, before: &Rows, spec: &SweepSpec) -> Rows {
    let extra = extra_columns(spec).into_iter().map(|column| column.name);
    // A column that an old file does not have yet says nothing.
    let in_both = |name: &&str| now.column(name).is_some() && before.column(name).is_some();
    let identity = IDENTITY.into_iter().filter(in_both).map(str::to_owned);
    let names: Vec<String> = extra.chain(identity).collect();
    let mut header = names.clone();
    header.extend(
        [
            "measure", "before", "now", "ratio", "low", "high", "verdict",
        ]
        .map(str::to_owned),
    );
    let earlier = groups(before, &names);
    let mut rows = Vec::new();
    for group in groups(now, &names) {
        let Some(old) = earlier.iter().find(|old| old.key == group.key) else {
            continue;
        };
        for measure in MEASURES {
            let key = group.key.iter().map(|cell| (*cell).to_owned());
            if let Some(compared) = compared(now, &group, before, old, measure) {
                rows.push(key.chain(compared).collect());
            }
        }
    }
    Rows { header, rows }
}

fn compared(
    now: &Rows,
    group: &Group<'_>,
    before: &Rows,
    old: &Group<'_>,
    measure: &str,
) -> Option<[String; 7]> {
    let (now, before) = (samples(now, group, measure), samples(before, old, measure));
    let (new, old) = (mean(&now)?, mean(&before)?);
    let ratio = new / old;
    let interval = of_ratio(&now, &before);
    let verdict = match interval {
        None => format!("fewer than {ENOUGH} runs"),
        Some(interval) if interval.low > 1.0 => "higher".into(),
        Some(interval) if interval.high < 1.0 => "lower".into(),
        Some(_) => SAME.into(),
    };
    Some([
        measure.into(),
        old.text(),
        new.text(),
        Some(ratio).filter(|ratio| ratio.is_finite()).text(),
        interval.map(|interval| interval.low).text(),
        interval.map(|interval| interval.high).text(),
        verdict,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(throughputs: &[u32]) -> Rows {
        let texts = |line: &str| line.split(',').map(str::to_owned).collect();
        let row = |throughput: &u32| texts(&format!("static,all,{throughput}"));
        Rows {
            header: texts("strategy,op,throughput_ops"),
            rows: throughputs.iter().map(row).collect(),
        }
    }

    #[test]
    fn a_difference_is_one_only_beyond_chance() {
        let verdict = |now: &[u32], before: &[u32]| {
            let compared = compare(&runs(now), &runs(before), &SweepSpec::default());
            let row = compared.rows.first()?;
            Some(compared.cell(row, "verdict").to_owned())
        };
        let before = [100, 104, 96, 102, 98];
        let told = |now: &[u32]| verdict(now, &before).unwrap();
        assert_eq!(told(&[101, 103, 97, 100, 99]), SAME);
        assert_eq!(told(&[121, 123, 117, 120, 119]), "higher");
        assert_eq!(told(&[81, 83, 77, 80, 79]), "lower");
        assert_eq!(told(&[200; 4]), "fewer than 5 runs");
        assert_eq!(verdict(&[], &before), None);
    }
}
