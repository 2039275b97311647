//! Traces: recorded, made of git histories, replayed under each strategy.

mod documented;
mod from_git;
mod recorded;
mod replayed;
mod repository;
mod runner;
