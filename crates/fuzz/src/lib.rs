//! Fuzz targets: one for each thing that takes bytes or text from outside, and what must be true of
//! it whatever comes.
//!
//! A `Target` is searched by `cargo fuzz` (folder `fuzz`, whose README says how) and replayed by
//! `cargo test` with the inputs of `fuzz/corpus`. Nothing here needs a nightly compiler.
//!
//! | file | whose bytes |
//! | --- | --- |
//! | `messages.rs` | of whoever reaches a port: one message of each kind |
//! | `connection.rs` | the same, as a stream: frames, greetings, the cache's protocol |
//! | `talk.rs` | of clients, fed to replicas that go on serving another client |
//! | `heard.rs` | of replicas and of the shared cache, fed to a client |
//! | `state.rs` | of other replicas, or of a disk: log entries, snapshots, data folders |
//! | `text.rs` | of whoever writes files and command lines |
//!
//! `cluster.rs` is the cluster that is talked to, and `samples.rs` has real encodings.
//!
//! All of it is behind the feature `targets`, which tests and `fuzz` ask for.
#![cfg(feature = "targets")]

mod cluster;
mod connection;
mod heard;
mod messages;
mod samples;
mod service;
mod state;
mod talk;
mod text;

/// Something that takes bytes from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Feeds it. Returns whether the bytes mean something; panics if what must be true is not.
    pub run: fn(&[u8]) -> bool,
    /// Inputs that mean something, with names: real encodings, made anew.
    pub seeds: fn() -> Vec<Seed>,
    /// The most memory that an input of a few KiB may take, in bytes.
    pub memory: usize,
}

/// An input that means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// What is in it: letters, digits, `-`.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Seed {
    fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        Self { name, bytes }
    }
}

/// All targets.
pub const TARGETS: &[Target] = &[
    messages::CLIENT_MESSAGE,
    messages::SERVER_MESSAGE,
    messages::PEER_MESSAGE,
    messages::OPERATOR_MESSAGE,
    connection::CLIENT_FRAMES,
    connection::GREETING,
    connection::CACHE_SERVER,
    connection::CACHE_CLIENT,
    talk::CLIENT_TALK,
    heard::CLIENT_ENGINE,
    state::LOG_ENTRY,
    state::SNAPSHOT,
    state::DATA_FOLDER,
    text::IDENTITY_FILE,
    text::CLUSTER_FILES,
    text::EDGE_LIST,
    text::TRACE,
    text::FAULT_AND_NAMES,
    text::COMMAND_LINE,
    text::RESUME_FILE,
    text::NODE_LINE,
];

/// Feeds the target of this name.
///
/// # Panics
/// If there is none, or if what must be true of it is not.
pub fn run(name: &str, bytes: &[u8]) {
    let mut targets = TARGETS.iter();
    let target = targets.find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no target {name}"));
    (target.run)(bytes);
}
