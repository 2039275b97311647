//! Where the history of a run is written, and in which form.

use serde::{Serialize, Serializer};
use std::path::PathBuf;

/// The form of a history file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HistoryForm {
    /// Lines of JSON.
    Jsonl,
    /// Jepsen's.
    Edn,
}

/// The file for the history of each strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HistoryFile {
    path: PathBuf,
    pub(crate) form: HistoryForm,
}

impl HistoryFile {
    /// A file whose ending says its form; `None` if it does not.
    pub(crate) fn named(path: PathBuf) -> Option<Self> {
        let form = match path.extension()?.to_str()? {
            "jsonl" => HistoryForm::Jsonl,
            "edn" => HistoryForm::Edn,
            _ => return None,
        };
        Some(Self { path, form })
    }

    /// The file for one strategy: one of several has its name before the ending.
    pub(crate) fn of(&self, strategy: &str, several: bool) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default();
        let (stem, ending) = (stem.to_string_lossy(), self.ending());
        match several {
            true => self
                .path
                .with_file_name(format!("{stem}-{strategy}.{ending}")),
            false => self.path.clone(),
        }
    }

    fn ending(&self) -> &'static str {
        match self.form {
            HistoryForm::Jsonl => "jsonl",
            HistoryForm::Edn => "edn",
        }
    }
}

impl Serialize for HistoryFile {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.path.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn one_of_several_strategies_is_in_the_name() {
        let file = HistoryFile::named("runs/h.v2.edn".into()).unwrap();
        assert_eq!(file.of("cache", false), Path::new("runs/h.v2.edn"));
        assert_eq!(file.of("cache", true), Path::new("runs/h.v2-cache.edn"));
        assert_eq!(HistoryFile::named("edn".into()), None);
        assert_eq!(HistoryFile::named("h.json".into()), None);
    }
}
