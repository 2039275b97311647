//! Writes a trace.

use super::command::{Name, TraceCommand};
use super::file::TraceForm;
use super::read_csv::COLUMNS;
use std::io::{self, Write};

/// A trace that is being written.
#[derive(Debug)]
pub(crate) enum TraceWriter<W: Write> {
    /// A command a line.
    Jsonl(W),
    /// An object a row, and how many commands there have been.
    Csv(Box<csv::Writer<W>>, u64),
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace of this form.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn new(to: W, form: TraceForm) -> io::Result<Self> {
        Ok(match form {
            TraceForm::Jsonl => Self::Jsonl(to),
            TraceForm::Csv => {
                let mut rows = csv::Writer::from_writer(to);
                rows.write_record(COLUMNS)?;
                Self::Csv(Box::new(rows), 0)
            }
        })
    }

    /// Adds a command.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&mut self, command: &TraceCommand) -> io::Result<()> {
        match self {
            Self::Jsonl(to) => {
                serde_json::to_writer(&mut *to, command)?;
                to.write_all(b"\n")
            }
            Self::Csv(rows, number) => {
                for part in &command.objects {
                    let integer = |value: Option<u64>| {
                        value.map_or_else(String::new, |value| value.to_string())
                    };
                    let name = |name: Option<&Name>| {
                        name.map_or_else(String::new, |name| name.text().into_owned())
                    };
                    rows.write_record([
                        number.to_string(),
                        integer(command.time_us),
                        integer(command.client),
                        part.op.name().to_owned(),
                        part.id.text().into_owned(),
                        name(part.attribute.as_ref()),
                        integer(part.size),
                        integer(part.to.map(u64::from)),
                        name(part.to_attribute.as_ref()),
                    ])?;
                }
                *number += 1;
                Ok(())
            }
        }
    }

    /// Hands on what is still in memory.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Jsonl(to) => to.flush(),
            Self::Csv(rows, _) => rows.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::{Op, Part};
    use super::super::reader::TraceReader;
    use super::*;

    fn commands() -> Vec<TraceCommand> {
        let odd = [
            "a,b",
            "\"quoted\"",
            "two\nlines",
            "caf\u{e9}",
            " ",
            "\r",
            "007",
            "7",
        ];
        let parts = odd
            .iter()
            .zip(Op::ALL.into_iter().cycle())
            .map(|(id, op)| Part {
                size: op.writes().then_some(9),
                to: (op == Op::Move).then_some(3),
                ..Part::new(op, Name::of(id), Some(Name::of(id)))
            });
        let one = |part: Part| TraceCommand {
            objects: vec![part],
            ..TraceCommand::default()
        };
        let mut commands: Vec<_> = parts.clone().map(one).collect();
        commands.push(TraceCommand {
            time_us: Some(5),
            client: Some(u64::MAX),
            objects: parts.collect(),
        });
        let mut moved = Part::new(Op::Move, Name::of("x"), None);
        moved.to_attribute = Some(Name::of("y"));
        commands.push(one(moved));
        commands
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for form in [TraceForm::Jsonl, TraceForm::Csv] {
            let mut bytes = Vec::new();
            let mut writer = TraceWriter::new(&mut bytes, form).unwrap();
            commands().iter().for_each(|one| writer.write(one).unwrap());
            writer.flush().unwrap();
            drop(writer);
            let read = TraceReader::new(&bytes[..], form).unwrap();
            let read: Vec<_> = read.map(|located| located.unwrap().command).collect();
            assert_eq!(read, commands(), "{}", String::from_utf8_lossy(&bytes));
        }
    }
}
