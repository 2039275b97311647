//! Direct tests of the engines: whole replicas and clients on an order without replication.
//!
//! [`cluster::Cluster`] joins a replica of each group and clients by one sequencer
//! (`ssmr_multicast::IdealMulticast`). Nothing waits for a clock: a test says which group goes on
//! and which does not, and every test takes milliseconds.
//!
//! | file | what it shows |
//! | --- | --- |
//! | `verdicts` | which verdict follows from what each destination holds and knows: a table |
//! | `rules` | R1 to R7, each by tests that begin with its name and fail under its mutants |
//! | `queues.rs` | who waits for whom |
//! | `sessions.rs` | recorded answers: repeated, forgotten, expired; what is refused |
//! | `signals.rs` | what destinations tell each other, and when a signal takes effect |
//! | `hints.rs` | who is told where an object has gone; what only a leader does |
//! | `schedules.rs` | the same answers and states however the groups take turns |
//! | `clients.rs`, `attempts.rs` | a client with a cluster, and one whose answers are made up |

mod attempts;
mod clients;
mod cluster;
mod hints;
mod lone_client;
mod probe;
mod queues;
mod rules;
mod schedules;
mod script;
mod service;
mod sessions;
mod signals;
mod strategy;
mod verdicts;
