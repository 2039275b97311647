//! Workloads `ycsb-a` to `ycsb-f`: the core workloads of the Yahoo! Cloud Serving Benchmark (Cooper
//! et al., Benchmarking Cloud Serving Systems with YCSB, SoCC 2010, and the files that came with
//! it).
//!
//! Records have ten fields of 100 bytes; an update writes one of them. Records are chosen by a Zipf
//! distribution of exponent 0.99 over ranks, which a hash spreads over the keys; in D the newest
//! are the most popular. What inserts there creates objects here. Differences: a scan (E) is one
//! atomic read of consecutive keys among those loaded, for there is no order of keys to walk along;
//! and in D a client cannot see the newest key of another one, so it reckons with its own progress,
//! and now and then reads what is not there yet (`NotFound`). `--popularity` and `--value-size`
//! (that of a field) make variants of them.

pub(crate) mod flags;
mod service;
pub(crate) mod settings;
mod steps;
mod workload;
