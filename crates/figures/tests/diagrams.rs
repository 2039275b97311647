//! Message diagrams: the committed ones are those of the golden traces, and show every message.

use ssmr_figures::Diagram;
use std::path::Path;

/// `docs/diagrams.md` shows them. A strategy that does something else has other golden traces, and
/// so other diagrams: then this fails until they are written anew.
#[test]
fn the_committed_diagrams_are_those_of_the_golden_traces() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagrams");
    let page = std::fs::read_to_string(folder.with_extension("md")).unwrap();
    for diagram in Diagram::all() {
        let name = format!("{}.svg", diagram.name());
        let path = folder.join(&name);
        if std::env::var_os("SSMR_BLESS").is_some() {
            std::fs::write(&path, diagram.svg()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == diagram.svg(),
            "{} is stale: see what changed, then set SSMR_BLESS=1",
            path.display()
        );
        assert!(
            page.contains(&format!("(diagrams/{name})")),
            "{name} is not in the page"
        );
    }
}

#[test]
fn each_strategy_has_three_and_an_unknown_one_none() {
    for strategy in ["global", "broker", "static", "cache"] {
        let all = Diagram::of(strategy, false);
        let commands: Vec<&str> = all.iter().map(Diagram::command).collect();
        assert_eq!(commands, ["create", "access", "move"], "{strategy}");
    }
    assert_eq!(Diagram::of("static", true).len(), 3);
    assert!(Diagram::of("ring", false).is_empty() && Diagram::of("global", true).is_empty());
    assert_eq!(Diagram::all().len(), 15);
}

/// Arrows and boxes, counted by hand from what each strategy must do.
#[test]
fn a_diagram_has_an_arrow_for_each_message() {
    let heads = |strategy: &str, command: &str| {
        let all = Diagram::of(strategy, false);
        let one = all.iter().find(|one| one.command() == command).unwrap();
        one.svg().matches("<path ").count()
    };
    // Handed in to both partitions; a timestamp and a signal each way; one answer.
    assert_eq!(heads("global", "create"), 2 + 2 + 2 + 1);
    // Handed in to one partition, which answers.
    assert_eq!(heads("static", "create"), 1 + 1);
    // To partition and oracle, as with global: two groups.
    assert_eq!(heads("broker", "create"), 2 + 2 + 2 + 1);
    // Nobody is asked: the client refuses it.
    assert_eq!(heads("static", "move"), 0);
    let broker = Diagram::of("broker", false);
    assert!(
        broker[1].svg().contains(">where is "),
        "{}",
        broker[1].svg()
    );
    let cache = Diagram::of("cache", false);
    assert!(cache[0].svg().contains(">cache<") && cache[0].svg().contains(">x is at p1<"));
}
