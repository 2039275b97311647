//! Golden traces: what each scenario looks like under each strategy, kept as files that people
//! read.
//!
//! They lie in `tests/golden/<scenario>.txt` of each strategy's crate, under the same names, so
//! that the same script under two strategies is
//! `diff -y crates/strategy-{broker,global}/tests/golden/read_before_create.txt`. A test that finds
//! something else fails; with `SSMR_BLESS=1` in its environment it writes the file anew, and
//! `git diff` shows what changed.
//!
//! A strategy that is new has no files. The first run of its tests writes them all, says so and
//! passes: whoever wrote the strategy reads and commits them. A file that is missing beside others
//! is written, too, but its test fails; so does every missing file where `CI` is in the
//! environment, for there nobody reads or commits.
//!
//! How to read one: `--` is what the scenario does to the world; `#3 c1: ...` is its third request,
//! of client 1; `#3` and `#3.2` are its attempts with their destinations, and `#3` bare is the
//! first. Below stand the final timestamp, what each group signals (an object's revision is the
//! timestamp of its placement and the number of writes since; a value is the number of writes and
//! the end of a hash over them), the groups' verdicts with what they changed, who answers, and how
//! the request ended. The last lines are the orders in which the groups delivered.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{ErrorKind, Write, stderr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Set to anything, it has the files written anew.
const BLESS: &str = "SSMR_BLESS";

/// Set wherever nobody commits what a test writes.
const CI: &str = "CI";

/// What is done about a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    /// It must be the one in the file.
    Compare,
    /// The file is written, and all is well.
    Write,
    /// The file is written, but the test fails.
    WriteAndFail,
    /// The test fails.
    Fail,
}

/// What surrounds a test that compares a trace.
#[derive(Clone, Copy, Debug)]
struct Circumstances {
    /// The user wants the files written anew.
    bless: bool,
    /// The scenario has its file.
    is_there: bool,
    /// Nobody commits what is written.
    ci: bool,
    /// The folder was empty or not there when the first test of this process looked at it.
    first_run: bool,
}

impl Circumstances {
    fn treatment(self) -> Treatment {
        if self.bless {
            Treatment::Write
        } else if self.is_there {
            Treatment::Compare
        } else if self.ci {
            Treatment::Fail
        } else if self.first_run {
            Treatment::Write
        } else {
            Treatment::WriteAndFail
        }
    }
}

/// Compares a scenario's trace with the file in this folder.
///
/// # Panics
/// With the first line that differs, and with those around it; or if the file is missing although
/// the folder has others.
pub fn compare(folder: &Path, scenario: &str, trace: &str) {
    let first_run = is_first_run(folder);
    let file = folder.join(format!("{scenario}.txt"));
    let golden = match fs::read_to_string(&file) {
        Ok(golden) => Some(golden),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", file.display()),
    };
    let circumstances = Circumstances {
        bless: env::var_os(BLESS).is_some(),
        is_there: golden.is_some(),
        ci: env::var_os(CI).is_some(),
        first_run,
    };
    let name = file.display();
    match circumstances.treatment() {
        Treatment::Write => write(&file, trace),
        Treatment::WriteAndFail => {
            write(&file, trace);
            panic!("{name} was missing: it is written now; read it, and commit it with the others");
        }
        Treatment::Fail => panic!("{name} is missing: run the test without {CI}, and commit it"),
        Treatment::Compare => {
            let golden = golden.unwrap_or_default();
            assert!(
                golden == trace,
                "{name} differs:\n{}\nif this is meant, run the test with {BLESS}=1 and look at \
                 `git diff`",
                difference(&golden, trace)
            );
        }
    }
}

fn write(file: &Path, trace: &str) {
    let folder = file.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(file, trace));
    written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// Whether a folder had no file when this process looked first. Says so, once.
fn is_first_run(folder: &Path) -> bool {
    static FOLDERS: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    *folders.entry(folder.into()).or_insert_with(|| {
        let is_empty = fs::read_dir(folder).map_or(true, |mut files| files.next().is_none());
        if is_empty {
            // Written as it is, for a test that passes shows nothing that is printed.
            let _ = writeln!(
                stderr(),
                "there are no golden traces in {} yet: they are written there by each test that \
                 passes; read and commit them",
                folder.display()
            );
        }
        is_empty
    })
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

    #[test]
    fn a_missing_file_is_written_at_the_first_run_and_fails_later() {
        let missing = Circumstances {
            bless: false,
            is_there: false,
            ci: false,
            first_run: true,
        };
        assert_eq!(missing.treatment(), Treatment::Write);
        let later = Circumstances {
            first_run: false,
            ..missing
        };
        assert_eq!(later.treatment(), Treatment::WriteAndFail);
        for first_run in [false, true] {
            let ci = Circumstances {
                ci: true,
                first_run,
                ..missing
            };
            assert_eq!(ci.treatment(), Treatment::Fail);
            let there = Circumstances {
                is_there: true,
                first_run,
                ..missing
            };
            assert_eq!(there.treatment(), Treatment::Compare);
            let bless = Circumstances {
                bless: true,
                ..there
            };
            assert_eq!(bless.treatment(), Treatment::Write);
        }
    }
}
