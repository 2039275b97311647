//! Whether names and flags that were registered can be told apart.

use crate::error::RegistrationError;
use clap::Command;
use std::collections::BTreeSet;

/// The word for all strategies.
pub(crate) const ALL: &str = "all";

/// Checks the names of strategies or workloads.
///
/// # Errors
/// If there is none, or one is empty, bad, reserved or there twice.
pub(crate) fn names(what: &'static str, names: &[&'static str]) -> Result<(), RegistrationError> {
    if names.is_empty() {
        return Err(RegistrationError::Nothing { what });
    }
    let mut known = BTreeSet::new();
    for name in names.iter().copied() {
        if !is_name(name) {
            return Err(RegistrationError::BadName { what, name });
        }
        if name == ALL {
            return Err(RegistrationError::Reserved { what, name });
        }
        if !known.insert(name) {
            let name = name.into();
            return Err(RegistrationError::Twice { what, name });
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain)
}

/// Checks that no two flags of a command have the same name: those of workloads stand beside each
/// other and beside the harness's own.
///
/// # Errors
/// If two have.
pub(crate) fn flags(command: &Command) -> Result<(), RegistrationError> {
    let mut ids = BTreeSet::new();
    let mut flags = BTreeSet::new();
    let twice = |what, name: &str| {
        let name = name.into();
        RegistrationError::Twice { what, name }
    };
    for group in command.get_groups() {
        if !ids.insert(group.get_id().as_str()) {
            return Err(twice("struct of flags", group.get_id().as_str()));
        }
    }
    for flag in command.get_arguments() {
        if !ids.insert(flag.get_id().as_str()) {
            return Err(twice("flag", flag.get_id().as_str()));
        }
        if flag.get_long().is_some_and(|long| !flags.insert(long)) {
            return Err(twice("flag", flag.get_long().unwrap_or_default()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgGroup};

    #[test]
    fn names_are_there_unique_and_fit_for_files() {
        assert_eq!(names("strategy", &["static", "ring_2", "a-b"]), Ok(()));
        let problem = |list: &[&'static str]| names("strategy", list).unwrap_err().to_string();
        assert_eq!(problem(&[]), "no strategy is registered");
        let twice = "two of the registered strategy names are ring";
        assert_eq!(problem(&["ring", "static", "ring"]), twice);
        for bad in ["", "a,b", "../x", "-x", "a b"] {
            let told = problem(&[bad]);
            assert!(told.contains("must consist of letters"), "{bad}: {told}");
        }
        assert!(problem(&["all"]).contains("the word means all of them"));
    }

    #[test]
    fn flags_are_unique() {
        let flag = |id: &'static str, long: &'static str| Arg::new(id).long(long);
        let command = Command::new("run").arg(flag("a", "a")).arg(flag("b", "b"));
        assert_eq!(flags(&command), Ok(()));
        let again = command.clone().arg(flag("c", "a"));
        let told = flags(&again).unwrap_err().to_string();
        assert_eq!(told, "two of the registered flag names are a");
        assert!(flags(&command.clone().arg(flag("a", "z"))).is_err());
        let groups = command.group(ArgGroup::new("g")).group(ArgGroup::new("a"));
        assert!(flags(&groups).is_err());
    }
}
