//! The name of the program: a user's own binary tells the commands that the user can give.

use std::path::Path;

/// The name under which the program was started.
pub(crate) fn name() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&path).file_stem();
    name.map_or_else(|| "harness".into(), |name| name.to_string_lossy().into())
}

/// A text about commands, with the program's name in place of `PROGRAM`.
pub(crate) fn named(text: &str) -> String {
    text.replace("PROGRAM", &name())
}
