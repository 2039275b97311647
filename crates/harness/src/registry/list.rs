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

impl Empty {
    /// One behind nothing.
    pub(crate) fn and<T>(self, last: T) -> With<Self, T> {
        With { rest: self, last }
    }
}

impl<Rest, Last> With<Rest, Last> {
    /// One more.
    pub(crate) fn and<T>(self, last: T) -> With<Self, T> {
        With { rest: self, last }
    }
}
