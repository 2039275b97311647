//! The harness with what is built in. See [`harness::Harness`] for a program of one's own.

use harness::Harness;
use std::process::ExitCode;

fn main() -> ExitCode {
    Harness::new().main()
}
