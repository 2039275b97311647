//! Examples of commands, as far as they fit what a program has registered.

use crate::program;
use crate::registry::check::ALL;

/// The names and flags that an example may use.
pub(super) struct Vocabulary<'a> {
    /// Of the registered strategies.
    pub(super) strategies: &'a [&'static str],
    /// Of the registered workloads.
    pub(super) workloads: &'a [&'static str],
}

impl Vocabulary<'_> {
    /// The examples that fit, with the program's name: each is a line that says what it is for,
    /// and a line with the command. What a user's program does not have is in none of them.
    pub(super) fn fitting(&self, examples: &str, command: &clap::Command) -> String {
        let lines: Vec<&str> = examples.lines().collect();
        let fitting = lines
            .chunks(2)
            .filter(|example| self.fits(example, command));
        let indented = |example: &[&str]| {
            let lines = example.iter().zip(["  ", "    "]);
            lines
                .map(|(line, indent)| format!("\n{indent}{}", line.trim_start()))
                .collect()
        };
        let fitting: Vec<String> = fitting.map(indented).collect();
        if fitting.is_empty() {
            return String::new();
        }
        program::named(&format!("Examples:{}", fitting.concat()))
    }

    fn fits(&self, example: &[&str], command: &clap::Command) -> bool {
        let words: Vec<&str> = example.iter().flat_map(|line| line.split(' ')).collect();
        let has_flag = |flag: &str| {
            command
                .get_arguments()
                .any(|arg| arg.get_long() == Some(flag))
        };
        let mut flags = words.iter().filter_map(|word| word.strip_prefix("--"));
        let known = |names: &[&str], named: &str| {
            named
                .split(',')
                .all(|name| name == ALL || names.contains(&name))
        };
        flags.all(has_flag)
            && words.windows(2).all(|pair| match pair {
                ["--strategy", named] => known(self.strategies, named),
                ["--workload", named] => known(self.workloads, named),
                _ => true,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    #[test]
    fn examples_name_only_what_is_there() {
        let flag = |name: &'static str| Arg::new(name).long(name);
        let command = Command::new("run").args(["strategy", "workload", "keys"].map(flag));
        let vocabulary = Vocabulary {
            strategies: &["ring"],
            workloads: &["kv"],
        };
        let fits = |text: &str| {
            let example = format!("  What it is for:\n    PROGRAM run {text}");
            let told = vocabulary.fitting(&example, &command);
            assert!(
                told.is_empty() || told.ends_with(&format!(" run {text}")),
                "{told}"
            );
            !told.is_empty()
        };
        assert!(fits("--strategy all --workload kv --keys 5"));
        assert!(fits("--strategy ring"));
        assert!(!fits("--strategy ring,static"));
        assert!(!fits("--strategy ring --workload chirper"));
        assert!(!fits("--strategy ring --graph file"));
    }
}
