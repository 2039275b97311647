//! How figures are drawn, whatever they show.

pub(crate) mod canvas;
#[cfg(feature = "png")]
mod dashes;
pub(crate) mod legend;
pub(crate) mod panel;
pub(crate) mod units;
