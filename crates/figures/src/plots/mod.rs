//! What each kind of figure shows. Which of them there are follows from the folder.

mod bars;
mod breakdown;
mod cdf;
mod consults;
mod grouping;
mod hits;
mod partitions;
mod peak;
mod scaling;
mod spread;
mod throughput_latency;
mod time_axis;
mod timeline;

use crate::error::ReadError;
use crate::figure::Drawing;
use crate::kind::{Choice, Kind};
use crate::read::folder::{Contents, Folder};
use crate::read::table::Missing;

impl Folder {
    /// Draws what was chosen, as far as there is data for it.
    ///
    /// # Errors
    /// If a file cannot be read, or there is nothing of the chosen operation.
    pub fn draw(&self, choice: &Choice) -> Result<Drawing, ReadError> {
        self.check_op(&choice.op)?;
        let mut out = Drawing::default();
        let is_chosen = |kind: &Kind| choice.kinds.is_empty() || choice.kinds.contains(kind);
        for kind in Kind::ALL.into_iter().filter(is_chosen) {
            let drawn = match kind {
                Kind::Bars | Kind::Breakdown | Kind::Cdf | Kind::Partitions | Kind::Timeline
                    if self.contents() == Contents::Peak =>
                {
                    Err(Skip::of_a_run())
                }
                Kind::ThroughputLatency => throughput_latency::draw(self, choice, &mut out),
                Kind::Peak => peak::draw(self, choice, &mut out),
                Kind::Scaling => scaling::draw(self, choice, &mut out),
                Kind::Bars => bars::draw(self, choice, &mut out),
                Kind::Breakdown => breakdown::draw(self, choice, &mut out),
                Kind::Cdf => cdf::draw(self, choice, &mut out)?,
                Kind::Timeline => timeline::draw(self, choice, &mut out)?,
                Kind::Partitions => partitions::draw(self, choice, &mut out)?,
                Kind::Consults => consults::draw(self, choice, &mut out)?,
                Kind::Hits => hits::draw(self, choice, &mut out),
            };
            if let Err(Skip(why)) = drawn {
                out.skipped.push((kind, why));
            }
        }
        Ok(out)
    }
}

/// Why there is no figure of a kind.
#[derive(Debug)]
struct Skip(String);

impl Skip {
    /// The figure is one of a single run, and the folder is that of several.
    fn of_a_run() -> Self {
        Self("it shows one run: name the folder of one, within cells/".into())
    }
}

impl From<Missing<'_>> for Skip {
    fn from(missing: Missing<'_>) -> Self {
        Self(missing.to_string())
    }
}

/// What a series is called: strategies whose histories are not known to be right say so.
fn named(strategy: &str, verdict: Option<&str>) -> String {
    match verdict {
        Some(verdict) => format!("{strategy} ({verdict})"),
        None => strategy.into(),
    }
}
