//! Traces as lines of JSON: one command a line. Empty lines count for nothing.

use super::command::TraceCommand;
use super::line::{Located, TraceError};
use std::io::{BufRead, Read};

/// The longest line: a command of as many objects as there may be, with names of some KiB each.
const LONGEST: u64 = 64 << 20;

/// What text files may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The commands of such a trace.
pub(super) struct JsonLines<R> {
    input: R,
    line: u64,
    bytes: Vec<u8>,
}

impl<R: BufRead> JsonLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            line: 0,
            bytes: Vec::new(),
        }
    }

    /// The next command, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Located>, TraceError> {
        loop {
            self.bytes.clear();
            self.line += 1;
            let mut input = self.input.by_ref().take(LONGEST);
            if input.read_until(b'\n', &mut self.bytes)? == 0 {
                return Ok(None);
            }
            if self.bytes.len() as u64 == LONGEST {
                return Err(TraceError::at(self.line, "it is longer than 64 MiB"));
            }
            let mut text = &self.bytes[..];
            if self.line == 1 {
                text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
            }
            text = text.trim_ascii_end();
            if text.is_empty() {
                continue;
            }
            let command: TraceCommand =
                serde_json::from_slice(text).map_err(|error| self.malformed(&error))?;
            return Ok(Some(Located {
                line: self.line,
                command,
            }));
        }
    }

    /// To the parser each line is the first one.
    fn malformed(&self, error: &serde_json::Error) -> TraceError {
        let told = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let told = told.strip_suffix(&place).unwrap_or(&told);
        TraceError::at(self.line, format!("column {}: {told}", error.column()))
    }
}
