//! Golden traces: what each scenario looks like under each strategy, kept as files that people
//! read.
//!
//! They lie in `tests/golden/<scenario>.txt` of each strategy's crate, under the same names, so
//! that the same script under two strategies is `diff -y
//! crates/strategy-{broker,global}/tests/golden/read_before_create.txt`. A test that finds
//! something else fails; with `SSMR_BLESS=1` in its environment it writes the file anew, and `git
//! diff` shows what changed.
//!
//! How to read one: `--` is what the scenario does to the world; `#3 c1: ...` is its third request,
//! of client 1; `#3` and `#3.2` are its attempts with their destinations, and `#3` bare is the
//! first. Below stand the final timestamp, what each group signals (an object's revision is the
//! timestamp of its placement and the number of writes since; a value is the number of writes and
//! the end of a hash over them), the groups' verdicts with what they changed, who answers, and how
//! the request ended. The last lines are the orders in which the groups delivered.

use std::env;
use std::fs;
use std::path::Path;

/// Set to anything, it has the files written anew.
const BLESS: &str = "SSMR_BLESS";

/// Compares a scenario's trace with the file in this folder.
///
/// # Panics
/// With the first line that differs, and with those around it.
pub fn compare(folder: &Path, scenario: &str, trace: &str) {
    let file = folder.join(format!("{scenario}.txt"));
    if env::var_os(BLESS).is_some() {
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, trace));
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        return;
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    if golden != trace {
        let difference = difference(&golden, trace);
        panic!(
            "{} differs:\n{difference}\nif this is meant, run the test with {BLESS}=1 and look at \
             `git diff`",
            file.display()
        );
    }
}

/// The first line that differs, in both, after those that lead to it.
fn difference(golden: &str, trace: &str) -> String {
    const BEFORE: usize = 8;
    let same = golden.lines().zip(trace.lines());
    let place = same.take_while(|(old, new)| old == new).count();
    let line = |text: &str, sign| {
        let line = text.lines().nth(place).unwrap_or("(the end)");
        format!("{sign} {line}\n")
    };
    let before = golden.lines().take(place);
    let before = before.skip(place.saturating_sub(BEFORE));
    let before: String = before.map(|line| format!("  {line}\n")).collect();
    format!(
        "line {}\n{before}{}{}",
        place + 1,
        line(golden, '-'),
        line(trace, '+')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_what_leads_to_it() {
        let told = difference("a\nb\nc\n", "a\nb\nd\n");
        assert_eq!(told, "line 3\n  a\n  b\n- c\n+ d\n");
        assert_eq!(difference("a\n", ""), "line 1\n- a\n+ (the end)\n");
    }
}
