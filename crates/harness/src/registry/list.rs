//! Lists of types: the end, and one more behind what was there before.

/// Nothing is registered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

/// What was registered before, and one more.
#[derive(Clone, Debug, Default)]
pub struct With<Rest, Last> {
    /// What was registered before.
    pub(crate) rest: Rest,
    /// The one that came last.
    pub(crate) last: Last,
}
