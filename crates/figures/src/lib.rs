//! Figures for papers, drawn from the CSV files of a run or a sweep, without running anything
//! again.
//!
//! It knows the files and nothing of what wrote them: columns are found by name, those that are
//! missing cost the figures that need them and are told, and unknown ones are ignored. So old
//! results can still be drawn.
//!
//! Message diagrams of the strategies ([`Diagram`]) come from golden traces instead.
//!
//! Each figure is an SVG picture as wide as a column of text (85 mm), with text as text and units
//! on its axes. Strategies keep their colour, marker, dashes and hatch in all figures: they can be
//! told apart by colour-blind people, and in black and white. Invariant: the bytes of a picture are
//! a pure function of the files.
//!
//! ```no_run
//! use ssmr_figures::{Choice, Folder, Latency};
//! use std::path::Path;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = Folder::open(Path::new("results/latest"))?;
//! let choice = Choice { kinds: Vec::new(), op: "all".into(), latency: Latency::P50 };
//! let drawing = folder.draw(&choice)?;
//! for figure in &drawing.figures {
//!     std::fs::write(format!("{}.svg", figure.name()), figure.svg())?;
//! }
//! # Ok(())
//! # }
//! ```

pub mod bootstrap;
mod diagram;
mod draw;
mod error;
mod figure;
mod kind;
mod plots;
mod read;
mod statistics;
mod style;

pub use diagram::Diagram;
pub use error::ReadError;
pub use figure::{Drawing, Figure};
pub use kind::{Choice, Kind, Latency};
pub use read::folder::{Contents, Folder};
pub use read::summary::Key;
pub use read::table::{Row, Table};
