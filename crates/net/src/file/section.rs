//! One table of a file, whose keys are taken one after the other. What is left at the end nobody
//! knows.

use super::problems::{Given, Problems};
use std::fmt::Display;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table. To be [ended](Self::end) when all keys that it may have were asked for.
#[derive(Debug)]
pub(crate) struct Section<'t, 'p> {
    problems: &'p Problems<'t>,
    /// Its key; empty for the whole file.
    key: String,
    line: Option<usize>,
    entries: DeTable<'t>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
}

impl<'t, 'p> Section<'t, 'p> {
    /// A whole file; `None` if it is not TOML, which is noted with all the places.
    pub(crate) fn parse(problems: &'p Problems<'t>) -> Option<Self> {
        let (table, errors) = DeTable::parse_recoverable(problems.text);
        for error in &errors {
            let line = error.span().map(|span| problems.line(span.start));
            problems.note(line, String::new(), error.message());
        }
        errors.is_empty().then(|| Self {
            problems,
            key: String::new(),
            line: None,
            entries: table.into_inner(),
            known: Vec::new(),
        })
    }

    fn name(&self, key: &str) -> String {
        match self.key.is_empty() {
            true => key.to_owned(),
            false => format!("{}.{key}", self.key),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Given<DeValue<'t>>> {
        self.known.push(key);
        let (_, value) = self.entries.remove_entry(key)?;
        Some(given(self.problems, self.name(key), value))
    }

    /// This table, as something to say what is wrong with it.
    pub(crate) fn place(&self) -> Given<()> {
        Given {
            value: (),
            key: self.key.clone(),
            line: self.line,
        }
    }

    /// A key that this table lacks, as something to say what is wrong with it.
    pub(crate) fn place_of_missing(&self, key: &str) -> Given<()> {
        Given {
            key: self.name(key),
            ..self.place()
        }
    }

    /// What can be made of the value of a key, if the file has it; what cannot is noted.
    fn made<T, E: Display>(
        &mut self,
        key: &'static str,
        made: impl FnOnce(DeValue<'t>) -> Result<T, E>,
    ) -> Option<Given<T>> {
        let Given { value, key, line } = self.take(key)?;
        match made(value) {
            Ok(value) => Some(Given { value, key, line }),
            Err(problem) => {
                self.problems.note(line, key, problem);
                None
            }
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Given<String>> {
        self.made(key, text)
    }

    /// A text that says something of this type.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
    ) -> Option<Given<T>> {
        self.parsed_by(key, T::from_str)
    }

    /// What `parse` makes of a text.
    pub(crate) fn parsed_by<T, E: Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Given<T>> {
        self.made(key, |value| {
            parse(&text(value)?).map_err(|problem| problem.to_string())
        })
    }

    /// A list of texts that say something of this type each; `None` if one does not.
    pub(crate) fn list<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
    ) -> Option<Given<Vec<Given<T>>>> {
        let list = self.array(key)?;
        let all = list.value.len();
        let read = |Given { value, key, line }| match parsed(value) {
            Ok(value) => Some(Given { value, key, line }),
            Err(problem) => {
                self.problems.note(line, key, problem);
                None
            }
        };
        let (key, line) = (list.key, list.line);
        let value: Vec<_> = list.value.into_iter().filter_map(read).collect();
        (value.len() == all).then_some(Given { value, key, line })
    }

    /// A list of tables: `[[key]]`. Those that are none are noted and left out.
    pub(crate) fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let list = self.array(key).map_or_else(Vec::new, |list| list.value);
        let read = |Given { value, key, line }| match table(value) {
            Ok(value) => Some(self.within(Given { value, key, line })),
            Err(problem) => {
                self.problems.note(line, key, problem);
                None
            }
        };
        list.into_iter().filter_map(read).collect()
    }

    /// The values of a list.
    fn array(&mut self, key: &'static str) -> Option<Given<Vec<Given<DeValue<'t>>>>> {
        let array = self.made(key, |value| match value {
            DeValue::Array(values) => Ok(values),
            _ => Err("it is no list"),
        })?;
        let key = array.key.clone();
        let each = |value| given(self.problems, key.clone(), value);
        Some(array.map(|values| values.into_iter().map(each).collect()))
    }

    /// A whole number within the type's bounds.
    pub(crate) fn integer<T: FromStr>(&mut self, key: &'static str) -> Option<Given<T>> {
        self.made(key, |value| {
            let DeValue::Integer(integer) = &value else {
                return Err("it is no whole number");
            };
            let decimal = integer.radix() == 10;
            let integer = integer.as_str().replace('_', "").parse().ok();
            let too_large = "it is no number that can be here";
            integer.filter(|_| decimal).ok_or(too_large)
        })
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Given<bool>> {
        self.made(key, |value| match value {
            DeValue::Boolean(flag) => Ok(flag),
            _ => Err("it is neither true nor false"),
        })
    }

    /// A table within this one.
    pub(crate) fn section(&mut self, key: &'static str) -> Option<Self> {
        let table = self.made(key, table)?;
        Some(self.within(table))
    }

    fn within(&self, table: Given<DeTable<'t>>) -> Self {
        Self {
            problems: self.problems,
            key: table.key,
            line: table.line,
            entries: table.value,
            known: Vec::new(),
        }
    }

    /// What a key says if it is a text, else the table that it is, as
    /// [there](Entry::text_or_table).
    pub(crate) fn text_or_section<T: FromStr<Err: Display>>(
        &mut self,
        key: &'static str,
    ) -> Option<Result<Given<T>, Self>> {
        let problems = self.problems;
        let value = self.take(key)?;
        Entry { problems, value }.text_or_table()
    }

    /// All entries, whose keys are not known in advance. Those that are no such keys are noted.
    pub(crate) fn entries<K: FromStr<Err: Display>>(&mut self) -> Vec<(K, Entry<'t, 'p>)> {
        let mut entries = Vec::new();
        for (key, value) in std::mem::take(&mut self.entries) {
            let line = Some(self.problems.line(key.span().start));
            let key = key.into_inner();
            let name = self.name(&key);
            match key.parse() {
                Ok(key) => {
                    let value = Given {
                        value: value.into_inner(),
                        key: name,
                        line,
                    };
                    let problems = self.problems;
                    entries.push((key, Entry { problems, value }));
                }
                Err(problem) => self.problems.note(line, name, problem),
            }
        }
        entries
    }

    /// A value that must be there: if it is not, that is noted. One that is of no use was noted
    /// when it was taken.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        taken: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        if !self.entries.contains_key(key) {
            self.problems
                .at(&self.place_of_missing(key), "it is missing");
        }
        taken(self)
    }

    /// Notes what was not asked for.
    pub(crate) fn end(self) {
        let known = self.known.join(", ");
        for (key, _) in &self.entries {
            let line = self.problems.line(key.span().start);
            let problem = match known.is_empty() {
                true => "there is no such key".to_owned(),
                false => format!("there is no such key; there are {known}"),
            };
            self.problems
                .note(Some(line), self.name(key.get_ref()), problem);
        }
    }
}

/// One entry of a table whose keys are not known in advance.
#[derive(Debug)]
pub(crate) struct Entry<'t, 'p> {
    problems: &'p Problems<'t>,
    value: Given<DeValue<'t>>,
}

impl<'t, 'p> Entry<'t, 'p> {
    /// The text that it is. What is none is noted.
    pub(crate) fn text(self) -> Option<Given<String>> {
        let Given { value, key, line } = self.value;
        match text(value) {
            Ok(value) => Some(Given { value, key, line }),
            Err(problem) => {
                self.problems.note(line, key, problem);
                None
            }
        }
    }

    /// What it says if it is a text, else the table that it is. What is neither is noted.
    pub(crate) fn text_or_table<T: FromStr<Err: Display>>(
        self,
    ) -> Option<Result<Given<T>, Section<'t, 'p>>> {
        let Given { value, key, line } = self.value;
        let made = match value {
            DeValue::Table(entries) => {
                return Some(Err(Section {
                    problems: self.problems,
                    key,
                    line,
                    entries,
                    known: Vec::new(),
                }));
            }
            DeValue::String(_) => parsed(value),
            _ => Err("it is neither a text nor a table".to_owned()),
        };
        match made {
            Ok(value) => Some(Ok(Given { value, key, line })),
            Err(problem) => {
                self.problems.note(line, key, problem);
                None
            }
        }
    }
}

/// A value under a key, with its line.
fn given<'t>(
    problems: &Problems<'t>,
    key: String,
    value: Spanned<DeValue<'t>>,
) -> Given<DeValue<'t>> {
    let line = Some(problems.line(value.span().start));
    let value = value.into_inner();
    Given { value, key, line }
}

fn text(value: DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.into_owned()),
        _ => Err("it is no text"),
    }
}

fn table<'t>(value: DeValue<'t>) -> Result<DeTable<'t>, &'static str> {
    match value {
        DeValue::Table(table) => Ok(table),
        _ => Err("it is no table"),
    }
}

fn parsed<T: FromStr<Err: Display>>(value: DeValue<'_>) -> Result<T, String> {
    let text = text(value)?;
    text.parse().map_err(|problem: T::Err| problem.to_string())
}
