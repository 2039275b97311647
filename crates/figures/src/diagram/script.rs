//! Reads a golden trace: who says what to whom, in order.
//!
//! `crates/sim/src/conformance/golden.rs` says how such a file is read. Revisions and values are
//! left out: they say nothing about who talks to whom.

/// What a message is about: each kind has its own line in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A client asks where something is, and is told.
    Lookup,
    /// A client hands a command in.
    Submit,
    /// A group tells its timestamp.
    Timestamp,
    /// A group tells what it has.
    Signal,
    /// A group tells the cache where something is.
    Publish,
    /// A group answers.
    Answer,
}

/// Something that happens, by names of lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Somebody tells others something.
    Message {
        kind: Kind,
        from: String,
        to: Vec<String>,
        text: String,
    },
    /// Something becomes of a command at some groups, or of a request at its client: a line each.
    Note { at: Vec<String>, text: Vec<String> },
}

/// One request and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scene {
    /// What is asked for.
    pub(super) request: String,
    pub(super) steps: Vec<Step>,
}

/// The name of the client's lane.
pub(super) const CLIENT: &str = "client";

/// The requests of a trace.
pub(super) fn scenes(trace: &str) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = Vec::new();
    for line in trace.lines() {
        let begins = line
            .strip_prefix('#')
            .and_then(|rest| rest.split_once(": "));
        match (begins, scenes.last_mut()) {
            (Some((_, request)), _) => scenes.push(Scene {
                request: plain(request, false),
                steps: Vec::new(),
            }),
            (None, Some(scene)) if line.starts_with("  ") => scene.read(line),
            _ => {}
        }
    }
    scenes
}

/// Who takes part in a trace, in the order of the lanes.
pub(super) fn lanes(trace: &str) -> Vec<String> {
    let mut lanes: Vec<String> = vec![CLIENT.into()];
    for scene in scenes(trace) {
        for step in scene.steps {
            match step {
                Step::Message { from, to, .. } => lanes.extend(to.into_iter().chain([from])),
                Step::Note { at, .. } => lanes.extend(at),
            }
        }
    }
    let rank = |name: &String| match &name[..] {
        CLIENT => (0, String::new()),
        "oracle" => (2, String::new()),
        "cache" => (3, String::new()),
        partition => (1, partition.to_owned()),
    };
    lanes.sort_by_key(rank);
    lanes.dedup();
    lanes
}

impl Scene {
    fn read(&mut self, line: &str) {
        let is_of_attempt = line.starts_with("    ");
        let line = line.trim_start();
        match is_of_attempt {
            true => self.of_attempt(line),
            false => self.of_request(line),
        }
    }

    /// A look-up, an attempt, or the end.
    fn of_request(&mut self, line: &str) {
        let asks = line.split_once(" asks ").and_then(|(_, rest)| {
            let (adviser, objects) = rest.split_once(" where ")?;
            let objects = objects.trim_end_matches(" is");
            Some((adviser, format!("where is {objects}?")))
        });
        let tells = line.split_once(" tells ").and_then(|(adviser, rest)| {
            let (_, told) = rest.split_once(": ")?;
            Some((adviser, told.to_owned()))
        });
        let attempt = line.strip_prefix('#').and_then(|rest| {
            let (rest, to) = rest.rsplit_once("to ")?;
            let (_, purpose) = rest.split_once(' ')?;
            Some((purpose.trim_end_matches("; ").to_owned(), to))
        });
        if let Some((adviser, text)) = asks {
            self.message(Kind::Lookup, CLIENT, &[adviser], text);
        } else if let Some((adviser, text)) = tells {
            self.message(Kind::Lookup, adviser, &[CLIENT], text);
        } else if let Some((purpose, to)) = attempt {
            let what = if purpose.is_empty() {
                self.request.clone()
            } else {
                plain(&purpose, false)
            };
            let to: Vec<&str> = to.split(", ").collect();
            self.message(Kind::Submit, CLIENT, &to, what);
        } else {
            let end = line.split([':', ';']).next().unwrap_or(line);
            self.note(&[CLIENT], vec![end.into()]);
        }
    }

    /// What groups do about an attempt.
    fn of_attempt(&mut self, line: &str) {
        let delivered = line.strip_prefix("delivered at ");
        if let Some((timestamp, by)) = delivered.and_then(|rest| rest.split_once(" by ")) {
            let groups: Vec<&str> = by.split(", ").collect();
            for from in &groups {
                let others: Vec<&str> = groups.iter().copied().filter(|g| g != from).collect();
                if !others.is_empty() {
                    self.message(Kind::Timestamp, from, &others, "timestamp".into());
                }
            }
            self.note(&groups, vec!["deliver".into(), timestamp.into()]);
        } else if let Some((from, rest)) = line.split_once(" -> ") {
            let (to, says) = rest.split_once(": ").unwrap_or((rest, ""));
            let to: Vec<&str> = to.split(", ").collect();
            let kind = if to == ["cache"] {
                Kind::Publish
            } else {
                Kind::Signal
            };
            self.message(kind, from, &to, plain(says, true));
        } else if let Some((from, _)) = line.split_once(" answers") {
            self.message(Kind::Answer, from, &[CLIENT], "answer".into());
        } else if let Some((groups, verdict)) = line.split_once(": ") {
            let groups: Vec<&str> = groups.split(", ").collect();
            let (verdict, effects) = verdict.split_once("; ").unwrap_or((verdict, ""));
            let mut text = vec![verdict.to_owned()];
            text.extend(effects_of(effects));
            self.note(&groups, text);
        }
    }

    fn message(&mut self, kind: Kind, from: &str, to: &[&str], text: String) {
        self.steps.push(Step::Message {
            kind,
            from: from.into(),
            to: to.iter().map(|name| (*name).to_owned()).collect(),
            text,
        });
    }

    fn note(&mut self, at: &[&str], text: Vec<String>) {
        let at = at.iter().map(|name| (*name).to_owned()).collect();
        self.steps.push(Step::Note { at, text });
    }
}

/// A list without marks, revisions and values; whether a value goes along with a signal is said.
fn plain(list: &str, is_signal: bool) -> String {
    let told = list.split(", ").filter(|item| !item.starts_with("mark "));
    let told = told.map(|item| {
        let has_value = item.contains(" = ");
        let words = item.split(' ').filter(|word| !is_detail(word));
        let words: Vec<&str> = words.collect();
        let value = if is_signal && has_value {
            " and its value"
        } else {
            ""
        };
        format!("{}{value}", words.join(" "))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// What objects become: `x created at p1`, `x written`.
fn effects_of(effects: &str) -> Vec<String> {
    let items = effects.split(", ").filter(|item| !item.is_empty());
    // A revision stands behind its object, as an item of its own.
    let items = items.filter(|item| !is_detail(item));
    let told = items.map(|item| match item.split_once(" = ") {
        Some((object, _)) => format!("{object} written"),
        None => item.to_owned(),
    });
    told.collect()
}

/// A revision such as `1@p1v0`, a value such as `0:7`, or the sign before it.
fn is_detail(word: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let behind = |sign| {
        word.split_once(sign)
            .is_some_and(|(number, _)| is_number(number))
    };
    word == "=" || behind('@') || behind(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
#1 c1: create x = 0:7 at p1
  c1 asks cache where x is
  cache tells c1: not known
  #1 to p0, p1
    delivered at 2@p1 by p0, p1
    p0 -> p1: has x 1@p0v1 = 0:7
    p1 -> p0: lacks all
    p0, p1: Done; x created at p1, 2@p1v0, y = 1:e000
    p1 -> cache: x is at p1
    p0 answers; x is at p1
  #1.2 move x to p1; to p0
  Done: 0:7; consultation: 1
p0 delivers #1
";

    fn message(kind: Kind, from: &str, to: &[&str], text: &str) -> Step {
        Step::Message {
            kind,
            from: from.into(),
            to: to.iter().map(|name| (*name).to_owned()).collect(),
            text: text.into(),
        }
    }

    fn note(at: &[&str], text: &[&str]) -> Step {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Step::Note {
            at: owned(at),
            text: owned(text),
        }
    }

    #[test]
    fn a_trace_is_read_line_by_line() {
        let [scene] = &scenes(TRACE)[..] else {
            panic!("there is one request")
        };
        assert_eq!(scene.request, "create x at p1");
        let both = ["p0", "p1"];
        let expected = [
            message(Kind::Lookup, CLIENT, &["cache"], "where is x?"),
            message(Kind::Lookup, "cache", &[CLIENT], "not known"),
            message(Kind::Submit, CLIENT, &both, "create x at p1"),
            message(Kind::Timestamp, "p0", &["p1"], "timestamp"),
            message(Kind::Timestamp, "p1", &["p0"], "timestamp"),
            note(&both, &["deliver", "2@p1"]),
            message(Kind::Signal, "p0", &["p1"], "has x and its value"),
            message(Kind::Signal, "p1", &["p0"], "lacks all"),
            note(&both, &["Done", "x created at p1", "y written"]),
            message(Kind::Publish, "p1", &["cache"], "x is at p1"),
            message(Kind::Answer, "p0", &[CLIENT], "answer"),
            message(Kind::Submit, CLIENT, &["p0"], "move x to p1"),
            note(&[CLIENT], &["Done"]),
        ];
        assert_eq!(scene.steps, expected);
        assert_eq!(lanes(TRACE), [CLIENT, "p0", "p1", "cache"]);
    }
}
