//! The examples of `docs/traces.md`.

use crate::runner::{ALL, replay};
use std::fs;

/// The first block of this language in the page.
fn block(language: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/traces.md");
    let page = fs::read_to_string(path).unwrap();
    let begin = format!("```{language}\n");
    let rest = page.split_once(&begin).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("no {begin:?} in {path}"));
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn both_forms_of_the_example_are_the_same_trace() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut digests = Vec::new();
    for (language, file) in [("json", "example.jsonl"), ("csv", "example.csv")] {
        fs::write(folder.join(file), block(language)).unwrap();
        let rows = replay(folder, file, &[]);
        assert_eq!(rows.len(), ALL.len());
        for row in &rows {
            assert_eq!((&row["issued"][..], &row["ok"][..]), ("5", "5"), "{row:?}");
        }
        digests.extend(rows.into_iter().map(|row| row["digest"].clone()));
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}
