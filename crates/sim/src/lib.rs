//! To come.
pub mod check;
pub mod history;
