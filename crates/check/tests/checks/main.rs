//! Tests of both checks: good histories pass, every kind of bad one is found by the right check,
//! and the two agree with each other and with brute force on random ones.

mod exported;
mod faults;
mod history_builder;
mod observed;
mod random;
mod sound;
mod stale;
