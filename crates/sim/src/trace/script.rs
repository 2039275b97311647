//! A trace to be read from top to bottom and to be compared: what was asked and done, in that
//! order, and under each request what became of it.
//!
//! It does not depend on how long messages take, as long as that does not change who comes first:
//! lines of one attempt are sorted by what they are and by group, and what was at once at several
//! groups is one line.

use super::text::{self, Names};
use super::{Happening, Line, Trace};
use ssmr_core::{Command, CommandId, GroupId, Signal, Timestamp};
use std::collections::BTreeMap;

/// What became of one attempt.
#[derive(Default)]
struct Attempt {
    delivered: BTreeMap<Timestamp, Vec<GroupId>>,
    expired: Vec<GroupId>,
    signals: BTreeMap<(GroupId, GroupId), Signal>,
    verdicts: BTreeMap<GroupId, String>,
    published: Vec<String>,
    answers: Vec<String>,
}

impl Attempt {
    fn new<'a>(lines: impl Iterator<Item = &'a Line>, names: &Names) -> Self {
        let mut attempt = Self::default();
        for line in lines {
            attempt.add(&line.what, names);
        }
        attempt
    }

    fn add(&mut self, what: &Happening, names: &Names) {
        match what {
            Happening::Delivered {
                at,
                timestamp,
                expired,
            } => {
                self.delivered.entry(*timestamp).or_default().push(*at);
                self.expired.extend(expired.then_some(*at));
            }
            Happening::Signalled { from, to, signal } => {
                self.signals.insert((*from, *to), signal.clone());
            }
            Happening::Concluded {
                at,
                verdict,
                effects,
                against,
            } => {
                let text = names.verdict(*verdict, effects, *against);
                self.verdicts.insert(*at, text);
            }
            Happening::Answered { at, hints, .. } => {
                let mut text = format!("{at} answers");
                if !hints.is_empty() {
                    text += &format!("; {}", names.hints(hints));
                }
                self.answers.push(text);
            }
            Happening::Published { at, hint } => {
                let text = format!("{at} -> cache: {}", names.hints(&[*hint]));
                self.published.push(text);
            }
            _ => {}
        }
    }

    fn write(mut self, names: &Names) -> Vec<String> {
        let mut lines = Vec::new();
        for (timestamp, groups) in &mut self.delivered {
            groups.sort_unstable();
            let by = text::groups(groups.iter().copied());
            lines.push(format!("delivered at {timestamp:?} by {by}"));
        }
        if !self.expired.is_empty() {
            let by = text::groups(self.expired);
            lines.push(format!("its session has expired at {by}"));
        }
        let signals = self
            .signals
            .into_iter()
            .map(|((from, to), signal)| ((from, names.signal(&signal)), to));
        for ((from, says), to) in gathered(signals) {
            lines.push(format!("{from} -> {}: {says}", text::groups(to)));
        }
        let verdicts = self.verdicts.into_iter().map(|(at, text)| (text, at));
        for (verdict, at) in gathered(verdicts) {
            lines.push(format!("{}: {verdict}", text::groups(at)));
        }
        lines.append(&mut self.published);
        lines.append(&mut self.answers);
        lines
    }
}

/// Puts groups of which the same is said together, in the order in which they come first.
fn gathered<K: PartialEq>(pairs: impl Iterator<Item = (K, GroupId)>) -> Vec<(K, Vec<GroupId>)> {
    let mut all: Vec<(K, Vec<GroupId>)> = Vec::new();
    for (key, group) in pairs {
        match all.iter_mut().find(|(other, _)| *other == key) {
            Some((_, groups)) => groups.push(group),
            None => all.push((key, vec![group])),
        }
    }
    all
}

impl Trace {
    /// What was asked and noted, with what became of it.
    pub(crate) fn script(&self) -> String {
        let shown = || self.lines.iter().filter(|line| self.shows(line));
        let mut names = Names::default();
        for asked in &self.requests {
            names.add(asked.request.objects());
        }
        let mut numbers = BTreeMap::new();
        for number in shown().filter_map(|line| line.request) {
            if !numbers.contains_key(&number) {
                numbers.insert(number, numbers.len() + 1);
            }
        }
        let mut of_request: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
        shown().for_each(|line| {
            if let Some(number) = line.request {
                of_request.entry(number).or_default().push(line);
            }
        });
        let mut text = String::new();
        let mut labels = BTreeMap::new();
        for line in shown() {
            match (&line.what, line.request) {
                (Happening::Hinted(who, hints), _) => {
                    text += &format!("-- {who} told: {}\n", names.hints(hints));
                }
                (Happening::Note(note), _) => text += &format!("-- {note}\n"),
                (Happening::Asked, Some(number)) => {
                    let label = numbers[&number].to_string();
                    text += &self.scene(number, &label, &of_request[&number], &names, &mut labels);
                }
                _ => {}
            }
        }
        text + &self.orders(&labels)
    }

    fn shows(&self, line: &Line) -> bool {
        let is_lookup = matches!(
            line.what,
            Happening::LookedUp(..) | Happening::Advised(..) | Happening::Published { .. }
        );
        let belongs = line
            .request
            .is_none_or(|number| self.requests[number].shown);
        belongs && (self.shows_lookups || !is_lookup)
    }

    /// A request, its attempts and its end.
    fn scene(
        &self,
        number: usize,
        label: &str,
        lines: &[&Line],
        names: &Names,
        labels: &mut BTreeMap<CommandId, String>,
    ) -> String {
        let asked = &self.requests[number];
        let mut text = format!(
            "#{label} {:?}: {}\n",
            asked.client,
            names.request(&asked.request)
        );
        // What is told at the same time comes in any order.
        let mut advice = Vec::new();
        for line in lines {
            match &line.what {
                Happening::Queried(at) => text += &format!("  #{label} to {at}, unordered\n"),
                Happening::LookedUp(client, adviser, objects) => {
                    text += &format!("  {}\n", names.lookup(*client, *adviser, objects));
                }
                Happening::Advised(client, adviser, hints) => {
                    advice.push(format!("  {}\n", names.advice(*client, *adviser, hints)));
                }
                _ => {}
            }
        }
        advice.sort_unstable();
        text += &advice.concat();
        let attempts = lines.iter().filter_map(|line| match &line.what {
            Happening::Sent(command) => Some(command),
            _ => None,
        });
        for (command, place) in attempts.zip(1..) {
            let own = if place == 1 {
                format!("#{label}")
            } else {
                format!("#{label}.{place}")
            };
            text += &format!("  {own}{}\n", purpose(command, asked, names));
            labels.insert(command.id, own);
            let own = lines.iter().filter(|line| line.id == Some(command.id));
            for line in Attempt::new(own.copied(), names).write(names) {
                text += &format!("    {line}\n");
            }
        }
        let told = lines.iter().find_map(|line| match &line.what {
            Happening::Told(completion) => Some(text::ending(completion)),
            _ => None,
        });
        text + &format!("  {}\n", told.as_deref().unwrap_or("unanswered"))
    }

    /// In which order each group delivered what is shown.
    fn orders(&self, labels: &BTreeMap<CommandId, String>) -> String {
        let mut orders: BTreeMap<GroupId, String> = BTreeMap::new();
        for line in &self.lines {
            if let Happening::Delivered { at, .. } = line.what
                && let Some(label) = line.id.and_then(|id| labels.get(&id))
            {
                let order = orders.entry(at).or_default();
                order.push(' ');
                order.push_str(label);
            }
        }
        let lines = orders
            .iter()
            .map(|(group, order)| format!("{group} delivers{order}\n"));
        lines.collect()
    }
}

/// Where an attempt goes, and what it does if that is not what was asked for.
fn purpose(command: &Command, asked: &super::Asked, names: &Names) -> String {
    let to = text::groups(command.destinations.iter());
    if command.request == asked.request {
        format!(" to {to}")
    } else {
        format!(" {}; to {to}", names.request(&command.request))
    }
}
