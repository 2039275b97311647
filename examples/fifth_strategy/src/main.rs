//! Every command of the harness, with a fifth strategy.

use fifth_strategy::Ring;
use harness::Harness;
use std::process::ExitCode;

fn main() -> ExitCode {
    Harness::new().strategy(Ring).main()
}
