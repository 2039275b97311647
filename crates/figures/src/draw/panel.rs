//! A frame with two axes, anywhere on a canvas; `kuva` draws ticks and grid and says where a value
//! is.

use super::canvas::{Canvas, LETTERS, Side, WIDTH, cut, escaped, width};
use kuva::TickFormat;
use kuva::render::axis::add_axes_and_grid;
use kuva::render::layout::{ComputedLayout, Layout};
use kuva::render::render_utils::compute_tick_step;
use kuva::render::render_utils::{generate_ticks_log, generate_ticks_with_step};
use std::sync::Arc;

/// What is above the uppermost tick, and beneath the frame: tick labels, then the axis's label.
const TICK_LABELS: f64 = 15.0;
const AXIS_LABEL: f64 = 14.0;
/// Half of a wide tick label has room here.
pub(crate) const RIGHT: f64 = 18.0;

/// One axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What is on it, and the unit. Numbers on an axis without one have no labels either: those
    /// of the frame beneath are theirs.
    pub(crate) label: String,
    pub(crate) scale: Scale,
}

impl Axis {
    /// Without labels, for a frame above another one.
    pub(crate) fn bare(&self) -> Self {
        let scale = match &self.scale {
            Scale::Names(names) => Scale::Names(vec![String::new(); names.len()]),
            numbers => numbers.clone(),
        };
        Self {
            label: String::new(),
            scale,
        }
    }
}

/// Which values an axis has.
#[derive(Clone, Debug)]
pub(crate) enum Scale {
    /// From one number to another, with ticks so far apart.
    Linear(f64, f64, f64),
    /// From one number above 0 to another.
    Log(f64, f64),
    /// Names, side by side; the first is at 1.
    Names(Vec<String>),
}

impl Scale {
    /// From 0 to somewhat above the greatest of these numbers.
    pub(crate) fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        Self::from_zero_by(values, 4)
    }

    /// The same with about so many ticks, for low frames.
    pub(crate) fn from_zero_by(values: impl Iterator<Item = f64>, ticks: usize) -> Self {
        let most = values.fold(0.0, f64::max);
        let most = if most > 0.0 { most * 1.02 } else { 1.0 };
        let step = compute_tick_step(0.0, most, ticks);
        Self::Linear(0.0, (most / step).ceil() * step, step)
    }

    /// From one number to another, with about five ticks.
    pub(crate) fn between(from: f64, to: f64) -> Self {
        Self::Linear(from, to, compute_tick_step(from, to, 5))
    }

    /// From 0, or logarithmic if the numbers are too far apart for that.
    pub(crate) fn fitting(values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.filter(|value| *value > 0.0).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        match most > 20.0 * least {
            true => Self::log(least, most),
            false => Self::from_zero(values.into_iter()),
        }
    }

    /// Logarithmic, between the numbers with one digit of 1, 2 and 5 around these.
    pub(crate) fn log(least: f64, most: f64) -> Self {
        let round = |value: f64, up: bool| {
            let decade = 10f64.powf(value.log10().floor());
            let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
            match up {
                true => steps.into_iter().find(|step| *step >= value * 0.999),
                false => steps.into_iter().rfind(|step| *step <= value * 1.001),
            }
            .unwrap_or(value)
        };
        let low = round(least.max(1e-3), false);
        Self::Log(low, round(most, true).max(low * 10.0))
    }

    fn range(&self) -> (f64, f64) {
        match self {
            Self::Linear(from, to, _) | Self::Log(from, to) => (*from, *to),
            Self::Names(names) => (0.5, names.len() as f64 + 0.5),
        }
    }

    fn tick_labels(&self) -> Vec<String> {
        match self {
            Self::Linear(from, to, step) => {
                let ticks = generate_ticks_with_step(*from, *to, *step).into_iter();
                ticks.map(|tick| TickFormat::Auto.format(tick)).collect()
            }
            Self::Log(from, to) => {
                let ticks = generate_ticks_log(*from, *to).into_iter();
                ticks.map(|tick| log_label(*from, *to, tick)).collect()
            }
            Self::Names(names) => names.clone(),
        }
    }
}

/// Where there is a decade or more, only its first tick has a label.
fn log_label(from: f64, to: f64, tick: f64) -> String {
    let is_decade = (tick.log10() - tick.log10().round()).abs() < 1e-6;
    match is_decade || to / from < 200.0 {
        true => TickFormat::Auto.format(tick),
        false => String::new(),
    }
}

/// A frame that has been drawn.
#[allow(missing_debug_implementations, reason = "that of `kuva` has none")]
pub(crate) struct Panel {
    computed: ComputedLayout,
}

/// The room on the left of frames with these axes: the same for all frames of a figure.
pub(crate) fn left_of(axes: &[&Axis]) -> f64 {
    let labels = axes.iter().flat_map(|axis| axis.scale.tick_labels());
    labels.map(|label| width(&label)).fold(14.0, f64::max) + 24.0
}

/// The room beneath a frame with this axis.
pub(crate) fn beneath(axis: &Axis, left: f64) -> f64 {
    let label = if axis.label.is_empty() {
        4.0
    } else {
        AXIS_LABEL
    };
    match &axis.scale {
        Scale::Names(names) if turn(names, left) => {
            let names = turned_names(names, left);
            let longest = names.iter().map(|name| width(name)).fold(0.0, f64::max);
            longest * TURN.to_radians().sin() + LETTERS + 8.0 + label
        }
        _ => TICK_LABELS + label,
    }
}

/// By how much long names are turned.
const TURN: f64 = 35.0;

fn slot(names: &[String], left: f64) -> f64 {
    (WIDTH - left - RIGHT) / names.len().max(1) as f64
}

/// Whether names are too long to stand side by side.
fn turn(names: &[String], left: f64) -> bool {
    let room = slot(names, left) - 3.0;
    names.iter().any(|name| width(name) > room)
}

/// Turned names, as far as the paper goes.
fn turned_names(names: &[String], left: f64) -> Vec<String> {
    let slot = slot(names, left);
    let room = |place: usize| (left + slot * (place as f64 + 0.5) - 6.0) / TURN.to_radians().cos();
    let short = |(place, name): (usize, &String)| cut(name, room(place).min(110.0));
    names.iter().enumerate().map(short).collect()
}

impl Panel {
    /// Draws a frame from `left` to the right edge, between two heights.
    pub(crate) fn draw(
        canvas: &mut Canvas,
        left: f64,
        (top, bottom): (f64, f64),
        x: &Axis,
        y: &Axis,
    ) -> Self {
        let height = canvas.scene.height;
        let mut layout = Layout::new(x.scale.range(), y.scale.range())
            .with_width(WIDTH)
            .with_height(height)
            .with_tick_size(LETTERS as u32)
            .with_tick_length(3.0)
            .with_axis_line_width(0.8)
            .with_tick_width(0.8)
            .with_grid_line_width(0.5)
            .with_force_margins(left, RIGHT)
            .with_force_margins_y(top, height - bottom)
            .with_box_axes();
        layout.theme.grid_color = "#dddddd".into();
        let mut is_turned = false;
        match &x.scale {
            Scale::Linear(_, _, step) => {
                layout.x_tick_step = Some(*step);
                if x.label.is_empty() {
                    let nothing = TickFormat::Custom(Arc::new(|_| String::new()));
                    layout = layout.with_x_tick_format(nothing);
                }
            }
            Scale::Log(from, to) => {
                layout = layout
                    .with_log_x()
                    .with_x_tick_format(log_format(*from, *to));
            }
            Scale::Names(names) => {
                is_turned = turn(names, left);
                let names = match is_turned {
                    true => turned_names(names, left),
                    false => names.clone(),
                };
                layout = layout.with_x_categories(names);
                layout.x_tick_rotate = is_turned.then_some(-TURN);
            }
        }
        match y.scale {
            Scale::Linear(_, _, step) => layout.y_tick_step = Some(step),
            Scale::Log(from, to) => {
                layout = layout.with_log_y().with_y_tick_format(log_format(from, to));
            }
            Scale::Names(_) => {}
        }
        let mut computed = ComputedLayout::from_layout(&layout);
        // It would round them.
        (computed.x_range, computed.y_range) = (x.scale.range(), y.scale.range());
        computed.recompute_transforms();
        let frame = frame((left, top, WIDTH - RIGHT, bottom), x, y);
        canvas.group(None, frame, |canvas| {
            add_axes_and_grid(&mut canvas.scene, &computed, &layout);
        });
        let (middle, centre) = ((left + WIDTH - RIGHT) / 2.0, (top + bottom) / 2.0);
        let base = bottom + beneath(x, left) - if is_turned { 2.0 } else { 3.0 };
        canvas.text((middle, base), Side::Middle, false, &x.label);
        canvas.text((11.0, centre), Side::Middle, true, &y.label);
        Self { computed }
    }

    /// Where a pair of values is on the canvas.
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.computed.map_x(x), self.computed.map_y(y))
    }

    /// Left, right, top and bottom of the frame.
    pub(crate) fn edges(&self) -> (f64, f64, f64, f64) {
        let computed = &self.computed;
        (
            computed.margin_left,
            computed.width - computed.margin_right,
            computed.margin_top,
            computed.height - computed.margin_bottom,
        )
    }
}

/// Tells scripts where a frame is and which values it shows.
fn frame((left, top, right, bottom): (f64, f64, f64, f64), x: &Axis, y: &Axis) -> String {
    let axis = |letter: &str, axis: &Axis| {
        let (from, to) = axis.scale.range();
        let scale = match axis.scale {
            Scale::Linear(..) => "linear",
            Scale::Log(..) => "log",
            Scale::Names(_) => "names",
        };
        let label = escaped(&axis.label);
        format!(
            " data-{letter}-scale=\"{scale}\" data-{letter}-range=\"{from} {to}\" \
             data-{letter}-label=\"{label}\""
        )
    };
    let edges = format!("class=\"frame\" data-edges=\"{left:.2} {top:.2} {right:.2} {bottom:.2}\"");
    edges + &axis("x", x) + &axis("y", y)
}

fn log_format(from: f64, to: f64) -> TickFormat {
    TickFormat::Custom(Arc::new(move |tick| log_label(from, to, tick)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_beyond_the_data() {
        let range = |values: &[f64]| Scale::from_zero(values.iter().copied()).range();
        assert_eq!(range(&[3.0, 41.0]), (0.0, 50.0));
        assert_eq!(range(&[1_100.0]), (0.0, 1_250.0));
        assert_eq!(range(&[]), (0.0, 1.0));
        assert_eq!(Scale::log(320.0, 7_100.0).range(), (200.0, 10_000.0));
        assert_eq!(Scale::log(100.0, 100.0).range(), (100.0, 1_000.0));
    }

    #[test]
    fn tenths_are_told_as_such() {
        let labels = Scale::Log(0.1, 10.0).tick_labels();
        assert_eq!(labels, ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        let wide = Scale::Log(0.1, 100.0).tick_labels();
        assert_eq!(
            wide.into_iter().filter(|label| !label.is_empty()).count(),
            4
        );
    }

    #[test]
    fn an_axis_is_logarithmic_where_it_must_be() {
        let scale = |values: &[f64]| Scale::fitting(values.iter().copied());
        assert!(matches!(scale(&[100.0, 3_000.0]), Scale::Log(..)));
        assert!(matches!(scale(&[200.0, 3_000.0]), Scale::Linear(..)));
        assert!(matches!(scale(&[]), Scale::Linear(..)));
    }
}
