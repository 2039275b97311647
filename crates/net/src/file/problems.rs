//! What is wrong with a file: each thing with its line and key.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileProblem {
    /// The line, counted from 1; `None` where it is not about one: something is missing.
    pub line: Option<usize>,
    /// The key, with those of the tables around it: `replicas.p0r1`. Empty if it is not about one.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// All that is wrong with a file, in the order of the lines. Shown with a line for each, as
/// compilers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblems {
    path: PathBuf,
    problems: Vec<FileProblem>,
}

impl FileProblems {
    /// One problem with the file as a whole.
    #[must_use]
    pub fn of(path: &Path, problem: impl fmt::Display) -> Self {
        let problem = FileProblem {
            line: None,
            key: String::new(),
            problem: problem.to_string(),
        };
        Self {
            path: path.into(),
            problems: vec![problem],
        }
    }

    /// The file cannot be read or written.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::of(path, error)
    }

    /// The file, as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong: at least one thing.
    #[must_use]
    pub fn problems(&self) -> &[FileProblem] {
        &self.problems
    }
}

impl fmt::Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.path.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            if !problem.key.is_empty() {
                write!(f, " {}:", problem.key)?;
            }
            write!(f, " {}", problem.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for FileProblems {}

/// A value that a file has, and where.
#[derive(Clone, Debug)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) key: String,
    /// `None` for what is missing in the file as a whole.
    pub(crate) line: Option<usize>,
}

impl<T> Given<T> {
    /// The value that is made of this one, in the same place.
    pub(crate) fn map<U>(self, made: impl FnOnce(T) -> U) -> Given<U> {
        let Self { value, key, line } = self;
        let value = made(value);
        Given { value, key, line }
    }
}

/// What was found to be wrong so far with the file whose text this is.
#[derive(Debug)]
pub(crate) struct Problems<'t> {
    pub(super) text: &'t str,
    found: RefCell<Vec<FileProblem>>,
}

impl<'t> Problems<'t> {
    /// Nothing yet.
    pub(crate) fn with(text: &'t str) -> Self {
        let found = RefCell::default();
        Self { text, found }
    }

    /// Something is wrong with a value.
    pub(crate) fn at<T>(&self, given: &Given<T>, problem: impl fmt::Display) {
        self.note(given.line, given.key.clone(), problem);
    }

    /// Something is wrong with a key that has no line.
    pub(crate) fn about(&self, key: impl Into<String>, problem: impl fmt::Display) {
        self.note(None, key.into(), problem);
    }

    pub(super) fn note(&self, line: Option<usize>, key: String, problem: impl fmt::Display) {
        let problem = problem.to_string();
        self.found
            .borrow_mut()
            .push(FileProblem { line, key, problem });
    }

    /// The line of a place in the text.
    pub(super) fn line(&self, place: usize) -> usize {
        let before = self.text.as_bytes().iter().take(place);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    /// How many things were found.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// What was read, if nothing was found to be wrong. To be called with nothing only if something
    /// was.
    pub(crate) fn result<T>(self, path: &Path, read: Option<T>) -> Result<T, FileProblems> {
        let mut problems = self.found.into_inner();
        problems.sort_by_key(|problem| problem.line);
        match read {
            Some(read) if problems.is_empty() => Ok(read),
            _ => Err(FileProblems {
                path: path.into(),
                problems,
            }),
        }
    }
}
