//! How to make all of it again: the commands, ready for a shell.

use crate::Context;
use crate::json;
use crate::source::Source;
use maud::{Markup, html};
use serde_json::Value;
use std::fmt::Write;

/// The section.
pub(crate) fn markup(source: &Source, context: &Context<'_>) -> Markup {
    let program = word(context.program);
    let folder = word(&source.folder.path().display().to_string());
    let run = source.run.as_ref();
    let commit = run.and_then(|run| json::text(run, &["machine", "commit"]));
    html! {
        @if let Some(sweep) = &source.sweep {
            p {
                "The sweep, from a file " code { "sweep.toml" } " with this content; the same "
                "command goes on where it was stopped. Each " code { "cells/NUMBER/run.json" }
                " has the command of one run alone."
            }
            (block(&specification(sweep)))
            (block(&format!("{program} sweep sweep.toml --out {folder}")))
        } @else if let Some(peak) = &source.peak {
            p {
                "The search. Each " code { "cells/NUMBER/run.json" } " has the command of one step \
                 alone."
            }
            (block(&command_line(peak)))
        } @else if let Some(run) = run {
            p { "The run:" }
            (block(&command_line(run)))
            // Older programs wrote down what no program takes back.
            @if json::at(run, &["schema"]).is_some() {
                p { "The same from this folder, with all of its settings:" }
                (block(&format!("{program} run --from {folder}")))
            }
        } @else {
            p { "The command line is not known." }
        }
        @if let Some(commit) = commit {
            p { "With the program of this commit:" }
            (block(&format!("git checkout {}", word(&commit))))
        }
        p { "The figures as files, and this page:" }
        (block(&format!("{program} plot {folder}\n{program} report {folder}")))
    }
}

fn block(text: &str) -> Markup {
    html! { pre tabindex="0" { code { (text) } } }
}

fn command_line(run: &Value) -> String {
    let words = json::texts(run, &["command_line"]);
    let words: Vec<String> = words.iter().map(|text| word(text)).collect();
    words.join(" ")
}

/// A word as a shell takes it.
fn word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=./:,@+%".contains(letter);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.into(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// What a sweep is made from, as `sweep` reads it.
fn specification(sweep: &Value) -> String {
    let quoted = |value: &Value| Value::String(json::told(value)).to_string();
    let list = |name| json::at(sweep, &[name]).and_then(Value::as_array);
    let key = |axis: &Value| quoted(axis.get("flag").unwrap_or(&Value::Null));
    let repeat = json::text(sweep, &["repeat"]).unwrap_or_else(|| "1".into());
    let mut text = format!("repeat = {repeat}\n[run]");
    for setting in list("run").into_iter().flatten() {
        let value = quoted(setting.get("value").unwrap_or(&Value::Null));
        let _ = write!(text, "\n{} = {value}", key(setting));
    }
    text += "\n[vary]";
    for axis in list("vary").into_iter().flatten() {
        let values = axis.get("values").and_then(Value::as_array);
        let values: Vec<String> = values.into_iter().flatten().map(quoted).collect();
        let _ = write!(text, "\n{} = [{}]", key(axis), values.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_shell_as_they_are() {
        let words = [
            "--fault",
            "kill-leader:p0@3s",
            "",
            "a b",
            "it's",
            "$(x)",
            "`y`",
            "*",
        ];
        let expected = [
            "--fault",
            "kill-leader:p0@3s",
            "''",
            "'a b'",
            "'it'\\''s'",
            "'$(x)'",
            "'`y`'",
            "'*'",
        ];
        assert_eq!(words.map(word), expected);
    }

    #[test]
    fn a_sweep_is_told_as_its_file() {
        let sweep = r#"{"run": [{"flag": "strategy", "value": "all"}], "repeat": 5,
                        "vary": [{"flag": "fault", "values": ["", "a\"b"]}]}"#;
        let text = specification(&serde_json::from_str(sweep).unwrap());
        let expected =
            "repeat = 5\n[run]\n\"strategy\" = \"all\"\n[vary]\n\"fault\" = [\"\", \"a\\\"b\"]";
        assert_eq!(text, expected);
    }
}
