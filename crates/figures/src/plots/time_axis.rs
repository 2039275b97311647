//! The axis of figures over time, from when intervals begin.

use crate::draw::panel::{Axis, Scale};

/// The axis of time.
#[derive(Clone, Debug)]
pub(super) struct TimeAxis {
    pub(super) axis: Axis,
    /// Half an interval, in seconds.
    pub(super) half: f64,
}

impl TimeAxis {
    /// For intervals that begin at these seconds and are equally long.
    pub(super) fn of(starts: impl Iterator<Item = f64>) -> Self {
        let mut starts: Vec<f64> = starts.collect();
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        let steps = starts.windows(2).map(|pair| pair[1] - pair[0]);
        let step = steps.fold(f64::INFINITY, f64::min);
        let step = if step.is_finite() { step } else { 0.1 };
        let end = starts.last().copied().unwrap_or_default() + step;
        // Differences of fractions are not exact.
        let end = (end * 1e6).round() / 1e6;
        Self {
            axis: Axis {
                label: "time (s)".into(),
                scale: Scale::between(0.0, end),
            },
            half: step / 2.0,
        }
    }
}
