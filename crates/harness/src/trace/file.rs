//! The file of a trace: its ending says its form.

use serde::{Serialize, Serializer};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The form of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TraceForm {
    /// A command a line, as JSON.
    Jsonl,
    /// An object of a command a row.
    Csv,
}

/// A file for a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceFile {
    path: PathBuf,
    form: TraceForm,
}

impl TraceFile {
    /// A file whose ending says its form; `None` if it does not.
    pub(crate) fn named(path: PathBuf) -> Option<Self> {
        let form = match path.extension().and_then(OsStr::to_str)? {
            "jsonl" => TraceForm::Jsonl,
            "csv" => TraceForm::Csv,
            _ => return None,
        };
        Some(Self { path, form })
    }

    /// Reads the value of a flag.
    ///
    /// # Errors
    /// If the ending says no form.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file = Self::named(text.into());
        file.ok_or_else(|| "expected a file that ends in .jsonl or .csv".into())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its form.
    pub(crate) fn form(&self) -> TraceForm {
        self.form
    }

    /// The file for one strategy: one of several has its name before the ending.
    pub(crate) fn of(&self, strategy: &str, several: bool) -> Self {
        if !several {
            return self.clone();
        }
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let ending = match self.form {
            TraceForm::Jsonl => "jsonl",
            TraceForm::Csv => "csv",
        };
        let name = format!("{stem}-{strategy}.{ending}");
        Self {
            path: self.path.with_file_name(name),
            form: self.form,
        }
    }
}

impl Serialize for TraceFile {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.path.serialize(to)
    }
}
