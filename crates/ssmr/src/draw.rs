//! Where randomness comes from: the operating system. The state machines below get numbers as
//! arguments.

/// A random number.
///
/// # Errors
/// If the operating system has none to give.
pub(crate) fn number() -> Result<u64, String> {
    getrandom::u64().map_err(|error| error.to_string())
}
