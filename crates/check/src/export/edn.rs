//! Jepsen's history format: an event a line, the invocation and the end of each operation.
//!
//! A process of Jepsen's has one operation under way and is never heard of again after one that it
//! does not know the end of. A client of ours may have several, so it is as many processes as it
//! needs. Events of the same microsecond are told invocations first: an order that nobody saw is
//! none.

use super::{End, Told};
use crate::History;
use crate::terms::{Act, Shown, Terms};
use ssmr_core::{Application, Micros};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What an event is, in the order of events at the same time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Invoke,
    End,
}

impl<A: Application> History<A> {
    /// Writes the history as Jepsen does, each operation as a transaction of micro-operations as
    /// Elle knows them: `[:r k v]`, `[:w k v]`, `[:append k v]`, and `[:create k v]`, `[:delete k
    /// nil]` and the like. Elle's lists begin when somebody appends, so that a list is created with
    /// its first elements is told as `[:append k v]`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_edn(&self, terms: &Terms<A>, out: &mut impl Write) -> io::Result<()> {
        let all: Vec<Told> = self.told(terms).collect();
        let invoked = |(operation, told): (usize, &Told)| (told.invoked, Event::Invoke, operation);
        let ended = |(operation, told): (usize, &Told)| {
            // One that was never answered ends when all others have.
            let at = told.completed.unwrap_or(Micros::MAX);
            (at, Event::End, operation)
        };
        let invocations = all.iter().enumerate().map(invoked);
        let mut events: Vec<_> = invocations
            .chain(all.iter().enumerate().map(ended))
            .collect();
        events.sort_unstable();
        let last = events.iter().rev().find(|(at, ..)| *at < Micros::MAX);
        let last = last.map_or(0, |(at, ..)| *at);

        let mut processes = Processes::default();
        let mut process_of = vec![0; all.len()];
        for (index, (at, event, operation)) in events.into_iter().enumerate() {
            let told = &all[operation];
            if event == Event::Invoke {
                process_of[operation] = processes.take(told.client);
            } else if kind(told.end) != "info" {
                processes.give_back(told.client, process_of[operation]);
            }
            let (kind, error) = match event {
                Event::Invoke => ("invoke", String::new()),
                Event::End if told.end == End::Done => ("ok", String::new()),
                Event::End => {
                    let error = format!(", :error :{}", told.end.name());
                    (kind(told.end), error)
                }
            };
            let values = event == Event::End;
            writeln!(
                out,
                "{{:index {index}, :type :{kind}, :process {}, :client {}, :f :txn, \
                 :value [{}], :time {}{error}}}",
                process_of[operation],
                told.client,
                micro_operations(&told.acts, values),
                at.min(last) * 1_000,
            )?;
        }
        Ok(())
    }
}

/// How an operation ended, in Jepsen's words. Of one on which the service panicked a part may have
/// taken effect.
fn kind(end: End) -> &'static str {
    match end {
        End::Done => "ok",
        End::Changed | End::AlreadyExists | End::NotFound | End::Refused => "fail",
        End::Failed | End::Unknown => "info",
    }
}

/// The micro-operations; what was read is not known at the invocation.
fn micro_operations(acts: &[Act], values: bool) -> String {
    let mut told = Vec::new();
    for act in acts {
        let object = act.object;
        let mut tell =
            |verb: &str, value: &str| told.push(format!("[:{verb} \"{object}\" {value}]"));
        match (act.verb, &act.value) {
            ("read", _) if !values => tell("r", "nil"),
            ("create", Shown::List(numbers)) => {
                let numbers = numbers.iter();
                numbers.for_each(|number| tell("append", &number.to_string()));
            }
            (verb, value) => {
                let verb = match verb {
                    "read" => "r",
                    "write" => "w",
                    other => other,
                };
                let text = match value {
                    Shown::Nothing => "nil".into(),
                    Shown::List(numbers) => format!("{numbers:?}").replace(',', ""),
                    other => other.to_string(),
                };
                tell(verb, &text);
            }
        }
    }
    told.join(" ")
}

/// The processes of each client that have nothing under way.
#[derive(Default)]
struct Processes {
    free: BTreeMap<u64, Vec<usize>>,
    count: usize,
}

impl Processes {
    /// One of this client's, a new one if all are busy.
    fn take(&mut self, client: u64) -> usize {
        let free = self.free.entry(client).or_default().pop();
        free.unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }

    fn give_back(&mut self, client: u64, process: usize) {
        self.free.entry(client).or_default().push(process);
    }
}
