//! Events of the Trace Event Format, as `chrome://tracing` and Perfetto read them: times in
//! microseconds of virtual time.

use serde::Serialize;
use std::collections::BTreeMap;

/// Where an event is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) pid: u64,
    pub(super) tid: u64,
}

/// One event.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    name: String,
    cat: &'static str,
    ph: char,
    ts: u64,
    pid: u64,
    tid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    /// Of an instant: how wide it is drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<char>,
    /// Of an arrow: both its ends have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    /// Of an arrow's head: it points at the span around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<char>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<&'static str, String>,
}

impl Event {
    fn new(ph: char, cat: &'static str, name: impl Into<String>, ts: u64, at: Place) -> Self {
        Self {
            name: name.into(),
            cat,
            ph,
            ts,
            pid: at.pid,
            tid: at.tid,
            dur: None,
            s: None,
            id: None,
            bp: None,
            args: BTreeMap::new(),
        }
    }

    /// Something that takes from `begin` to `end`.
    pub(super) fn span(
        cat: &'static str,
        name: impl Into<String>,
        at: Place,
        begin: u64,
        end: u64,
    ) -> Self {
        let dur = Some(end - begin);
        Self {
            dur,
            ..Self::new('X', cat, name, begin, at)
        }
    }

    /// Something that happens at one moment, drawn on its own line.
    pub(super) fn instant(cat: &'static str, name: impl Into<String>, at: Place, ts: u64) -> Self {
        Self {
            s: Some('t'),
            ..Self::new('i', cat, name, ts, at)
        }
    }

    /// The same, drawn over all lines.
    pub(super) fn instant_of_all(
        cat: &'static str,
        name: impl Into<String>,
        at: Place,
        ts: u64,
    ) -> Self {
        Self {
            s: Some('g'),
            ..Self::instant(cat, name, at, ts)
        }
    }

    /// An arrow from one span to another one.
    pub(super) fn arrow(name: &str, id: u64, from: (Place, u64), to: (Place, u64)) -> [Self; 2] {
        let end = |ph, (at, ts): (Place, u64), bp| Self {
            id: Some(id),
            bp,
            ..Self::new(ph, "message", name, ts, at)
        };
        [end('s', from, None), end('f', to, Some('e'))]
    }

    /// What a process or line is called: `process_name` or `thread_name`.
    pub(super) fn name(what: &str, at: Place, name: String) -> Self {
        Self::new('M', "__metadata", what, 0, at).with("name", name)
    }

    /// The same with something that is shown when it is selected.
    pub(super) fn with(mut self, what: &'static str, value: impl Into<String>) -> Self {
        self.args.insert(what, value.into());
        self
    }

    /// When it begins.
    pub(super) fn begins(&self) -> u64 {
        self.ts
    }
}
