//! Traces as CSV: an object of a command a row. Rows that have the same number in column `command`,
//! one below the other, are one command; without a number each row is one.

use super::command::{Name, Op, Part, TraceCommand};
use super::line::{Located, TraceError};
use csv::{ErrorKind, StringRecord};
use std::fmt::Display;
use std::io::Read;
use std::str::FromStr;

/// The columns, in the order in which they are written.
pub(super) const COLUMNS: [&str; 9] = [
    "command",
    "time_us",
    "client",
    "op",
    "id",
    "attribute",
    "size",
    "to",
    "to_attribute",
];

/// The commands of such a trace.
pub(super) struct CsvLines<R> {
    rows: csv::Reader<R>,
    /// Where each of the [`COLUMNS`] is.
    places: [Option<usize>; 9],
    row: StringRecord,
    /// The first row of the next command.
    held: Option<Row>,
    /// The number of the last command that had one.
    number: Option<u64>,
}

/// What a row says.
struct Row {
    line: u64,
    number: Option<u64>,
    time_us: Option<u64>,
    client: Option<u64>,
    part: Part,
}

impl<R: Read> CsvLines<R> {
    pub(super) fn new(input: R) -> Result<Self, TraceError> {
        let mut rows = csv::ReaderBuilder::new().from_reader(input);
        let header = rows.headers().map_err(malformed)?;
        if header.is_empty() {
            return Err(TraceError::at(1, "the first line names the columns"));
        }
        let mut places = [None; 9];
        for (place, column) in header.iter().enumerate() {
            let known = COLUMNS.iter().position(|known| *known == column);
            let known = known.ok_or_else(|| {
                let known = COLUMNS.join(", ");
                TraceError::at(1, format!("unknown column {column:?}: there are {known}"))
            })?;
            if places[known].replace(place).is_some() {
                return Err(TraceError::at(1, format!("two columns `{column}`")));
            }
        }
        for needed in ["op", "id"] {
            if !header.iter().any(|column| column == needed) {
                return Err(TraceError::at(1, format!("there is no column `{needed}`")));
            }
        }
        Ok(Self {
            rows,
            places,
            row: StringRecord::new(),
            held: None,
            number: None,
        })
    }

    /// The next command, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Located>, TraceError> {
        let first = match self.held.take() {
            Some(row) => row,
            None => match self.read()? {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        let (line, number) = (first.line, first.number);
        if let (Some(number), Some(last)) = (number, self.number)
            && number <= last
        {
            let problem = format!(
                "command {number} comes after command {last}: the rows of a command must be \
                 together, and numbers must grow"
            );
            return Err(TraceError::at(line, problem));
        }
        self.number = number.or(self.number);
        let mut command = TraceCommand {
            time_us: first.time_us,
            client: first.client,
            objects: vec![first.part],
        };
        while number.is_some()
            && let Some(row) = self.read()?
        {
            if row.number != number {
                self.held = Some(row);
                break;
            }
            agree(row.line, "time_us", command.time_us, row.time_us)?;
            agree(row.line, "client", command.client, row.client)?;
            command.objects.push(row.part);
        }
        Ok(Some(Located { line, command }))
    }

    fn read(&mut self) -> Result<Option<Row>, TraceError> {
        if !self.rows.read_record(&mut self.row).map_err(malformed)? {
            return Ok(None);
        }
        let cells = Cells {
            row: &self.row,
            places: &self.places,
            line: self.row.position().map_or(0, csv::Position::line),
        };
        let op = cells.text("op").unwrap_or_default();
        let op = Op::ALL.into_iter().find(|known| known.name() == op);
        let op = op.ok_or_else(|| {
            let known = Op::ALL.map(Op::name).join(", ");
            let found = cells.text("op").unwrap_or_default();
            cells.wrong(format!("unknown op {found:?}: expected one of {known}"))
        })?;
        let name = |column| cells.text(column).map(Name::of);
        let id = name("id").ok_or_else(|| cells.wrong("the id is missing"))?;
        Ok(Some(Row {
            line: cells.line,
            number: cells.integer("command")?,
            time_us: cells.integer("time_us")?,
            client: cells.integer("client")?,
            part: Part {
                op,
                id,
                attribute: name("attribute"),
                size: cells.integer("size")?,
                to: cells.integer("to")?,
                to_attribute: name("to_attribute"),
            },
        }))
    }
}

/// The cells of one row by their columns.
struct Cells<'a> {
    row: &'a StringRecord,
    places: &'a [Option<usize>; 9],
    line: u64,
}

impl Cells<'_> {
    /// What is in a cell, if anything is.
    fn text(&self, column: &str) -> Option<&str> {
        let known = COLUMNS.iter().position(|known| *known == column)?;
        let cell = self.row.get(self.places[known]?)?;
        (!cell.is_empty()).then_some(cell)
    }

    fn integer<T: FromStr<Err: Display>>(&self, column: &str) -> Result<Option<T>, TraceError> {
        let Some(text) = self.text(column) else {
            return Ok(None);
        };
        let read = text.parse().map(Some);
        read.map_err(|_| self.wrong(format!("{column}: expected an integer, found {text:?}")))
    }

    fn wrong(&self, problem: impl Into<String>) -> TraceError {
        TraceError::at(self.line, problem)
    }
}

/// Rows of one command may repeat what the first one says.
fn agree(
    line: u64,
    column: &str,
    first: Option<u64>,
    again: Option<u64>,
) -> Result<(), TraceError> {
    match again {
        Some(_) if again != first => {
            let problem = format!("{column}: another one than in the command's first row");
            Err(TraceError::at(line, problem))
        }
        _ => Ok(()),
    }
}

/// What the parser of CSV has to say.
fn malformed(error: csv::Error) -> TraceError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        ErrorKind::Io(error) => TraceError::Read(error),
        ErrorKind::Utf8 { .. } => TraceError::at(line, "bytes that are not text"),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => TraceError::at(line, format!("{len} cells, but {expected_len} columns")),
        _ => TraceError::at(line, "it is not CSV"),
    }
}
