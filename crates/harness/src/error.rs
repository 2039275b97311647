//! What ends a command before it has done anything: a bad command line, file or registration.

use std::borrow::Cow;

/// Something that the user asked for and cannot have. Exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{flag}: {problem}")]
pub struct UsageError {
    /// The flag or file to look at.
    flag: Cow<'static, str>,
    /// What is wrong with its value.
    problem: String,
}

impl UsageError {
    /// What is wrong, without the flag, for whoever names another one.
    pub(crate) fn into_problem(self) -> String {
        self.problem
    }

    /// The value of a flag is bad, or a file's content.
    pub fn new(flag: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self {
            flag: flag.into(),
            problem: problem.into(),
        }
    }
}

/// What is wrong with what a program has registered: the programmer's mistake, told at each start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// There is nothing to choose from.
    #[error("no {what} is registered")]
    Nothing {
        /// Of which kind.
        what: &'static str,
    },
    /// A name is also part of file names and of lists on the command line.
    #[error(
        "the name {name:?} of a {what} is of no use: it must consist of letters, digits, - and _, \
         and begin with a letter"
    )]
    BadName {
        /// Of which kind.
        what: &'static str,
        /// The name.
        name: &'static str,
    },
    /// The word has a meaning of its own on the command line.
    #[error("a {what} cannot be called {name}: the word means all of them")]
    Reserved {
        /// Of which kind.
        what: &'static str,
        /// The name.
        name: &'static str,
    },
    /// A name would not say which one is meant.
    #[error("two of the registered {what} names are {name}")]
    Twice {
        /// Of which kind.
        what: &'static str,
        /// The name.
        name: String,
    },
}
