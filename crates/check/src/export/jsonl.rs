//! One JSON object a line: first what the file is, then each operation.

use super::Told;
use crate::History;
use crate::terms::{Act, Terms};
use ssmr_core::Application;
use std::io::{self, Write};

impl<A: Application> History<A> {
    /// Writes the history as lines of JSON. The first one names format, service and number of
    /// operations, and what `about` says besides: pairs of plain words.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_jsonl(
        &self,
        terms: &Terms<A>,
        about: &[(&str, &str)],
        out: &mut impl Write,
    ) -> io::Result<()> {
        let service = [("format", "ssmr-history"), ("service", A::NAME)];
        write!(out, "{{\"version\":1")?;
        for (name, word) in service.iter().chain(about) {
            write!(out, ",{name:?}:{word:?}")?;
        }
        writeln!(out, ",\"operations\":{}}}", self.len())?;
        for (index, told) in self.told(terms).enumerate() {
            line(index, &told, out)?;
        }
        Ok(())
    }
}

fn line(index: usize, told: &Told, out: &mut impl Write) -> io::Result<()> {
    let Told {
        client, invoked, ..
    } = told;
    let completed = told.completed.map_or("null".into(), |at| at.to_string());
    let outcome = told.end.name();
    write!(
        out,
        "{{\"index\":{index},\"client\":{client},\"invoked_us\":{invoked},\
         \"completed_us\":{completed},\"outcome\":\"{outcome}\",\"acts\":["
    )?;
    for (place, act) in told.acts.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let Act {
            verb,
            object,
            value,
        } = act;
        write!(out, "{comma}[\"{verb}\",\"{object}\",{value}]")?;
    }
    writeln!(out, "]}}")
}
