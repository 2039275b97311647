//! Reads a trace, one command at a time.
//!
//! Invariant: each command that it hands out can be asked of any cluster that has its partitions,
//! and times never go back. What is wrong is told with its line, and is the last thing told.

use super::file::{TraceFile, TraceForm};
use super::line::{Located, TraceError};
use super::read_csv::CsvLines;
use super::read_json::JsonLines;
use std::fs::File;
use std::io::{BufReader, Read};

/// The commands of a trace.
pub(crate) struct TraceReader<R> {
    lines: Lines<R>,
    /// The time of the last command that had one.
    time_us: u64,
    ended: bool,
}

enum Lines<R> {
    Json(JsonLines<BufReader<R>>),
    Csv(Box<CsvLines<R>>),
}

impl TraceReader<File> {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be read, or its first line is not that of a trace.
    pub(crate) fn open(file: &TraceFile) -> Result<Self, TraceError> {
        Self::new(File::open(file.path())?, file.form())
    }
}

impl<R: Read> TraceReader<R> {
    /// Reads a trace of this form.
    ///
    /// # Errors
    /// If it cannot be read, or its first line is not that of a trace.
    pub(crate) fn new(input: R, form: TraceForm) -> Result<Self, TraceError> {
        let lines = match form {
            TraceForm::Jsonl => Lines::Json(JsonLines::new(BufReader::new(input))),
            TraceForm::Csv => Lines::Csv(Box::new(CsvLines::new(input)?)),
        };
        Ok(Self {
            lines,
            time_us: 0,
            ended: false,
        })
    }

    fn read(&mut self) -> Result<Option<Located>, TraceError> {
        let next = match &mut self.lines {
            Lines::Json(lines) => lines.next(),
            Lines::Csv(lines) => lines.next(),
        };
        let Some(located) = next? else {
            return Ok(None);
        };
        let Located { line, command } = &located;
        if let Some(defect) = command.defect() {
            return Err(TraceError::at(*line, defect));
        }
        if let Some(time) = command.time_us {
            if time < self.time_us {
                let problem = format!("the time goes back, from {} us to {time} us", self.time_us);
                return Err(TraceError::at(*line, problem));
            }
            self.time_us = time;
        }
        Ok(Some(located))
    }
}

impl<R: Read> Iterator for TraceReader<R> {
    type Item = Result<Located, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TraceForm::{Csv, Jsonl};

    fn problem(text: impl AsRef<[u8]>, form: TraceForm) -> String {
        let read = TraceReader::new(text.as_ref(), form).and_then(Iterator::collect);
        let read: Result<Vec<_>, _> = read;
        let error = read.map(|all| all.len()).unwrap_err();
        error.to_string()
    }

    #[test]
    fn bad_lines_of_json_are_refused_with_their_number() {
        let good = "{\"objects\":[{\"op\":\"read\",\"id\":1}]}\n";
        for (bad, words) in [
            ("{", "column 1: EOF"),
            ("[]", "column"),
            ("{}", "missing field `objects`"),
            (r#"{"objects":[]}"#, "without objects"),
            (r#"{"objects":[{"op":"read"}]}"#, "missing field `id`"),
            (
                r#"{"objects":[{"op":"eat","id":1}]}"#,
                "unknown variant `eat`",
            ),
            (
                r#"{"objects":[{"op":"read","id":-1}]}"#,
                "an integer from 0 on, or text",
            ),
            (
                r#"{"objects":[{"op":"read","id":""}]}"#,
                "text that is not empty",
            ),
            (
                r#"{"objects":[{"op":"read","id":1,"sise":5}]}"#,
                "unknown field `sise`",
            ),
            (
                r#"{"objects":[{"op":"read","id":1,"to":1}]}"#,
                "`to` is for create and move",
            ),
            (
                r#"{"objects":[{"op":"move","id":1}]}"#,
                "a move needs `to` or `to_attribute`",
            ),
            (r#"{"objects":[{"op":"move","id":1,"to":255}]}"#, "254"),
            (
                r#"{"objects":[{"op":"move","id":1,"to":1,"to_attribute":1}]}"#,
                "either",
            ),
            (
                r#"{"objects":[{"op":"create","id":1,"to_attribute":1}]}"#,
                "is for move",
            ),
            (
                r#"{"objects":[{"op":"write","id":1,"size":2000000}]}"#,
                "larger than 1048568",
            ),
            (
                r#"{"objects":[{"op":"read","id":1},{"op":"write","id":"1"}]}"#,
                "names 1 twice",
            ),
        ] {
            let told = problem(format!("{good}\n{bad}\n{good}"), Jsonl);
            assert!(
                told.starts_with("line 3: ") && told.contains(words),
                "{bad}: {told}"
            );
            assert!(!told.contains("line 1"), "{told}");
        }
        let told = problem(b"{\"objects\":\xff", Jsonl);
        assert!(told.starts_with("line 1: "), "{told}");
        let timed =
            |time| format!("{{\"time_us\":{time},\"objects\":[{{\"op\":\"read\",\"id\":1}}]}}\n");
        let told = problem(timed(5) + good + &timed(4), Jsonl);
        assert_eq!(told, "line 3: the time goes back, from 5 us to 4 us");
    }

    #[test]
    fn too_large_commands_are_refused() {
        let parts = |count: usize, more: &str| {
            let part = |id| format!("{{\"op\":\"write\",\"id\":{id}{more}}}");
            let parts: Vec<String> = (0..count).map(part).collect();
            format!("{{\"objects\":[{}]}}", parts.join(","))
        };
        let told = problem(parts(4_097, ""), Jsonl);
        assert!(
            told.contains("4097 objects") && told.contains("4096"),
            "{told}"
        );
        let told = problem(parts(9, ",\"size\":1000000"), Jsonl);
        assert!(told.contains("9000000 bytes, more than 8126464"), "{told}");
        assert_eq!(
            TraceReader::new(parts(4_096, "").as_bytes(), Jsonl)
                .unwrap()
                .count(),
            1
        );
    }

    #[test]
    fn bad_rows_are_refused_with_their_line() {
        for (bad, words) in [
            ("", "the first line names the columns"),
            ("op\nread\n", "there is no column `id`"),
            ("op,id,sice\n", "unknown column \"sice\""),
            ("op,id,op\n", "two columns `op`"),
            ("op,id\nread,1\nread\n", "line 3: "),
            ("op,id\nread,\n", "line 2: the id is missing"),
            (
                "op,id\neat,1\n",
                "line 2: unknown op \"eat\": expected one of create, read",
            ),
            (
                "op,id,size\nread,1,1.5\n",
                "line 2: size: expected an integer, found \"1.5\"",
            ),
            (
                "command,op,id\n1,read,1\n0,read,1\n",
                "line 3: command 0 comes after command 1",
            ),
            (
                "command,client,op,id\n1,1,read,1\n1,2,read,2\n",
                "line 3: client",
            ),
            (
                "command,op,id\n1,read,1\n2,read,3\n2,read,3\n",
                "line 3: the command names 3",
            ),
            ("op,id\nread,\"a\nb\"\nread,\n", "line 4: the id is missing"),
        ] {
            let told = problem(bad, Csv);
            assert!(told.contains(words), "{bad:?}: {told}");
        }
        let told = problem(b"op,id\nread,1\nread,\xff\n", Csv);
        assert!(told.starts_with("line 3: "), "{told}");
    }

    #[test]
    fn what_is_missing_is_told_as_such() {
        let file = TraceFile::named("/nowhere/t.csv".into()).unwrap();
        let Err(error) = TraceReader::open(&file) else {
            panic!("there is no such file")
        };
        assert!(error.to_string().starts_with("cannot read it"), "{error}");
    }
}
