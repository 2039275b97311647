//! What the columns mean: the data dictionary, each column with an anchor that tables link to.
//!
//! It is Markdown of the plainest kind: headings, paragraphs, and tables of two columns, with
//! `code` in them. Whatever else it has stays as it is written.

use maud::{Markup, html};

/// The dictionary.
#[derive(Debug)]
pub(crate) struct Dictionary<'a> {
    sections: Vec<Section<'a>>,
}

#[derive(Debug)]
struct Section<'a> {
    title: &'a str,
    about: String,
    columns: Vec<(&'a str, &'a str)>,
}

/// What an element is called in the page that tells what a column means.
pub(crate) fn anchor(column: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    };
    format!("column-{}", column.chars().map(plain).collect::<String>())
}

impl<'a> Dictionary<'a> {
    /// Takes it apart.
    pub(crate) fn of(markdown: &'a str) -> Self {
        let mut sections: Vec<Section<'a>> = Vec::new();
        for line in markdown.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                sections.push(Section {
                    title,
                    about: String::new(),
                    columns: Vec::new(),
                });
                continue;
            }
            let Some(section) = sections.last_mut() else {
                continue;
            };
            match row(line) {
                Some(("column", _)) => {}
                Some((name, _)) if name.starts_with("---") => {}
                Some(row) => section.columns.push(row),
                None if line.is_empty() => {}
                None => section.about += &format!("{line} "),
            }
        }
        Self { sections }
    }

    /// What a column of a summary means.
    pub(crate) fn meaning(&self, column: &str) -> Option<&'a str> {
        let columns = self.sections.iter().flat_map(|section| &section.columns);
        let mut found = columns.filter(|(name, _)| *name == column);
        found.next().map(|(_, meaning)| *meaning)
    }

    /// All of it.
    pub(crate) fn markup(&self) -> Markup {
        let mut told: Vec<&str> = Vec::new();
        let mut parts = Vec::new();
        for section in &self.sections {
            let rows = section.columns.iter().map(|(name, meaning)| {
                // Only the first of a name can be linked to.
                let is_first = !told.contains(name);
                told.push(name);
                let id = is_first.then(|| anchor(name));
                html! { tr id=[id] { th scope="row" { code { (name) } } td { (words(meaning)) } } }
            });
            let rows: Vec<Markup> = rows.collect();
            parts.push(html! {
                h3 { (words(section.title)) }
                p { (words(&section.about)) }
                @if !rows.is_empty() {
                    div.scroll tabindex="0" role="region" aria-label=(plain(section.title)) {
                        table.words {
                            thead {
                                tr { th scope="col" { "column" } th scope="col" { "meaning" } }
                            }
                            tbody { @for row in &rows { (row) } }
                        }
                    }
                }
            });
        }
        html! { @for part in &parts { (part) } }
    }
}

/// A name and its meaning, of a row of a table.
fn row(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let (name, meaning) = inner.split_once(" | ")?;
    Some((name.trim_matches('`'), meaning))
}

fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// A text with `code` in it.
fn words(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_and_nothing_is_markup() {
        let text = "# D\n\nx\n\n## `a.csv`\n\nRows of `a`.\n\n| column | meaning |\n| --- | --- |\n\
                    | `p50_us` | <b> | c |\n\n## `b.csv`\n\n| `p50_us` | Other. |\n";
        let dictionary = Dictionary::of(text);
        assert_eq!(dictionary.meaning("p50_us"), Some("<b> | c"));
        assert_eq!(dictionary.meaning("p99_us"), None);
        let html = dictionary.markup().into_string();
        assert!(html.contains("Rows of <code>a</code>.") && html.contains("&lt;b&gt; | c"));
        assert_eq!(html.matches("id=\"column-p50-us\"").count(), 1, "{html}");
        assert!(Dictionary::of("").markup().into_string().is_empty());
    }
}
