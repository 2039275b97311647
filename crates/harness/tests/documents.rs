//! What documents say in figures that a test can look up.

use std::fs;
use std::path::Path;

/// A file of the project.
fn text(path: &str) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(project.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the golden trace of a strategy says of each kind of command: its title, and its groups and
/// messages as `docs/strategies.md` writes them.
fn costs(folder: &str) -> Vec<(String, String)> {
    let trace = text(&format!("crates/strategy-{folder}/what_commands_cost.txt"));
    let (mut title, mut costs) = ("", Vec::new());
    for line in trace.lines().filter_map(|line| line.strip_prefix("-- ")) {
        let Some((messages, groups)) = line.split_once(" messages in a row, groups: ") else {
            title = line;
            continue;
        };
        let cost = match groups {
            "0" => "refused".to_owned(),
            groups => format!("{groups} / {messages}"),
        };
        // Two objects that the client does not know cost the same.
        let row = (title.to_owned(), cost);
        if costs.last() != Some(&row) {
            costs.push(row);
        }
    }
    costs
}

#[test]
fn the_table_of_costs_is_what_the_traces_say() {
    let document = text("docs/strategies.md");
    let (_, table) = document.split_once("## Groups and messages").unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    for (place, folder) in [
        "global/tests/golden",
        "broker/tests/golden",
        "static/tests/golden",
        "static/tests/golden-directory",
        "cache/tests/golden",
    ]
    .iter()
    .enumerate()
    {
        // The first two lines are the head.
        let told = rows[2..]
            .iter()
            .map(|row| (row[0].into(), row[place + 1].into()));
        assert_eq!(told.collect::<Vec<_>>(), costs(folder), "{folder}");
    }
}
